package xmlscan

// compareAll is up to how many attributes every pair is compared: no element of
// libvirt has more. A table keeps a million from being quadratic.
const compareAll = 16

// duplicate returns the index of the first attribute whose name was given before
// in the tag, -1 if there is none.
func (s *Scanner) duplicate() int {
	if len(s.attrs) > compareAll {
		return s.duplicateOfMany()
	}
	for i := 1; i < len(s.attrs); i++ {
		name := s.attrs[i].Name
		for j := range i {
			if s.sameText(name, s.attrs[j].Name) {
				return i
			}
		}
	}
	return -1
}

// duplicateOfMany is duplicate with a hash table of the names.
func (s *Scanner) duplicateOfMany() int {
	size := 4 * compareAll
	for size < 2*len(s.attrs) {
		size *= 2
	}
	if cap(s.table) < size {
		s.table = make([]int, size)
	}
	table := s.table[:size] // of 1 + the index of an attribute, 0 where none is
	clear(table)
	for i := range s.attrs {
		name := s.attrs[i].Name
		slot := s.hasher.sum(s.Bytes(name)) % uint64(size)
		for table[slot] > 0 {
			if s.sameText(name, s.attrs[table[slot]-1].Name) {
				return i
			}
			slot = (slot + 1) % uint64(size)
		}
		table[slot] = 1 + i
	}
	return -1
}

func (s *Scanner) sameText(a, b Span) bool {
	return a.To-a.From == b.To-b.From && string(s.src[a.From:a.To]) == string(s.src[b.From:b.To])
}
