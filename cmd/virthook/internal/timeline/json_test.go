package timeline_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/cmd/virthook/internal/timeline"
	"github.com/virthook/virthook/internal/verdict"
)

// fields lists those of a type by path, with the words that docs/json.md has for their types.
func fields(t *testing.T, in reflect.Type, prefix string, to map[string]string) {
	for i := range in.NumField() {
		tag, option, _ := strings.Cut(in.Field(i).Tag.Get("json"), ",")
		require.NotEmpty(t, tag, in.Field(i).Name)
		of, path := in.Field(i).Type, prefix+tag
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		word := ""
		switch of.Kind() {
		case reflect.Struct:
			word = "object"
			fields(t, of, path+".", to)
		case reflect.Slice:
			word = "array of strings"
			if of.Elem().Kind() == reflect.Struct {
				word = "array of objects"
				fields(t, of.Elem(), path+"[].", to)
			}
		case reflect.String:
			word = "string"
		case reflect.Bool:
			word = "boolean"
		case reflect.Int, reflect.Float64:
			word = "number"
		}
		if option == "omitempty" {
			word += ", may be absent"
		}
		to[path] = word
	}
}

// TestJSONIsDocumented holds docs/json.md against what is printed.
func TestJSONIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/json.md")
	require.NoError(t, err)
	_, section, _ := strings.Cut(string(page), "<!-- replay: begin -->")
	section, _, found := strings.Cut(section, "<!-- replay: end -->")
	require.True(t, found)

	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\|").FindAllStringSubmatch(section, -1) {
		assert.NotContains(t, documented, m[1], "twice")
		documented[m[1]] = m[2]
	}
	printed := map[string]string{}
	fields(t, timeline.JSONType, "", printed)
	assert.Equal(t, printed, documented)

	for _, w := range verdict.Words() {
		assert.Contains(t, section, "`"+string(w)+"`")
	}
	for _, c := range []verdict.Cause{verdict.Failed, verdict.NotXML, verdict.WrongRoot, verdict.NotAGuest, verdict.ABIBroken, verdict.NeverEnded} {
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
