package codec

import (
	"encoding/xml"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDecodingIsThatOfEncodingXML(t *testing.T) {
	var compared, refused, left int
	for _, s := range samples(t) {
		want, err := unmarshal(s.root, s.src)
		got, report, gotErr := decoders[s.root](s.src)
		require.NoError(t, gotErr, s.name)
		left += report.Len()
		if err != nil {
			refused++
			assert.NotZero(t, report.Len(), "%s: %v", s.name, err)
			continue
		}
		compared++
		if !reflect.DeepEqual(want, got) {
			assert.Equal(t, want, got, s.name)
			if t.Failed() {
				return
			}
		}
	}
	t.Logf("%d documents equal, %d that xml.Unmarshal refuses, %d omissions", compared, refused, left)
}

func TestEncodingIsThatOfEncodingXML(t *testing.T) {
	var compared int
	for _, s := range samples(t) {
		v, _, err := decoders[s.root](s.src)
		require.NoError(t, err, s.name)
		want, err := xml.MarshalIndent(v, "", "  ")
		require.NoError(t, err, s.name)
		got, err := encodeAny(v)
		require.NoError(t, err, s.name)
		if string(want) != string(got) {
			require.Equal(t, string(want), string(got), s.name)
		}
		compared++
	}
	t.Logf("%d documents equal", compared)
}
