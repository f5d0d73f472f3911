//go:build !linux && !(freebsd && (amd64 || arm64 || riscv64))

package children

func adopt()         {}
func anyChild() bool { return false }

// Mark is nothing here: nobody is ended.
func Mark() string { return "" }

type process struct {
	pid  int
	name string
}

type finder struct{ found []process }

func (f *finder) find() []process { return nil }
func (f *finder) sure() bool      { return true }
func (f *finder) chase()          {}
func (process) kill()             {}
