package timeline_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/cmd/virthook/internal/jsondoc"
	"github.com/virthook/virthook/cmd/virthook/internal/timeline"
	"github.com/virthook/virthook/internal/verdict"
)

// TestJSONIsDocumented holds docs/json.md against what is printed.
func TestJSONIsDocumented(t *testing.T) {
	section, err := jsondoc.Check("../../../../docs/json.md", "replay", timeline.JSONType)
	assert.NoError(t, err)
	for _, w := range verdict.Words() {
		assert.Contains(t, section, "`"+string(w)+"`")
	}
	for _, c := range verdict.Causes() {
		assert.Contains(t, section, "`"+string(c)+"`")
	}
}

func TestJSON(t *testing.T) {
	for name, sample := range samples() {
		var b bytes.Buffer
		require.NoError(t, sample.JSON(&b))
		assert.NotContains(t, b.String(), "null", "%s: a list is a list, also when it is empty", name)
		assert.Equal(t, 1, bytes.Count(b.Bytes(), []byte(`"version": 1`)), name)
		assert.True(t, json.Valid(b.Bytes()), name)
	}
	var b bytes.Buffer
	require.NoError(t, leaked().JSON(&b))
	var got struct {
		OK    bool
		Steps []struct {
			Events []struct {
				OK      bool
				AtMS    float64 `json:"at_ms"`
				Verdict struct{ Word, Cause string }
				Calls   []struct {
					DurationMS float64 `json:"duration_ms"`
					ExitedMS   float64 `json:"exited_ms"`
					Slow       bool
					Left       []struct {
						PID            int
						Command, Holds string
					}
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	assert.False(t, got.OK)
	e := got.Steps[0].Events[2]
	assert.True(t, e.OK)
	assert.InDelta(t, 7.22, e.AtMS, 0)
	assert.InDelta(t, 12400, e.Calls[0].DurationMS, 0)
	assert.InDelta(t, 6, e.Calls[0].ExitedMS, 0)
	assert.True(t, e.Calls[0].Slow)
	assert.Equal(t, "sleep 12", e.Calls[0].Left[0].Command)
	assert.Equal(t, 4242, e.Calls[0].Left[0].PID)
	assert.False(t, got.Steps[1].Events[1].OK)
	assert.Equal(t, "libvirt hangs", got.Steps[1].Events[1].Verdict.Word)

	b.Reset()
	require.NoError(t, daemonRestart().JSON(&b))
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	assert.True(t, got.Steps[0].Events[0].OK, "the failure is only logged")
}
