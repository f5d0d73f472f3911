package command_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/virthook/virthook/sdk/command"
)

func Example() {
	ctx := context.Background() // a handler has one

	out, err := command.Output(ctx, "echo", "a guest's name is $(anything)", "*")
	fmt.Printf("%s%v\n", out, err)

	err = command.Run(ctx, "ls", "/no such folder")
	var failed *command.Error
	fmt.Println(errors.As(err, &failed), failed.Command, failed.Status > 0)

	err = command.Run(ctx, "sh", "-c", "virsh -c qemu:///system list")
	fmt.Println(err)
	// Output:
	// a guest's name is $(anything) *
	// <nil>
	// true ls "/no such folder" true
	// command: sh -c "virsh -c qemu:///system list": "qemu:///system" is a libvirt: libvirt waits for the hook, and this would wait for libvirt, forever; start it with Detach, which does not wait for it
}
