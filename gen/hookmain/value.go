package hookmain

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/dave/jennifer/jen"
)

// Value is a value as a Go expression for a place of its type, or of a type that it
// converts to by itself, as constants do.
type Value interface{ code() jen.Code }

// Type is how a type is written.
type Type struct {
	Path, Name string // of a named type; of a predeclared one there is no path
	Key, Elem  *Type  // map[Key]Elem, or without a key []Elem, where there is no name
}

// Const is a constant: a string, bool, int64, uint64, float32, float64 or
// [time.Duration]. A float must be finite.
type Const struct{ Value any }

// List is a slice. It is never nil in the program, even when it has no items.
type List struct {
	Type  Type
	Items []Value
}

// Map is a map. Its entries are written in the order given.
type Map struct {
	Type    Type
	Entries []Entry
}

// Entry is one entry of a map.
type Entry struct {
	Key   Const
	Value Value
}

// Struct is a struct; fields that are not named are empty in the program.
type Struct struct {
	Type   Type
	Fields []Field
}

// Field is one field of a struct.
type Field struct {
	Name  string
	Value Value
}

func (t Type) code() *jen.Statement {
	switch {
	case t.Path != "":
		return jen.Qual(t.Path, t.Name)
	case t.Name != "":
		return jen.Id(t.Name)
	case t.Key != nil:
		return jen.Map(t.Key.code()).Add(t.Elem.code())
	}
	return jen.Index().Add(t.Elem.code())
}

func (c Const) code() jen.Code {
	switch v := c.Value.(type) {
	case string:
		return jen.Lit(v)
	case bool:
		return jen.Lit(v)
	case int64: // jen.Lit would write int64(5), which is no int
		return jen.Id(strconv.FormatInt(v, 10))
	case uint64:
		return jen.Id(strconv.FormatUint(v, 10))
	case float32:
		return float(float64(v), 32)
	case float64:
		return float(v, 64)
	case time.Duration:
		return duration(v)
	}
	panic(fmt.Sprintf("hookmain: a constant cannot be a %T", c.Value))
}

func float(v float64, bits int) jen.Code {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		panic("hookmain: a constant is finite")
	}
	return jen.Id(strconv.FormatFloat(v, 'g', -1, bits))
}

// units are those of package time, largest first.
var units = []struct {
	size time.Duration
	name string
}{
	{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"},
	{time.Millisecond, "Millisecond"}, {time.Microsecond, "Microsecond"}, {time.Nanosecond, "Nanosecond"},
}

// duration is written in the largest unit that leaves no remainder.
func duration(d time.Duration) jen.Code {
	if d == 0 {
		return jen.Id("0")
	}
	for _, u := range units {
		if d%u.size == 0 {
			return jen.Id(strconv.FormatInt(int64(d/u.size), 10)).Op("*").Qual("time", u.name)
		}
	}
	return nil // a nanosecond leaves none
}

func (l List) code() jen.Code {
	items := make([]jen.Code, len(l.Items))
	simple := true
	for i, item := range l.Items {
		items[i] = item.code()
		_, constant := item.(Const)
		simple = simple && constant
	}
	if simple {
		return l.Type.code().Values(items...)
	}
	return l.Type.code().Values(lines(items)...)
}

func (m Map) code() jen.Code {
	entries := make([]jen.Code, len(m.Entries))
	for i, e := range m.Entries {
		entries[i] = jen.Add(e.Key.code()).Op(":").Add(e.Value.code())
	}
	return m.Type.code().Values(lines(entries)...)
}

func (s Struct) code() jen.Code {
	fields := make([]jen.Code, len(s.Fields))
	for i, f := range s.Fields {
		fields[i] = jen.Id(f.Name).Op(":").Add(f.Value.code())
	}
	return s.Type.code().Values(lines(fields)...)
}

// lines puts each item into a line of its own.
func lines(items []jen.Code) []jen.Code {
	if len(items) == 0 {
		return nil
	}
	var out []jen.Code
	for _, i := range items {
		out = append(out, jen.Line().Add(i))
	}
	return append(out, jen.Line())
}
