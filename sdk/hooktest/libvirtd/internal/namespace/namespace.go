// Package namespace is what package libvirtd and its helper have in common.
package namespace

import "time"

// Config is how the namespaces are to be made.
type Config struct {
	Root    string   `json:"root,omitempty"`    // another root folder, with a libvirt of its own
	Name    string   `json:"name"`              // of the host
	Session bool     `json:"session,omitempty"` // no root: a user namespace and a daemon of qemu:///session
	UID     int      `json:"uid"`
	GID     int      `json:"gid"`
	Shared  []string `json:"shared,omitempty"` // folders that are the same inside another root
	// Files are written before anything runs: path inside to content.
	Files map[string]string `json:"files"`
}

// Answer is one line of the helper. The first gives the PID of the first process
// inside, as it is seen from outside; then each request is answered by one.
type Answer struct {
	PID   int    `json:"pid,omitempty"`
	Error string `json:"error,omitempty"`
}

// The requests, one a line. At the end of them everything inside is killed.
const (
	Up     = "up"     // starts libvirtd; answered when it takes connections
	Reload = "reload" // SIGHUP
	Down   = "down"   // SIGTERM; answered when libvirtd has ended
	Kill   = "kill"   // SIGKILL; answered when libvirtd has ended
)

// Folders inside, which no other process of the machine sees.
const (
	Run     = "/run/virthook"
	Calls   = Run + "/calls" // one file a recorded call
	Notify  = Run + "/notify"
	Home    = Run + "/home"    // of a session daemon
	Runtime = Run + "/runtime" // its XDG_RUNTIME_DIR
)

// Path is where programs are looked for inside.
const Path = "/usr/sbin:/usr/bin:/sbin:/bin"

// Environ is the environment of the daemon and of the commands that talk to it.
func (c Config) Environ() []string {
	env := []string{"PATH=" + Path, "LC_ALL=C", "TERM=dumb", "HOME=/root"}
	if c.Session {
		env = append(env[:3], "HOME="+Home, "XDG_RUNTIME_DIR="+Runtime,
			"XDG_CONFIG_HOME="+Home+"/.config", "XDG_CACHE_HOME="+Home+"/.cache", "XDG_DATA_HOME="+Home+"/.local/share")
	}
	return env
}

// Record is one call as the recorder got it.
type Record struct {
	Time   time.Time `json:"time"`
	Driver string    `json:"driver"`
	Object string    `json:"object"`
	Op     string    `json:"op"`
	SubOp  string    `json:"sub_op"`
	Extra  string    `json:"extra"`
	XML    []byte    `json:"xml,omitempty"`
}
