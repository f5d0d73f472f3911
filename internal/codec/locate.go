package codec

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/virthook/virthook/internal/xmlscan"
)

// node is an element around an omission.
type node struct {
	parent  *node
	name    string
	index   int  // among its siblings of that name, from 1
	several *int // how many of those there are
	names   map[string]*int
}

func (n *node) path() string {
	if n == nil {
		return ""
	}
	path := n.parent.path() + "/" + n.name
	if *n.several > 1 {
		path += "[" + strconv.Itoa(n.index) + "]"
	}
	return path
}

// isSecret says whether something in this element may be secret.
func (n *node) isSecret() bool {
	for ; n != nil; n = n.parent {
		if secretName(n.name) {
			return true
		}
	}
	return false
}

// secretName says whether the value of an attribute or element may be secret. It
// errs on the safe side.
func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"passw", "secret", "passphrase", "cookie", "token", "encryption", "auth"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// locate reads the document again to give each finding its path. Only who asks
// for omissions pays for it.
func locate(src []byte, found []finding) []Omission {
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b finding) int { return cmp.Compare(a.span.From, b.span.From) })
	list := make([]Omission, len(found))
	at := make([]*node, len(found)) // the element of each

	var s xmlscan.Scanner
	s.Reset(src)
	top := &node{names: map[string]*int{}}
	current := top
	var open []int // findings that are elements and not closed yet
	next := 0
	for next < len(found) || len(open) > 0 {
		kind, err := s.Next()
		if err != nil || kind == xmlscan.EOF {
			break
		}
		if kind == xmlscan.Start {
			current = current.child(string(s.Bytes(s.Name())))
		}
		for next < len(found) && found[next].span.From < s.Span().To {
			f := found[next]
			list[next] = Omission{Span: f.span, Reason: f.reason}
			at[next] = current
			if f.kind == element {
				open = append(open, next)
			}
			next++
		}
		if kind == xmlscan.End {
			for len(open) > 0 && at[open[len(open)-1]] == current {
				list[open[len(open)-1]].Span.To = s.Span().To
				open = open[:len(open)-1]
			}
			current = current.parent
		}
	}
	for i, f := range found {
		list[i].Path, list[i].Value = describe(src, f, at[i])
	}
	return list
}

// child returns the node of a child element that begins.
func (n *node) child(name string) *node {
	if n.names == nil {
		n.names = map[string]*int{}
	}
	count := n.names[name]
	if count == nil {
		count = new(int)
		n.names[name] = count
	}
	*count++
	c := &node{parent: n, name: name, index: *count, several: count}
	if n.name == "" && n.parent == nil {
		c.parent = nil // the root element has no index
	}
	return c
}

// describe returns the path of a finding in an element, and its value.
func describe(src []byte, f finding, at *node) (path, value string) {
	path = at.path()
	secret := at.isSecret()
	switch f.kind {
	case attribute:
		path += "/@" + f.name
		raw := src[f.span.From:f.span.To]
		if quote := strings.IndexAny(string(raw), `'"`); quote >= 0 {
			value = string(xmlscan.AppendAttr(nil, raw[quote+1:len(raw)-1]))
		}
		secret = secret || secretName(f.name)
	case missingAttribute:
		return path + "/@" + f.name, ""
	case characters:
		path += "/text()"
		value = strings.TrimSpace(string(xmlscan.AppendText(nil, src[f.span.From:f.span.To])))
	}
	if secret && value != "" {
		value = "…"
	}
	return path, value
}
