//go:build unix && !linux

package sdk

import (
	"os"
	"syscall"
	"time"
)

func dup2(from, to int) error { return syscall.Dup2(from, to) }

func scratchFile() *os.File { return tempFile() }

// widen does nothing: only Linux has pipes of a size to be chosen.
func (pipe) widen() {}

func pause(d time.Duration) { time.Sleep(d) }
