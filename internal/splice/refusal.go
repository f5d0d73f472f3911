package splice

import "strings"

// Refusal says why an edit is not carried over. Neither field has values of
// attributes or texts in it, which may be secret.
type Refusal struct {
	Path   string // e.g. /domain/devices/disk[2]/@type; an index where there are several
	Reason string
}

// Error returns "path: reason".
func (r Refusal) Error() string { return r.Path + ": " + r.Reason }

// Refusals are all reasons why nothing is written.
type Refusals []Refusal

// Error returns the refusals, one after the other.
func (r Refusals) Error() string {
	all := make([]string, len(r))
	for i := range r {
		all[i] = r[i].Error()
	}
	return strings.Join(all, "; ")
}

// The reasons.
const (
	reasonSeveral   = "the document has several of these, the typed view only one"
	reasonLeftOut   = "the document has something there that the typed view could not make sense of"
	reasonForeign   = "the document has an attribute of that name in a foreign namespace"
	reasonDiffers   = "the result reads differently"
	reasonMissing   = "the result lacks it"
	reasonUnexpect  = "the result has it unexpectedly"
	reasonNumbers   = "the result has another number of these"
	reasonNotParsed = "the result cannot be compared"
)
