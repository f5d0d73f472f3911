package lock_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/virthook/virthook/sdk/lock"
)

// Two hooks that edit the same firewall take turns.
func Example() {
	top, err := os.MkdirTemp("", "lock")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(top)
	dir := lock.In(filepath.Join(top, "locks")) // a hook leaves this out

	l, err := lock.Named(context.Background(), "firewall", dir, lock.As("adding a rule"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	_, err = lock.Named(ctx, "firewall", dir)
	var held *lock.HeldError
	fmt.Println(errors.As(err, &held), held.Holder.Doing, held.Err)
	// Output: true adding a rule context deadline exceeded
}
