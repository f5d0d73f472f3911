package main

import (
	"fmt"

	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/internal/verdict"
	"github.com/virthook/virthook/spec"
)

// operationOf is what the verdict on an operation depends on, as the given libvirt
// has it; "" is the newest. o is nil when the spec does not know the operation.
func operationOf(o *spec.Op, driver, op, subOp string, v spec.Version) verdict.Operation {
	of := verdict.Operation{Driver: driver, Op: op, SubOp: subOp, Libvirt: string(v)}
	if o != nil {
		of.Effect = o.FailureAt(v).Effect
		of.Filter = o.Filters()
		of.ABICheck = o.ABICheck
	}
	return of
}

// ending is how the hook ended, in libvirt's words.
func ending(r hookexec.Result) string {
	if r.Signal != 0 {
		return fmt.Sprintf("fatal signal %d (%s)", int(r.Signal), r.Signal)
	}
	return fmt.Sprintf("exit status %d", r.Status)
}
