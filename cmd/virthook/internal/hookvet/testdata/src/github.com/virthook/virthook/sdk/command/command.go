// Package command stands in for the real one.
package command

import "context"

type Command struct {
	Name  string
	Args  []string
	Stdin []byte
}

func (Command) Run(context.Context) error              { return nil }
func (Command) Output(context.Context) ([]byte, error) { return nil, nil }
func (Command) Detach(context.Context) error           { return nil }

func Run(context.Context, string, ...string) error              { return nil }
func Output(context.Context, string, ...string) ([]byte, error) { return nil, nil }
func Detach(context.Context, string, ...string) error           { return nil }
