//go:build race

package state

func init() { kills = 200 } // the race detector makes starting a process slow
