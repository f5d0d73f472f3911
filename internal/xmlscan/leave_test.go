package xmlscan

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Leave goes where SkipElement goes, and everything after it is the same.
func TestLeave(t *testing.T) {
	const src = `<a xmlns:p="1"><b xmlns:p="2"><c/></b><d/> text<p:e/></a>`
	for _, name := range []string{"a", "b", "c", "d"} {
		var skipped, left Scanner
		for _, s := range []*Scanner{&skipped, &left} {
			s.Reset([]byte(src))
			for string(s.Bytes(s.Name())) != name {
				_, err := s.Next()
				require.NoError(t, err)
			}
		}
		require.NoError(t, skipped.SkipElement())
		left.Leave(skipped.Span().To)
		assert.Equal(t, skipped.Depth(), left.Depth(), name)
		for {
			want, wantErr := skipped.Next()
			kind, err := left.Next()
			require.Equal(t, wantErr, err, name)
			require.Equal(t, want, kind, name)
			assert.Equal(t, skipped.Span(), left.Span(), name)
			assert.Equal(t, skipped.Name(), left.Name(), name)
			wantSpace, _ := skipped.Space([]byte("p"))
			space, _ := left.Space([]byte("p"))
			assert.Equal(t, string(wantSpace), string(space), name)
			if kind == EOF {
				break
			}
		}
	}
}
