package callctx

import "context"

// StandIn is what a test puts in the place of the system.
type StandIn struct {
	// Command, if set, answers commands, which are then not run.
	Command func(Command) Answer

	// Folder, if set, is where the folder of a kind is instead of the system's.
	Folder func(Kind) (string, error)
}

// Kind is what a folder is for.
type Kind string

// The kinds of folder.
const (
	State   Kind = "state" // what must outlive a reboot
	Runtime Kind = "run"   // what need not
)

// Command is a command that a handler wants to run.
type Command struct {
	Name     string
	Args     []string
	Stdin    []byte
	Env      []string
	Dir      string
	Detached bool // nobody waits for it
}

// Answer is what a command came to.
type Answer struct {
	Stdout, Stderr string
	Status         int
	Err            error // why it was not started; nil otherwise
}

type standInKey struct{}

// WithStandIn returns a context in which the helper packages turn to s.
func WithStandIn(ctx context.Context, s *StandIn) context.Context {
	return context.WithValue(ctx, standInKey{}, s)
}

// CommandIn is the StandIn's Command, nil without one.
func CommandIn(ctx context.Context) func(Command) Answer {
	if s, ok := ctx.Value(standInKey{}).(*StandIn); ok && s != nil {
		return s.Command
	}
	return nil
}

// Folder is the StandIn's folder of the kind or, without one, the system's.
func Folder(ctx context.Context, kind Kind, system func() (string, error)) (string, error) {
	if s, ok := ctx.Value(standInKey{}).(*StandIn); ok && s != nil && s.Folder != nil {
		return s.Folder(kind)
	}
	return system()
}
