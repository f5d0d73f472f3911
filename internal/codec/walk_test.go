package codec

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"
)

func compareAny(src []byte, v any) ([]Visit, error) {
	switch v := v.(type) {
	case *libvirtxml.Domain:
		return CompareDomain(src, v)
	case *libvirtxml.Network:
		return CompareNetwork(src, v)
	}
	return CompareNetworkPort(src, v.(*libvirtxml.NetworkPort))
}

func walkAny(src []byte, v any, visit func(Visit)) error {
	switch v := v.(type) {
	case *libvirtxml.Domain:
		return WalkDomain(src, v, visit)
	case *libvirtxml.Network:
		return WalkNetwork(src, v, visit)
	}
	return WalkNetworkPort(src, v.(*libvirtxml.NetworkPort), visit)
}

func TestUntouchedDocumentsDoNotDiffer(t *testing.T) {
	var leaves, documents int
	for _, s := range samples(t) {
		v, _, err := decoders[s.root](s.src)
		require.NoError(t, err, s.name)
		err = walkAny(s.src, v, func(v Visit) {
			if leaves++; v.Change != Same {
				t.Errorf("%s: %+v", s.name, v)
			}
		})
		require.NoError(t, err, s.name)
		visits, err := compareAny(s.src, v)
		require.NoError(t, err, s.name)
		require.Empty(t, visits, s.name)
		if documents++; t.Failed() {
			return
		}
	}
	t.Logf("%d documents, %d places visited, 0 differ", documents, leaves)
}

// apply makes a document what visits say, as simply as that can be.
func apply(src []byte, visits []Visit) []byte {
	type edit struct {
		from, to int
		with     string
	}
	var edits []edit
	for _, v := range visits {
		e := edit{v.Span.From, v.Span.To, v.New}
		switch {
		case v.Change == Moved:
			edits = append(edits, edit{v.To, v.To, string(src[v.Span.From:v.Span.To])})
			e.with = ""
		case v.Element, v.Raw:
		case v.Name != "" && v.Change == Added:
			e.with = " " + v.Name + `="` + escape(v.New) + `"`
		case v.Name != "" && v.Change == Removed:
			e.with = ""
		default:
			e.with = escape(v.New)
		}
		edits = append(edits, e)
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var out []byte
	at := 0
	for k := 0; k < len(edits); k++ {
		e := edits[k]
		if e.from < at {
			continue // inside of what went
		}
		out = append(out, src[at:e.from]...)
		at = e.to
		if string(src[e.from:e.to]) == "/>" {
			// The first content of an element; all that comes there.
			out = append(out, '>')
			for ; k < len(edits) && edits[k].from == e.from; k++ {
				out = append(out, edits[k].with...)
			}
			k--
			tag := src[bytes.LastIndexByte(src[:e.from], '<')+1 : e.from]
			name, _, _ := strings.Cut(strings.Map(func(r rune) rune {
				if strings.ContainsRune(" \n\t\r/>", r) {
					return ' '
				}
				return r
			}, string(tag)), " ")
			out = append(out, "</"+name+">"...)
			continue
		}
		out = append(out, e.with...)
	}
	return append(out, src[at:]...)
}

func escape(s string) string { return string(appendEscaped(nil, s, true)) }

// leaves calls visit for every string and number in a typed value.
func leavesOf(v reflect.Value, visit func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			leavesOf(v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			leavesOf(v.Index(i), visit)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[xml.Name]() {
			return
		}
		for i := range v.NumField() {
			switch {
			case v.Type() == reflect.TypeFor[libvirtxml.DomainDeviceList]() && v.Type().Field(i).Name == "IOMMU":
				continue // IOMMUs has it
			case v.Type().Field(i).Tag.Get("xml") == ",innerxml":
				continue // XML, and not any string
			}
			leavesOf(v.Field(i), visit)
		}
	default:
		visit(v)
	}
}

func change(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "<&x")
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	default:
		v.SetUint(v.Uint() + 1)
	}
}

// changeEvery is how many of the strings and numbers of the corpus are changed: one
// of so many.
const changeEvery = 5

func TestEveryChangeIsThatOfOneSpan(t *testing.T) {
	var changes, without, several, all int
	for _, s := range samples(t) {
		v, _, err := decoders[s.root](s.src)
		require.NoError(t, err, s.name)
		before, err := encodeAny(v)
		require.NoError(t, err, s.name)
		var list []reflect.Value
		leavesOf(reflect.ValueOf(v), func(l reflect.Value) {
			if all++; all%changeEvery == 0 {
				list = append(list, l)
			}
		})
		for _, l := range list {
			old := reflect.New(l.Type()).Elem()
			old.Set(l)
			change(l)
			now := l.Interface()
			visits, err := compareAny(s.src, v)
			require.NoError(t, err, s.name)
			after, err := encodeAny(v)
			require.NoError(t, err, s.name)
			switch {
			case string(before) == string(after):
				// libvirtxml does not write it.
				without++
			case len(visits) > 0 && !visits[0].Element && !slices.ContainsFunc(visits[1:], func(v Visit) bool { return !v.Rest }) && format2(now) == number2(visits[0].New):
				changes++
			case len(visits) == 1 && visits[0].Element && visits[0].Change == Added && old.IsZero():
				changes++
			default:
				several++
				if several < 400 && testing.Verbose() && len(visits) == 0 {
					t.Logf("%s: %v: %+v", s.name, now, visits)
				}
			}
			if string(before) != string(after) {
				if len(visits) == 0 {
					t.Errorf("%s: nothing differs after %v became %v", s.name, old, now)
				}
				checkApplied(t, s, visits, after)
			}
			l.Set(old)
			if t.Failed() {
				t.Fatalf("%s: %v became %v: %+v", s.name, old, now, visits)
			}
		}
	}
	t.Logf("%d of %d strings and numbers changed: exactly one span each; %d that libvirtxml does not write; %d that also say which variant it is",
		changes, all, without, several)
}

func format2(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return format(v)
	case int64:
		return format(v)
	case uint:
		return format(v)
	}
	return format(v.(uint64))
}

func number2(s string) string {
	if n, ok := based(s, 0); ok && strings.HasPrefix(s, "0x") {
		return format(n)
	}
	return s
}

// checkApplied applies visits and says whether decoding then gives what was wanted.
func checkApplied(t *testing.T, s sample, visits []Visit, want []byte) {
	t.Helper()
	if again, _, err := decoders[s.root](want); err != nil {
		return
	} else if twice, err := encodeAny(again); err != nil || string(twice) != string(want) {
		return // libvirtxml does not read what it writes
	}
	src := apply(s.src, visits)
	v, _, err := decoders[s.root](src)
	require.NoError(t, err, "%s\n%s\n%+v", s.name, src, visits)
	got, err := encodeAny(v)
	require.NoError(t, err)
	if string(got) != string(want) {
		assert.Equal(t, strings.Split(string(want), "\n"), strings.Split(string(got), "\n"), "%s: %+v\n%s", s.name, visits, src)
	}
}

// TestRandomEdits makes a typed value another one's, in part, and applies what the
// walk says.
const randomEdits = 20_000

func TestRandomEdits(t *testing.T) {
	all := samples(t)
	all = slices.DeleteFunc(all, func(s sample) bool { return len(s.src) > 20_000 })
	r := rand.New(rand.NewPCG(3, 4))
	var edits, without, ambiguous int
	for range randomEdits {
		s := all[r.IntN(len(all))]
		v, _, err := decoders[s.root](s.src)
		require.NoError(t, err)
		before, err := encodeAny(v)
		require.NoError(t, err)
		what := disturb(r, reflect.ValueOf(v).Elem())
		after, err := encodeAny(v)
		if err != nil {
			continue
		}
		visits, err := compareAny(s.src, v)
		require.NoError(t, err)
		switch {
		case slices.ContainsFunc(visits, func(v Visit) bool { return v.Ambiguous }):
			ambiguous++
		case string(before) == string(after):
			without++
		default:
			edits++
			checkApplied(t, s, visits, after)
		}
		if t.Failed() {
			t.Fatalf("%s: %s", s.name, what)
		}
	}
	t.Logf("%d edits as wanted, %d that libvirtxml does not write, %d ambiguous", edits, without, ambiguous)
}

// disturb removes, adds, swaps or replaces something at random.
func disturb(r *rand.Rand, v reflect.Value) string {
	type place struct {
		v    reflect.Value
		name string
	}
	var places []place
	var collect func(v reflect.Value, name string)
	collect = func(v reflect.Value, name string) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				collect(v.Elem(), name)
			}
			places = append(places, place{v, name})
		case reflect.Slice:
			for i := range v.Len() {
				collect(v.Index(i), name)
			}
			places = append(places, place{v, name})
		case reflect.Struct:
			if v.Type() != reflect.TypeFor[xml.Name]() {
				for i := range v.NumField() {
					if f := v.Type().Field(i); f.Name != "IOMMU" {
						collect(v.Field(i), name+"."+f.Name)
					}
				}
			}
		}
	}
	collect(v, "")
	for range 50 {
		p := places[r.IntN(len(places))]
		switch kind := r.IntN(6); {
		case p.v.Kind() == reflect.Pointer && kind < 3:
			if p.v.IsNil() {
				fresh := reflect.New(p.v.Type().Elem())
				fill(r, fresh.Elem(), 3)
				p.v.Set(fresh)
				return "new " + p.name
			}
			p.v.SetZero()
			return "nil " + p.name
		case p.v.Kind() != reflect.Slice:
		case kind == 3 && p.v.Len() > 0:
			i := r.IntN(p.v.Len())
			list := reflect.AppendSlice(reflect.MakeSlice(p.v.Type(), 0, 0), p.v.Slice(0, i))
			p.v.Set(reflect.AppendSlice(list, p.v.Slice(i+1, p.v.Len())))
			return "delete " + p.name
		case kind == 4:
			i := r.IntN(p.v.Len() + 1)
			one := reflect.New(p.v.Type().Elem()).Elem()
			fill(r, one, 3)
			list := reflect.AppendSlice(reflect.MakeSlice(p.v.Type(), 0, 0), p.v.Slice(0, i))
			p.v.Set(reflect.AppendSlice(reflect.Append(list, one), p.v.Slice(i, p.v.Len())))
			return "insert " + p.name
		case p.v.Len() > 1:
			i, j := r.IntN(p.v.Len()), r.IntN(p.v.Len())
			reflect.Swapper(p.v.Interface())(i, j)
			return "swap " + p.name
		}
	}
	return "nothing"
}
