//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package state

import (
	"encoding/hex"
	"sync"
	"syscall"
)

// bootID is another one after each boot. The time of the boot is the last resort: it
// moves when the clock is set.
var bootID = sync.OnceValues(func() (id string, err error) {
	for _, name := range []string{"kern.boot_id", "kern.bootsessionuuid", "kern.boottime"} {
		if id, err = syscall.Sysctl(name); err == nil && id != "" {
			if len(id) > 8 && name == "kern.boottime" {
				id = id[:8] // the seconds
			}
			return name + "=" + hex.EncodeToString([]byte(id)), nil
		}
	}
	return "", err
})
