package xmlscan

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// What looks at eight bytes at once stops where a loop over bytes does, or before that
// within eight bytes of the end.
func TestWords(t *testing.T) {
	loop := func(src []byte, i int, passes func(byte) bool) int {
		for i < len(src) && passes(src[i]) {
			i++
		}
		return i
	}
	// Next to each other in value, so that borrows and carries would show.
	const bytes = "`az{'\"&%'<;= !\x1F\x00\x01\x7F\x80\x81\xFF\xE1\t\nkm"
	r := rand.New(rand.NewPCG(1, 2))
	src := make([]byte, 40)
	for range 200_000 {
		most := bytes[r.IntN(len(bytes))]
		for i := range src {
			if src[i] = most; r.IntN(6) == 0 {
				src[i] = bytes[r.IntN(len(bytes))]
			}
		}
		from := r.IntN(len(src) + 1)
		quote := `'"]`[r.IntN(3)]
		for name, x := range map[string][2]int{
			"letters": {letters(src, from), loop(src, from, func(c byte) bool { return c >= 'a' && c <= 'z' })},
			"blanks":  {blanks(src, from), loop(src, from, func(c byte) bool { return c == ' ' })},
			"plain": {plain(src, from, quote), loop(src, from, func(c byte) bool {
				return c >= ' ' && c < 0x80 && c != '<' && c != '&' && c != quote
			})},
		} {
			got, want := x[0], x[1]
			if got != want {
				require.Less(t, got, want, "%s of %q from %d", name, src, from)
				require.Greater(t, got, len(src)-wordSize, "%s of %q from %d", name, src, from)
			}
		}
	}
}
