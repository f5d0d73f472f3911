package libvirtd

// Inside is where a file inside is seen from outside: for tests that make what
// [Daemon.WriteHook] does not, such as folders, links and odd modes.
func (d *Daemon) Inside(path string) string { return d.helper.path(path) }
