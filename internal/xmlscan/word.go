package xmlscan

import (
	"encoding/binary"
	"math/bits"
)

// Eight bytes at a time, as one word: most names and values are no longer than that,
// and a loop over bytes costs more by the branch that ends it, which no processor
// foresees, than by what it does.
//
// In a word of flags the highest bit of a byte stands for it. Flags above the lowest
// one may be wrong, as a borrow goes that way; only the lowest is looked at.
const (
	wordSize = 8
	ones     = 0x0101010101010101
	highs    = 0x80 * ones
)

func word(src []byte, i int) uint64 { return binary.LittleEndian.Uint64(src[i:]) }

// lowest returns the index of the lowest byte that is flagged.
func lowest(flags uint64) int { return bits.TrailingZeros64(flags) / 8 }

// below flags the bytes below c, which is at most 0x80. Those beyond ASCII are none.
func below(w uint64, c uint64) uint64 { return (w - c*ones) &^ w }

// equal flags the bytes that are c, which is ASCII.
func equal(w uint64, c byte) uint64 { return below(w^uint64(c)*ones, 1) }

// letters returns where the run of letters a to z that starts at i ends, or a place
// before that near the end of src.
func letters(src []byte, i int) int {
	for i+wordSize <= len(src) {
		w := word(src, i)
		// No carries: what is beyond ASCII is flagged as it is.
		if flags := (w | (w&^highs + (0x7F-'z')*ones) | ^(w&^highs + (0x80-'a')*ones)) & highs; flags != 0 {
			return i + lowest(flags)
		}
		i += wordSize
	}
	return i
}

// plain returns where the first byte from i on is that needs to be looked at: "<",
// "&", stop, a control character, one that is not ASCII. It may return a place before
// that near the end of src.
func plain(src []byte, i int, stop byte) int {
	for i+wordSize <= len(src) {
		w := word(src, i)
		if flags := (w | below(w, ' ') | equal(w, '<') | equal(w, '&') | equal(w, stop)) & highs; flags != 0 {
			return i + lowest(flags)
		}
		i += wordSize
	}
	return i
}

// blanks returns where the run of blanks that starts at i ends, or a place before that
// near the end of src.
func blanks(src []byte, i int) int {
	for i+wordSize <= len(src) {
		if others := word(src, i) ^ ' '*ones; others != 0 {
			return i + lowest(others)
		}
		i += wordSize
	}
	return i
}
