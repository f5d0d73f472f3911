package splice

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"libvirt.org/go/libvirtxml"
)

// outcome is what became of a mutation.
type outcome int

const (
	unchanged  outcome = iota // no difference in the XML
	exact                     // applied
	refused                   // by Apply
	checked                   // refused by Check
	impossible                // refused by either, and no document at all reads as after
	outcomes
)

// marks returns what inject put into a document, outside of metadata.
func marks(src []byte) map[string]int {
	found := map[string]int{}
	n, err := parse(src)
	if err == nil {
		for c := n.root.first.element(); c != nil; c = c.next.element() {
			if string(c.name()) == "metadata" {
				src = slices.Concat(src[:c.content.From], src[c.content.To:])
				break
			}
		}
	}
	for _, m := range anyMark.FindAll(src, -1) {
		found[string(m)]++
	}
	return found
}

var anyMark = regexp.MustCompile(`mark\d+`)

// judge applies a mutation that made after of before and says what became of it,
// or what is wrong.
func judge(newDoc func() any, src, before, after []byte, m mutation) (outcome, string) {
	result, err := Apply(src, before, after, Options{})
	var refusals Refusals
	if errors.As(err, &refusals) {
		for _, r := range refusals {
			if r.Path == "" || r.Reason == "" {
				return refused, "a refusal without a path or reason"
			}
		}
		if !stable(newDoc, after) {
			return impossible, ""
		}
		return refused, ""
	}
	if err != nil {
		if _, e := parse(after); e != nil {
			return impossible, ""
		}
		return 0, "error: " + err.Error()
	}
	if bytes.Equal(before, after) {
		if result != nil {
			return 0, "no difference and yet a result"
		}
		return unchanged, ""
	}
	now := result
	if now == nil {
		now = src
	}
	if _, err := parse(now); err != nil {
		return 0, "result is not well-formed: " + err.Error()
	}
	v := newDoc()
	if err := xml.Unmarshal(now, v); err != nil {
		if !stable(newDoc, after) {
			return impossible, ""
		}
		return checked, ""
	}
	again, err := xml.MarshalIndent(v, "", "  ")
	if err != nil {
		return 0, "cannot be encoded again"
	}
	if r := Check(after, again); r != nil {
		if !stable(newDoc, after) {
			return impossible, ""
		}
		return checked, ""
	}
	return exact, lost(src, now, m)
}

// stable says whether after, decoded and encoded, is the same: no result could read
// as after otherwise.
func stable(newDoc func() any, after []byte) bool {
	v := newDoc()
	if xml.Unmarshal(after, v) != nil {
		return false
	}
	again, err := xml.MarshalIndent(v, "", "  ")
	return err == nil && bytes.Equal(again, after)
}

// lost says which of the injected things are gone that should not be.
func lost(src, result []byte, m mutation) string {
	was, is := marks(src), marks(result)
	var gone []string
	for k := range was {
		if is[k] < was[k] {
			gone = append(gone, k)
		}
		if is[k] > was[k] {
			return "there twice: " + k
		}
	}
	if len(gone) == 0 {
		return ""
	}
	slices.Sort(gone)
	if !m.deletes {
		return fmt.Sprint("lost: ", gone)
	}
	// All of them in one element, and all that was in it.
	t, err := parse(src)
	if err != nil {
		return err.Error()
	}
	at := t.root
	for next := at; next != nil; {
		at, next = next, nil
		for c := at.first.element(); c != nil; c = c.next.element() {
			if inside := anyMark.FindAllString(string(c.bytes(c.span)), -1); containsAll(inside, gone) {
				next = c
			}
		}
	}
	// Each of its children is gone with all in it, or none of it.
	for c := at.first; c != nil; c = c.next {
		var went, stayed []string
		for _, k := range anyMark.FindAllString(string(c.bytes(c.span)), -1) {
			if is[k] < was[k] {
				went = append(went, k)
			} else if was[k] > 0 {
				stayed = append(stayed, k)
			}
		}
		if len(went) > 0 && len(stayed) > 0 {
			return fmt.Sprint("lost in ", c.path(), ": ", went, " while kept: ", stayed)
		}
	}
	return ""
}

func containsAll(all, some []string) bool {
	for _, s := range some {
		if !slices.Contains(all, s) {
			return false
		}
	}
	return true
}

// kinds of document, by their root.
var kinds = map[string]func() any{
	"domain":      func() any { return new(libvirtxml.Domain) },
	"network":     func() any { return new(libvirtxml.Network) },
	"networkport": func() any { return new(libvirtxml.NetworkPort) },
}

// tryMutation injects, mutates and judges, all by one seed.
func tryMutation(newDoc func() any, src []byte, seed uint64) (m mutation, o outcome, wrong string, ok bool) {
	r := rand.New(rand.NewPCG(seed, 2))
	if r.IntN(2) > 0 {
		src = restyle(r, src)
	}
	if r.IntN(4) > 0 {
		src = inject(r, src, 1+r.IntN(25))
	}
	v := newDoc()
	if xml.Unmarshal(src, v) != nil {
		return m, 0, "", false
	}
	before, err := xml.MarshalIndent(v, "", "  ")
	if err != nil {
		return m, 0, "", false
	}
	if len(spots(reflect.ValueOf(v).Elem(), "", nil)) == 0 {
		return m, 0, "", false
	}
	m = mutate(r, reflect.ValueOf(v))
	several := r.IntN(4) == 0
	if several {
		for range 1 + r.IntN(5) {
			next := mutate(r, reflect.ValueOf(v))
			m = mutation{m.what + " and " + next.what, m.deletes || next.deletes, m.raw || next.raw}
			// Of something with little in it that goes elsewhere and is edited,
			// nobody can tell that it is not a new one.
			m.deletes = m.deletes || strings.Contains(m.what, "moved") || strings.Contains(m.what, "swapped")
		}
	}
	after, err := xml.MarshalIndent(v, "", "  ")
	if err != nil {
		return m, 0, "", false
	}
	// Another discriminator takes with it what only the one before had.
	m.deletes = m.deletes || bytes.Count(after, []byte("<")) < bytes.Count(before, []byte("<"))
	o, wrong = judge(newDoc, src, before, after, m)
	if several && m.deletes && strings.HasPrefix(wrong, "lost") {
		wrong = "" // several deletions need not be in one element
	}
	return m, o, wrong, true
}

func TestMutations(t *testing.T) {
	each := 10 // of every document; VIRTHOOK_MUTATIONS says how many else
	if n, err := strconv.Atoi(os.Getenv("VIRTHOOK_MUTATIONS")); err == nil {
		each = n
	}
	for _, root := range slices.Sorted(maps.Keys(kinds)) {
		var counts [outcomes]int
		shown, total := 0, 0
		unable := map[string]outcome{}
		for i, doc := range documents(t, root) {
			for k := range each {
				seed := uint64(i)<<20 | uint64(k)
				m, o, wrong, ok := tryMutation(kinds[root], doc.src, seed)
				if !ok {
					continue
				}
				total++
				counts[o]++
				if o == refused || o == checked {
					unable[fmt.Sprintf("%s, seed %d: %s", doc.name, seed, m.what)] = o
				}
				if wrong != "" {
					if t.Fail(); shown < 15 {
						shown++
						t.Logf("%s, seed %d: %s: %s", doc.name, seed, m.what, wrong)
					}
				}
			}
		}
		t.Logf("%s: %d mutations: %d no change, %d exact, %d refused by Apply and %d by Check, %d of no document (%.3f %% of valid edits refused)",
			root, total, counts[unchanged], counts[exact], counts[refused], counts[checked], counts[impossible],
			100*float64(counts[refused]+counts[checked])/float64(max(1, counts[exact]+counts[refused]+counts[checked])))
		// libvirtxml reads some texts by hand and overlooks them beside a comment.
		assert.Less(t, float64(counts[refused]+counts[checked]), 0.001*float64(max(1000, counts[exact])), root)
		for _, k := range slices.Sorted(maps.Keys(unable)) {
			t.Logf("%s by %s", k, map[outcome]string{refused: "Apply", checked: "Check"}[unable[k]])
		}
	}
}
