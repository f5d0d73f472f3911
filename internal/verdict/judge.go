package verdict

import (
	"errors"

	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/internal/version"
)

// Judge says what libvirt makes of a call whose hooks did what o says. err is what
// kept the chain from its end, as [hookexec.Chain] returns it.
func Judge(op Operation, call hookexec.Call, o hookexec.Outcome, err error) Verdict {
	var unended *hookexec.UnendedError
	if errors.As(err, &unended) {
		return Verdict{Word: Hangs, Cause: NeverEnded, Message: waitsFor(unended, o)}
	}
	if message := failure(o, err); message != "" {
		return Verdict{Word: op.refusal(), Cause: Failed, Message: message}
	}
	if !op.Filter || o.Output == nil {
		return Verdict{Word: Continues}
	}
	if cause, message := judgeOutput(op, call, o.Output); cause != NoCause {
		return Verdict{Word: op.refusal(), Cause: cause, Message: message}
	}
	return Verdict{Word: Continues, Changed: true, Tainted: true}
}

// refusal is what libvirt does when it takes the call as failed.
func (op Operation) refusal() Word {
	switch op.Effect {
	case "ignored":
		return FailureLogged
	case "killed":
		return GuestKilled
	case "forgotten":
		return GuestForgotten
	case "lost":
		return StateLost
	case "refused":
	default: // the spec does not know it
		return Refused
	}
	switch op.Op {
	case "prepare", "start", "started":
		return StartRefused
	case "port-created", "plugged":
		return PortRefused
	case "migrate":
		return MigrationRefused
	case "restore":
		return RestoreRefused
	}
	return Refused
}

// older says whether the operation is that of a libvirt before the version.
func (op Operation) older(than string) bool {
	return op.Libvirt != "" && version.Compare(op.Libvirt, than) < 0
}
