package splice

import (
	"bytes"
	"strconv"
)

// path returns where an element is, such as /domain/devices/disk[2].
func (n *node) path() string {
	if n == nil {
		return ""
	}
	name := string(n.name())
	if n.parent == nil {
		return "/" + name
	}
	index, count := 0, 0
	for c := n.parent.first.element(); c != nil; c = c.next.element() {
		if bytes.Equal(c.name(), n.name()) {
			count++
			if c == n {
				index = count
			}
		}
	}
	if count > 1 {
		name += "[" + strconv.Itoa(index) + "]"
	}
	return n.parent.path() + "/" + name
}
