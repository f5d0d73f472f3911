package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/virthook/virthook/gen/hookmain"
)

// stub is an SDK whose Main prints what it is given.
const stub = `package sdk

import (
	"encoding/json"
	"os"
)

type Option interface{}

func Main(opts ...Option) {
	if err := json.NewEncoder(os.Stdout).Encode(opts); err != nil {
		panic(err)
	}
}
`

const here = runtime.GOOS + "/" + runtime.GOARCH

// handlerPackage loads a package with these declarations.
func handlerPackage(t *testing.T, target, source string) (*goModule, *Package, *list) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOWORK", "off")
	for name, content := range map[string]string{
		"go.mod":      "module github.com/virthook/virthook\n\ngo 1.25.0\n",
		"sdk/sdk.go":  stub,
		"conf/it.go":  "package conf\n\nimport (\n\t\"time\"\n\n\t\"github.com/virthook/virthook/sdk\"\n)\n\nvar _ time.Duration\n\nfunc Hooks(s Settings) sdk.Option { return s }\n",
		"conf/set.go": "package conf\n\nimport \"time\"\n\nvar _ time.Duration\n\n" + source,
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	mod, err := findModule(filepath.Join(dir, "virthook.yaml"))
	require.NoError(t, err)
	problems := &list{file: "virthook.yaml"}
	path := "github.com/virthook/virthook/conf"
	loaded, err := loadPackages(t.Context(), mod, builtin(t), target, map[string]place{path: {"virthook.yaml", 1, "./conf"}}, problems)
	require.NoError(t, err)
	require.NoError(t, problems.problems.Err())
	return mod, loaded[path], problems
}

// program turns YAML into the source of a program; "" with problems.
func program(t *testing.T, pkg *Package, problems *list, text string) string {
	t.Helper()
	var doc yaml.Node
	require.NoError(t, yaml.Load([]byte(text), &doc), text)
	s := settings{file: "virthook.yaml", pkg: pkg, into: problems}
	v := s.value(doc.Content[0], pkg.settings, "conf.Settings")
	require.Equal(t, v == nil, len(problems.problems) > 0)
	if v == nil {
		return ""
	}
	source, err := hookmain.Render([]hookmain.Package{{Path: pkg.path, Name: pkg.name, Settings: v}})
	require.NoError(t, err)
	return string(source)
}

// compiled is what the program prints that is generated: the settings, as JSON.
func compiled(t *testing.T, mod *goModule, source string) string {
	t.Helper()
	b := &build{source: []byte(source), id: "test"}
	overlay, err := mod.overlay(t.TempDir(), []*build{b})
	require.NoError(t, err)
	bin := filepath.Join(t.TempDir(), "program")
	require.NoError(t, mod.compile(context.Background(), b, here, overlay, bin), source)
	out, err := exec.Command(bin).Output()
	require.NoError(t, err, source)
	return string(out)
}

// Whatever value of whatever type is written in YAML, the program has it.
func TestSettingsArrive(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0))}
	var fields, yamlText strings.Builder
	want := map[string]any{}
	for i := range 150 {
		typ := g.typ(3)
		text, value := typ.random(g.Rand)
		fmt.Fprintf(&fields, "\tF%d %s\n", i, typ.name)
		fmt.Fprintf(&yamlText, "f%d: %s\n", i, text)
		want[fmt.Sprintf("F%d", i)] = value
	}
	mod, pkg, problems := handlerPackage(t, here, "type Settings struct {\n"+fields.String()+"}\n"+g.decls.String())
	source := program(t, pkg, problems, yamlText.String())
	require.NoError(t, problems.problems.Err())
	wanted, err := json.Marshal([]any{want})
	require.NoError(t, err)
	assert.JSONEq(t, exact(t, wanted), exact(t, []byte(compiled(t, mod, source))))
}

// exact writes numbers as texts, so that a comparison does not make floats of them.
func exact(t *testing.T, doc []byte) string {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	var v any
	require.NoError(t, dec.Decode(&v))
	var quote func(v any) any
	quote = func(v any) any {
		switch v := v.(type) {
		case json.Number:
			return "number " + v.String()
		case []any:
			for i := range v {
				v[i] = quote(v[i])
			}
		case map[string]any:
			for k := range v {
				v[k] = quote(v[k])
			}
		}
		return v
	}
	out, err := json.Marshal(quote(v))
	require.NoError(t, err)
	return string(out)
}

// generator makes types, with declarations for those that have names.
type generator struct {
	*rand.Rand
	decls strings.Builder
	count int
}

// randomType is a Go type and a way to get values of it: in YAML, and as encoding/json has it.
type randomType struct {
	name   string
	isByte bool // encoding/json writes a slice of these in its own way
	random func(r *rand.Rand) (text string, value any)
}

func (g *generator) typ(depth int) randomType {
	n := 5
	if depth > 0 {
		n = 8
	}
	var t randomType
	switch g.IntN(n) {
	case 0:
		t = randomType{name: "string", random: func(r *rand.Rand) (string, any) { return randomText(r) }}
	case 1:
		t = randomType{name: "bool", random: func(r *rand.Rand) (string, any) { v := r.IntN(2) == 0; return strconv.FormatBool(v), v }}
	case 2:
		t = g.integer()
	case 3:
		t = randomType{name: "float64", random: func(r *rand.Rand) (string, any) {
			v := math.Float64frombits(r.Uint64())
			if math.IsNaN(v) || math.IsInf(v, 0) {
				v = 1.5
			}
			return strconv.FormatFloat(v, 'g', -1, 64), v
		}}
		if g.IntN(2) == 0 {
			t = randomType{name: "float32", random: func(r *rand.Rand) (string, any) {
				v := float32(r.NormFloat64()) * 1e10
				return strconv.FormatFloat(float64(v), 'g', -1, 32), v
			}}
		}
	case 4:
		return randomType{name: "time.Duration", random: func(r *rand.Rand) (string, any) {
			v := time.Duration(r.Int64() >> r.IntN(63))
			v = v.Truncate([]time.Duration{1, time.Microsecond, time.Second, time.Minute, time.Hour}[r.IntN(5)])
			if r.IntN(2) == 0 {
				v = -v
			}
			return v.String(), v
		}}
	case 5:
		elem := g.typ(depth - 1)
		t = randomType{name: "[]" + elem.name, random: func(r *rand.Rand) (string, any) {
			items, values := []string{}, []any{}
			for range r.IntN(4) {
				text, v := elem.random(r)
				items, values = append(items, text), append(values, v)
			}
			return "[" + strings.Join(items, ", ") + "]", values
		}}
		if elem.isByte {
			return g.typ(depth)
		}
	case 6:
		key := randomType{name: "string", random: func(r *rand.Rand) (string, any) { return randomText(r) }}
		if g.IntN(2) == 0 {
			key = g.integer()
		}
		elem := g.typ(depth - 1)
		t = randomType{name: "map[" + key.name + "]" + elem.name, random: func(r *rand.Rand) (string, any) {
			items, values := []string{}, map[string]any{}
			for range r.IntN(4) {
				ktext, k := key.random(r)
				text, v := elem.random(r)
				if _, twice := values[fmt.Sprint(k)]; twice {
					continue
				}
				items = append(items, "? "+ktext+" : "+text)
				values[fmt.Sprint(k)] = v
			}
			return "{" + strings.Join(items, ", ") + "}", values
		}}
	default:
		elems := make([]randomType, g.IntN(4))
		g.count++
		name := fmt.Sprintf("Struct%d", g.count)
		decl := "type " + name + " struct {\n"
		for i := range elems {
			elems[i] = g.typ(depth - 1)
			decl += fmt.Sprintf("\tHTTPField%d %s\n", i, elems[i].name)
		}
		g.decls.WriteString(decl + "}\n")
		return randomType{name: name, random: func(r *rand.Rand) (string, any) {
			items, values := []string{}, map[string]any{}
			for i, e := range elems {
				text, v := e.random(r)
				items = append(items, fmt.Sprintf("http_field%d: %s", i, text))
				values[fmt.Sprintf("HTTPField%d", i)] = v
			}
			return "{" + strings.Join(items, ", ") + "}", values
		}}
	}
	if g.IntN(3) == 0 {
		g.count++
		name := fmt.Sprintf("Named%d", g.count)
		fmt.Fprintf(&g.decls, "type %s %s\n", name, t.name)
		t.name = name
	}
	return t
}

func (g *generator) integer() randomType {
	bits := []int{8, 16, 32, 64}[g.IntN(4)]
	signed := g.IntN(2) == 0
	name := fmt.Sprintf("int%d", bits)
	if !signed {
		name = "u" + name
	}
	if bits == 64 && g.IntN(2) == 0 {
		name = strings.TrimSuffix(name, "64")
	}
	return randomType{name: name, isByte: name == "uint8", random: func(r *rand.Rand) (string, any) {
		u := []uint64{0, 1, math.MaxUint64, 1 << 63, 1<<63 - 1, r.Uint64(), r.Uint64()}[r.IntN(7)]
		if !signed {
			u >>= 64 - bits
			return []string{strconv.FormatUint(u, 10), fmt.Sprintf("0x%x", u), fmt.Sprintf("0o%o", u)}[r.IntN(3)], u
		}
		v := int64(u) >> (64 - bits)
		return strconv.FormatInt(v, 10), v
	}}
}

func randomText(r *rand.Rand) (string, any) {
	if r.IntN(4) == 0 {
		plain := []string{"word", "two words", "a-*", "x/y.z"}[r.IntN(4)]
		return plain, plain
	}
	runes := make([]rune, r.IntN(12))
	for i := range runes {
		odd := []rune("aZ09 \t\n\r\"'`\\%$:#{}[],&*?|<>=!-\x00\x07\x1b\x7f\u0085\u00a0é\u2028\ufeff世𝄞")
		runes[i] = odd[r.IntN(len(odd))]
	}
	return strconv.QuoteToASCII(string(runes)), string(runes)
}

// What a 64-bit int holds, one of 32 bits need not.
func TestSettingsOfTarget(t *testing.T) {
	const source = "type Settings struct{ N int; U uint }\n"
	_, pkg, problems := handlerPackage(t, "linux/amd64", source)
	assert.Contains(t, program(t, pkg, problems, "{n: -9223372036854775808, u: 18446744073709551615}"), "-9223372036854775808")
	_, pkg, problems = handlerPackage(t, "linux/arm", source)
	assert.Empty(t, program(t, pkg, problems, "{n: 2147483648, u: 4294967296}"))
	assert.EqualError(t, problems.problems.Err(),
		"virthook.yaml:1: conf.Settings.N (int): 2147483648 is not within -2147483648 and 2147483647\n"+
			"virthook.yaml:1: conf.Settings.U (uint): 4294967296 is not within 0 and 4294967295")
}

func TestSettingsDoNotFit(t *testing.T) {
	_, pkg, _ := handlerPackage(t, here, `
type Level string

type Inner struct {
	A int8
	B string `+"`default:\"0600\"`"+`
}

type Settings struct {
	Text   string            `+"`yaml:\",omitempty\"`"+`
	Level  Level             `+"`yaml:\",omitempty\"`"+`
	Flag   bool              `+"`yaml:\"on\" default:\"true\"`"+`
	N      int8              `+"`yaml:\",omitempty\"`"+`
	U      uint16            `+"`yaml:\",omitempty\"`"+`
	F      float32           `+"`yaml:\",omitempty\"`"+`
	D      time.Duration     `+"`yaml:\",omitempty\"`"+`
	List   []int8            `+"`yaml:\",omitempty\"`"+`
	Map    map[int8]string   `+"`yaml:\",omitempty\"`"+`
	Inner  Inner             `+"`default:\"{a: 1}\"`"+`
	Never  func()            `+"`yaml:\"-\"`"+`
	hidden int
}
`)
	for _, c := range []struct{ yaml, want string }{
		{"{}", ""},
		{"{text: 5}", `Text (string): "5" is a number, and a text belongs here: quote it`},
		{"{text: true}", `Text (string): "true" is true or false, and a text belongs here: quote it`},
		{"{text: }", "Text (string): empty where a text belongs"},
		{"{text: [a]}", "Text (string): a list where a text belongs"},
		{"{text: !!binary aGk=}", `Text (string): "aGk=" is of the type !!binary, and a text belongs here: quote it`},
		{"{level: 1.5}", `Level (conf.Level): "1.5" is a number, and a text belongs here: quote it`},
		{"{on: 1}", `Flag (bool): "1" where true or false belongs`},
		{"{on: 'true'}", `Flag (bool): "true" where true or false belongs`},
		{"{flag: true}", ` (conf.Settings): unknown key "flag"; there is text, level, on, n, u, f, d, list, map, inner`},
		{"{never: true}", ` (conf.Settings): unknown key "never"; there is text, level, on, n, u, f, d, list, map, inner`},
		{"{hidden: 1}", ` (conf.Settings): unknown key "hidden"; there is text, level, on, n, u, f, d, list, map, inner`},
		{"{n: -128}", ""},
		{"{n: 127}", ""},
		{"{n: 128}", "N (int8): 128 is not within -128 and 127"},
		{"{n: -129}", "N (int8): -129 is not within -128 and 127"},
		{"{n: 1.0}", `N (int8): "1.0" where a whole number belongs`},
		{"{n: '1'}", `N (int8): "1" where a whole number belongs`},
		{"{n: 010}", "N (int8): 010: without the zero it is decimal, with 0o octal"},
		{"{u: 65535}", ""},
		{"{u: 65536}", "U (uint16): 65536 is not within 0 and 65535"},
		{"{u: -1}", "U (uint16): -1 is not within 0 and 65535"},
		{"{u: 99999999999999999999999}", `U (uint16): "99999999999999999999999" where a whole number belongs`},
		{"{f: 3}", ""},
		{"{f: 1e39}", "F (float32): 1e39 is not a number that it can hold"},
		{"{f: .nan}", "F (float32): .nan is not a number that it can hold"},
		{"{f: -.inf}", "F (float32): -.inf is not a number that it can hold"},
		{"{f: x}", `F (float32): "x" where a number belongs`},
		{"{d: 30s}", ""},
		{"{d: 30}", `D (time.Duration): "30" where a time with its unit belongs, such as 30s or 1h30m`},
		{"{d: 30 s}", `D (time.Duration): "30 s" is no time with its unit, such as 30s or 1h30m`},
		{"{list: 1}", "List ([]int8): a number where a list belongs"},
		{"{list: [1, 200, x]}", "List[1] (int8): 200 is not within -128 and 127\nList[2] (int8): \"x\" where a whole number belongs"},
		{"{map: {1: a, 0x1: b}}", "Map (map[int8]string): key 0x1 is there twice"},
		{"{map: {1: a, 1: b}}", `Map (map[int8]string): key "1" is there twice`},
		{"{map: {300: a}}", "key of conf.Settings.Map (int8): 300 is not within -128 and 127"},
		{"{map: {1: {}}}", `Map["1"] (string): a mapping where a text belongs`},
		{"{inner: {}}", "Inner.A (int8): the key a is missing; the field is at "},
		{"{inner: {a: 1, c: 2}}", `Inner (conf.Inner): unknown key "c"; there is a, b`},
		{"[1]", " (conf.Settings): a list where a mapping belongs"},
		{"{[1]: 2}", " (conf.Settings): a key is a list"},
		{"{n: 1, n: 2}", ` (conf.Settings): key "n" is there twice`},
		{"{<<: {n: 5, u: 1}, n: 6}", ""},
		{"{<<: [{n: 500}, {n: 6}]}", "N (int8): 500 is not within -128 and 127"},
	} {
		problems := &list{file: "virthook.yaml"}
		source := program(t, pkg, problems, c.yaml)
		if c.want == "" {
			assert.NoError(t, problems.problems.Err(), c.yaml)
			assert.Regexp(t, `Flag:\s+true,`, source, "the default")
			assert.Regexp(t, `B: "0600",`, source, "the default of a text is itself")
			continue
		}
		var got []string
		for _, p := range problems.problems {
			got = append(got, strings.TrimPrefix(strings.TrimPrefix(p.Text, "conf.Settings"), "."))
		}
		all := strings.Join(got, "\n")
		if strings.HasSuffix(c.want, " is at ") {
			assert.True(t, strings.HasPrefix(all, c.want), all)
			continue
		}
		assert.Equal(t, c.want, all, c.yaml)
	}
}

// The bombs of YAML: what is nested in itself ends.
func TestSettingsNestedTooDeeply(t *testing.T) {
	_, pkg, problems := handlerPackage(t, here, "type Tree struct{ Sub []Tree `yaml:\",omitempty\"` }\ntype Settings struct{ Tree Tree }\n")
	assert.NotEmpty(t, program(t, pkg, problems, "tree: {sub: [{}, {sub: []}]}"))
	assert.Empty(t, program(t, pkg, problems, "tree: "+strings.Repeat("{sub: [", 60)+strings.Repeat("]}", 60)))
	require.Len(t, problems.problems, 1)
	assert.Contains(t, problems.problems[0].Text, "nested too deeply")
}

func TestSnake(t *testing.T) {
	for name, want := range map[string]string{
		"Max": "max", "MaxMemory": "max_memory", "MaxMemoryMiB": "max_memory_mib", "MiBMax": "mib_max", "GiB": "gib",
		"HTTPServer": "http_server", "NDisks": "n_disks", "ServerHTTP": "server_http", "ID": "id", "CPUs": "cpus", "HostCPUs": "host_cpus", "CPUsOfHost": "cpus_of_host",
		"IPv6Only": "ipv6_only", "A": "a", "AB": "ab", "Numa0Node": "numa0_node", "With_Line": "with_line", "Disk2": "disk2", "Größe": "größe",
	} {
		assert.Equal(t, want, snake(name), name)
	}
}
