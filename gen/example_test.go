package gen_test

import (
	"go/ast"
	"go/format"
	"go/parser"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/gen"
	"github.com/virthook/virthook/spec"
)

const exampleFile = "example.gen_test.go"

// Every operation has an example of a size that people read, and it imports just what it uses.
func TestEveryOperationHasAnExample(t *testing.T) {
	s := builtin(t)
	packages := map[string]bool{} // of all examples, which are compiled together
	for o := range s.All() {
		if o.Example != nil {
			for _, name := range o.Example.Imports {
				packages[path.Base(name)] = true
			}
		}
	}
	codes := map[string]string{}
	for o := range s.All() {
		require.NotNil(t, o.Example, o.ID())
		lines := strings.Count(strings.TrimSpace(o.Example.Code), "\n") + 1
		assert.True(t, 3 <= lines && lines <= 14, "%s: %d lines", o.ID(), lines)
		assert.Regexp(t, `(^|\n)exit status \d.*\n$`, o.Example.Prints, o.ID())
		assert.Empty(t, codes[o.Example.Code], "%s has the same", o.ID())
		codes[o.Example.Code] = o.ID()

		expr, err := parser.ParseExpr(gen.HandlerLiteral(s, o, "sdk"))
		require.NoError(t, err, o.ID())
		used := map[string]bool{}
		ast.Inspect(expr, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && packages[x.Name] {
					used[x.Name] = true
				}
			}
			return true
		})
		imported := map[string]bool{}
		for _, name := range o.Example.Imports {
			imported[path.Base(name)] = true
		}
		assert.Equal(t, slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(imported)), o.ID())
		assert.True(t, slices.IsSorted(o.Example.Imports), "%s: the imports are not sorted", o.ID())
	}
}

func TestHandler(t *testing.T) {
	s := builtin(t)
	for id, want := range map[string]string{
		"qemu/prepare":         "sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error)",
		"qemu/release":         "sdk.OnQemuReleaseEnd(func(*libvirtxml.Domain, sdk.ShutoffReason) error)",
		"libxl/migrate":        "sdk.OnLibxlMigrateBegin(func(*libvirtxml.Domain) (*libvirtxml.Domain, error))",
		"network/updated":      "sdk.OnNetworkUpdatedBegin(func(*libvirtxml.Network) error)",
		"network/port-created": "sdk.OnNetworkPortCreatedBegin(func(*libvirtxml.Network, *libvirtxml.NetworkPort) error)",
		"daemon/start":         "sdk.OnDaemonStart(func() error)",
	} {
		driver, op, _ := strings.Cut(id, "/")
		assert.Equal(t, want, gen.Handler(s, s.Driver(driver).Find(op)[0], "sdk"))
	}
}

func TestHandlerLiteral(t *testing.T) {
	own := ownSpec(t)
	o := own.Driver("qemu").Find("hibernate")[0]
	assert.Equal(t, `hookssdk.OnQemuHibernateBegin(func(d *libvirtxml.Domain, depth hookssdk.SleepDepth) (*libvirtxml.Domain, error) {
	return d, nil
})`, gen.HandlerLiteral(own, o, "hookssdk"))
	o.Extra.Name = "sleep-depth"
	assert.Contains(t, gen.HandlerLiteral(own, o, "hookssdk"), "sleepDepth hookssdk.SleepDepth)")
	o.Extra.Name = "type"
	assert.Contains(t, gen.HandlerLiteral(own, o, "hookssdk"), "type_ hookssdk.SleepDepth)")
	assert.Equal(t, "hookssdk.OnGpuLend(func() error {\n\treturn nil\n})", gen.HandlerLiteral(own, own.Driver("gpu").Find("lend")[0], "hookssdk"))

	s := builtin(t)
	o = s.Driver("network").Find("port-deleted")[0]
	o.Example = &spec.Example{Code: "if p==nil { // odd\n   return nil }\n\nreturn `a\n  b`\n"}
	assert.Equal(t, "sdk.OnNetworkPortDeletedBegin(func(n *libvirtxml.Network, p *libvirtxml.NetworkPort) error {\n"+
		"\tif p == nil { // odd\n\t\treturn nil\n\t}\n\n\treturn `a\n  b`\n})", gen.HandlerLiteral(s, o, "sdk"))
}

// The examples of the spec are Go examples, of this module's SDK alone.
func TestExamplesAreRendered(t *testing.T) {
	s := builtin(t)
	o := s.Driver("lxc").Find("release")[0]
	o.Example = &spec.Example{
		Summary: "tells zebras apart",
		Imports: []string{"example.com/zoo", "maps"},
		Code:    "return zoo.Ask(maps.Keys(zoo.Herd), reason != sdk.ShutoffReasonFromSnapshot, sdk.ShutoffReasonDaemon)\n",
		Prints:  "striped\n\nexit status 0\n",
		Extra:   "from snapshot",
	}
	files := render(t, s, sdkPath)
	text := string(files[exampleFile])
	assert.Contains(t, text, `
// Tells zebras apart.
func ExampleOnLxcReleaseEnd() {
	hook := sdk.OnLxcReleaseEnd(func(d *libvirtxml.Domain, reason sdk.ShutoffReason) error {
		return zoo.Ask(maps.Keys(zoo.Herd), reason != sdk.ShutoffReasonFromSnapshot, sdk.ShutoffReasonDaemon)
	})
	fire(hook, hooktest.LxcReleaseEnd(sdk.ShutoffReasonFromSnapshot))
	// Output:
	// striped
	//
	// exit status 0
}
`)
	assert.Contains(t, text, "\t\"maps\"\n")
	assert.Contains(t, text, "\n\n\t\"example.com/zoo\"\n\t\"github.com/virthook/virthook/sdk\"\n")
	for o := range s.All() {
		assert.Contains(t, text, "\nfunc ExampleOn"+o.GoName()+"() {\n")
	}
	formatted, err := format.Source(files[exampleFile])
	require.NoError(t, err)
	assert.Equal(t, string(formatted), text)

	// Without a word of the enum it is the first.
	o.Example.Extra = ""
	assert.Contains(t, string(render(t, s, sdkPath)[exampleFile]), "hooktest.LxcReleaseEnd(sdk.ShutoffReasonUnknown))")

	assert.NotContains(t, render(t, s, "example.com/own/sdk"), exampleFile)
	for o := range s.All() {
		o.Example = nil
	}
	assert.NotContains(t, render(t, s, sdkPath), exampleFile)
}

func TestRenderRefusesExamples(t *testing.T) {
	for code, want := range map[string]string{
		"x := 1\nreturn x +\n": "operation qemu/start/begin: line 2 of its example: expected operand, found '}'",
		"return nil }":         "operation qemu/start/begin: line 1 of its example: ",
		"return nil\n})\nsdk.Main(func() {\nreturn nil": "operation qemu/start/begin: line 3 of its example: ",
		"return 'x": "operation qemu/start/begin: line 1 of its example: ",
	} {
		s := builtin(t)
		s.Driver("qemu").Find("start")[0].Example.Code = code
		_, err := gen.Render(s, gen.Options{ImportPath: "example.com/own/sdk"})
		if assert.Error(t, err, code) {
			assert.Contains(t, err.Error(), want)
			assert.NotContains(t, err.Error(), "\n")
		}
	}
}
