package main

import (
	"context"
	"fmt"

	"github.com/virthook/virthook/cmd/virthook/internal/xmldiff"
	"github.com/virthook/virthook/internal/hookexec"
)

// judge says why libvirt would take the call as failed; nothing: it would not.
// err is what kept the chain from its end.
func judge(ctx context.Context, o hookexec.Outcome, err error) []string {
	results := o.Results
	if err != nil && ctx.Err() != nil && len(results) > 0 {
		results = results[:len(results)-1] // err is about this one
	}
	var problems []string
	for _, r := range results {
		if r.Failed() {
			problems = append(problems, r.Path+": "+ending(r))
		}
	}
	if o.Output != nil {
		if err := xmldiff.Check(o.Output); err != nil {
			problems = append(problems, "the output is not XML: "+err.Error())
		}
	}
	if err != nil {
		problems = append(problems, err.Error())
	}
	return problems
}

// ending is how the hook ended, in libvirt's words.
func ending(r hookexec.Result) string {
	if r.Signal != 0 {
		return fmt.Sprintf("fatal signal %d (%s)", int(r.Signal), r.Signal)
	}
	return fmt.Sprintf("exit status %d", r.Status)
}
