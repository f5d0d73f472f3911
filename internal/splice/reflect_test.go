package splice

import (
	"math/rand/v2"
	"reflect"
)

// kind of a mutation, for what may become of things that the typed view lacks.
type mutation struct {
	what    string
	deletes bool // what was in something goes with it
	raw     bool
}

// spot is a value of the typed view that may be changed.
type spot struct {
	v    reflect.Value
	path string
}

// spots returns all of them.
func spots(v reflect.Value, path string, all []spot) []spot {
	switch v.Kind() {
	case reflect.Pointer:
		all = append(all, spot{v, path})
		if !v.IsNil() {
			all = spots(v.Elem(), path, all)
		}
	case reflect.Slice:
		all = append(all, spot{v, path})
		for i := range v.Len() {
			all = spots(v.Index(i), path+"[]", all)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Name != "XMLName" && f.IsExported() {
				all = spots(v.Field(i), path+"."+f.Name, all)
			}
		}
	default:
		if v.CanSet() {
			all = append(all, spot{v, path})
		}
	}
	return all
}

var words = []string{"", "x", "on", "7", "0x1f", "a b", "<&>'\"", "é\n\tü", " z ", "vda", "/dev/null"}

// mutate changes a random thing of a typed document, which v points to.
func mutate(r *rand.Rand, v reflect.Value) mutation {
	all := spots(v.Elem(), "", nil)
	for {
		s := all[r.IntN(len(all))]
		// Most of what there is are pointers that are nil: fewer of them.
		if s.v.Kind() == reflect.Pointer && s.v.IsNil() && r.IntN(6) > 0 {
			continue
		}
		m := mutation{what: s.path, raw: s.path == ".Metadata" || s.path == ".Metadata.XML"}
		if m.change(r, s.v) {
			return m
		}
	}
}

func (m *mutation) change(r *rand.Rand, v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		if m.raw {
			v.SetString("<m>" + []string{"", "x", "<!-- y -->"}[r.IntN(3)] + "</m>")
		} else {
			v.SetString(words[r.IntN(len(words))])
		}
		m.what += " set"
		m.deletes = v.String() == ""
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt([]int64{0, 1, 5, v.Int() + 1}[r.IntN(4)])
		m.what += " set"
		m.deletes = v.Int() == 0
	case reflect.Uint, reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint8:
		v.SetUint([]uint64{0, 1, 5, v.Uint() + 1}[r.IntN(4)])
		m.what += " set"
		m.deletes = v.Uint() == 0
	case reflect.Bool:
		v.SetBool(!v.Bool())
		m.what += " toggled"
		m.deletes = true
	case reflect.Float64:
		v.SetFloat(1.5)
		m.what += " set"
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
			fillRandom(r, v.Elem(), 3)
			m.what += " made"
			m.deletes = true // it may replace another variant
		} else {
			v.Set(reflect.Zero(v.Type()))
			m.what += " cleared"
			m.deletes = true
		}
	case reflect.Slice:
		return m.changeSlice(r, v)
	default:
		return false
	}
	return true
}

func (m *mutation) changeSlice(r *rand.Rand, v reflect.Value) bool {
	n := v.Len()
	out := reflect.MakeSlice(v.Type(), 0, n+1)
	if n == 0 {
		if r.IntN(6) > 0 {
			return false
		}
		e := reflect.New(v.Type().Elem()).Elem()
		fillRandom(r, e, 3)
		v.Set(reflect.Append(out, e))
		m.what += " begun"
		return true
	}
	i, k := r.IntN(n), r.IntN(n)
	switch r.IntN(5) {
	case 0, 1:
		out = reflect.AppendSlice(out, v.Slice(0, i))
		v.Set(reflect.AppendSlice(out, v.Slice(i+1, n)))
		m.what += " one deleted"
		m.deletes = true
	case 2:
		out = reflect.AppendSlice(out, v.Slice(0, i+1))
		v.Set(reflect.AppendSlice(out, v.Slice(i, n)))
		m.what += " one doubled"
	case 3:
		if i == k {
			return false
		}
		out = reflect.AppendSlice(out, v)
		a, b := out.Index(i).Interface(), out.Index(k).Interface()
		out.Index(i).Set(reflect.ValueOf(b))
		out.Index(k).Set(reflect.ValueOf(a))
		v.Set(out)
		m.what += " two swapped"
	case 4: // one goes elsewhere
		if i == k {
			return false
		}
		one := v.Index(i)
		rest := reflect.AppendSlice(out, v.Slice(0, i))
		rest = reflect.AppendSlice(rest, v.Slice(i+1, n))
		moved := reflect.MakeSlice(v.Type(), 0, n)
		moved = reflect.AppendSlice(moved, rest.Slice(0, k))
		moved = reflect.Append(moved, one)
		v.Set(reflect.AppendSlice(moved, rest.Slice(k, n-1)))
		m.what += " one moved"
	}
	return true
}

// fillRandom sets some of what is in a new value.
func fillRandom(r *rand.Rand, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(words[r.IntN(len(words))])
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(int64(r.IntN(9)))
	case reflect.Uint, reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint8:
		v.SetUint(uint64(r.IntN(9)))
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Name != "XMLName" && f.IsExported() && r.IntN(2) == 0 {
				fillRandom(r, v.Field(i), depth-1)
			}
		}
	case reflect.Pointer:
		if depth > 0 && r.IntN(4) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fillRandom(r, v.Elem(), depth-1)
		}
	}
}

func rng(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 2)) }
