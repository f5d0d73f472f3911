package state

import (
	"os"
	"strings"
	"sync"
)

// bootID is another one after each boot.
var bootID = sync.OnceValues(func() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
})
