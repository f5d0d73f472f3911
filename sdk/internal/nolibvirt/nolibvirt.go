// Package nolibvirt is the guard against programs that ask libvirt while libvirt waits
// for the hook that runs them: both would wait forever.
package nolibvirt

// Name and Value are an environment variable. Programs that do not say which libvirt
// they mean take it from there, and this is none. Of all that is no libvirt, a text
// that is not even a URI fails first and says most: no driver is asked, no socket is
// opened, and virsh prints
//
//	error: internal error: Unable to parse URI <Value>
//
// One that looks like a URI does not: with an unknown driver it goes to the daemon
// (virthook:///), and without a driver its text is not printed.
const (
	Name  = "LIBVIRT_DEFAULT_URI"
	Value = "a hook must not ask libvirt, which waits for the hook to return: leave it to a program started by Detach of virthook's package command"
)
