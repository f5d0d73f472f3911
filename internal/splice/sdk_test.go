package splice_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/internal/codec"
	"github.com/virthook/virthook/internal/splice"
	"github.com/virthook/virthook/sdk"
)

// TestFilters makes every typed edit in a filter, through sdk.Run, and compares
// what libvirt would get with the oracle, byte order and comments included. Beside
// it stands what a filter that decodes, edits and encodes with libvirtxml keeps;
// of that only the content is held against it, not its form.
func TestFilters(t *testing.T) {
	for name, unknown := range map[string]bool{"as libvirt wrote them": false, "with what nobody knows in them": true} {
		t.Run(name, func(t *testing.T) {
			edits, exact, roundTrip := 0, 0, 0
			for e := range splice.Edits(t, unknown) {
				applies := false
				var stdout, stderr bytes.Buffer
				status := sdk.Run(context.Background(), []string{"hooks/qemu", "g", "migrate", "begin", "-"},
					bytes.NewReader(e.Src), &stdout, &stderr, sdk.CheckABI(false),
					sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
						applies = e.Make(d)
						return d, nil
					}))
				if !applies {
					continue
				}
				edits++
				want, content := e.Oracle()
				out := stdout.Bytes()
				if len(out) == 0 {
					out = e.Src
				}
				got, err := splice.Plain(out)
				if assert.NoError(t, err) && assert.Zero(t, status, "%s: %s: %s", e.Doc, e.Name, &stderr) &&
					assert.Equal(t, want, got, "%s: %s", e.Doc, e.Name) {
					exact++
				}
				if keepsContent(t, e, content) {
					roundTrip++
				}
			}
			t.Logf("%d edits: %d exact (%.2f %%); a round trip through libvirtxml keeps the content in %d (%.1f %%)",
				edits, exact, 100*float64(exact)/float64(edits), roundTrip, 100*float64(roundTrip)/float64(edits))
		})
	}
}

// keepsContent says whether decoding, editing and encoding with libvirtxml gives a
// document with the content that the oracle wants.
func keepsContent(t *testing.T, e splice.Edit, want string) bool {
	var d libvirtxml.Domain
	if d.Unmarshal(string(e.Src)) != nil || !e.Make(&d) {
		return false
	}
	out, err := d.Marshal()
	require.NoError(t, err)
	got, err := splice.Content([]byte(out))
	require.NoError(t, err)
	return got == want
}

// TestRandomFilters makes random edits of the typed document in a filter. Each is
// made exactly, has no effect on the XML, or is refused by its path.
func TestRandomFilters(t *testing.T) {
	exact, none, refused, impossible := 0, 0, 0, 0
	for i, src := range splice.Domains(t) {
		for j := range 10 {
			var before, after []byte
			var stdout, stderr bytes.Buffer
			status := sdk.Run(context.Background(), []string{"hooks/qemu", "g", "migrate", "begin", "-"},
				bytes.NewReader(src), &stdout, &stderr, sdk.CheckABI(false),
				sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
					before, _ = codec.EncodeDomain(d)
					splice.Mutate(uint64(i*10+j), d)
					after, _ = codec.EncodeDomain(d)
					return d, nil
				}))
			switch {
			case status == 0 && stdout.Len() > 0:
				require.Equal(t, string(after), written(stdout.Bytes()))
				exact++
			case status == 0:
				require.Equal(t, string(before), string(after))
				none++
			default:
				require.Empty(t, stdout.String())
				require.Contains(t, stderr.String(), "/domain")
				if written(after) != string(after) {
					impossible++
				} else {
					refused++
				}
			}
		}
	}
	t.Logf("%d edits: %d exact, %d without effect, %d that no XML reads as, %d others refused",
		exact+none+impossible+refused, exact, none, impossible, refused)
	assert.LessOrEqual(t, 1000*refused, exact+none+refused, "refusals of valid edits")
}

// written is a document decoded and encoded, "" where it cannot be.
func written(src []byte) string {
	d, _, err := codec.DecodeDomain(src)
	if err != nil {
		return ""
	}
	out, err := codec.EncodeDomain(d)
	if err != nil {
		return ""
	}
	return string(out)
}

// FuzzFilter gives a filter any bytes for a domain and has it make any edits. What
// libvirt would get says what the handler left, or it gets nothing and a reason.
func FuzzFilter(f *testing.F) {
	for i, c := range captures.All() {
		if c.Driver == "qemu" {
			f.Add(c.XML, uint64(i))
		}
	}
	f.Fuzz(func(t *testing.T, input []byte, seed uint64) {
		var before, after []byte
		var stdout, stderr bytes.Buffer
		status := sdk.Run(context.Background(), []string{"hooks/qemu", "g", "migrate", "begin", "-"},
			bytes.NewReader(input), &stdout, &stderr, sdk.CheckABI(false),
			sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
				before, _ = codec.EncodeDomain(d)
				splice.Mutate(seed, d)
				after, _ = codec.EncodeDomain(d)
				return d, nil
			}))
		switch {
		case status == 1:
			assert.Empty(t, stdout.String())
			assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), "%q", &stderr)
			assert.False(t, strings.HasPrefix(stderr.String(), "panic: "), "%q", &stderr)
		case stdout.Len() == 0:
			assert.Zero(t, status)
			assert.Equal(t, string(before), string(after))
		default:
			assert.Zero(t, status)
			d, _, err := codec.DecodeDomain(stdout.Bytes())
			require.NoError(t, err)
			got, err := codec.EncodeDomain(d)
			require.NoError(t, err)
			assert.Equal(t, string(after), string(got))
		}
	})
}
