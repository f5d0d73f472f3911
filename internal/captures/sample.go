package captures

import "slices"

// Sample returns a call to try a hook with: the newest capture of the operation,
// of release the one with the reason "shutdown".
//
// Where nothing was recorded a stand-in is returned, with an empty Version: for
// libxl and bhyve a document written by hand, for an operation that is not known
// here (qemu attach, which no libvirt calls any more, or one newer than this
// package) another call of the same driver. It is false when there is none of
// the driver either.
func Sample(driver, op, subOp string) (Capture, bool) {
	all := All()
	slices.Reverse(all) // newest first
	var found []Capture
	for _, c := range all {
		if c.Driver == driver && c.Op == op && c.SubOp == subOp && (found == nil || c.Version == found[0].Version) {
			found = append(found, c)
		}
	}
	if i := slices.IndexFunc(found, func(c Capture) bool { return c.Extra == "shutdown" }); i >= 0 {
		return found[i], true
	}
	if found != nil {
		return found[0], true
	}
	return standIn(all, driver, op, subOp)
}

// standIn makes up a call from another one of the driver.
func standIn(all []Capture, driver, op, subOp string) (Capture, bool) {
	c := Capture{Driver: driver, Op: op, SubOp: subOp, Extra: "-", Name: driver + "." + op + "." + subOp}
	switch driver {
	case "libxl":
		c.Object, c.XML = "web", sample(driver, op)
		return c, true
	case "bhyve":
		c.Object, c.XML = "mail", sample(driver, op)
		return c, true
	}
	// What libvirt would pass is most like what it passes of something that is
	// running: reconnect for guests, which attach also was, and started for
	// networks. A call that carries nothing resembles the daemon's start.
	for _, like := range []string{"reconnect", "started", "start"} {
		for _, other := range all {
			if other.Driver == driver && other.Op == like {
				c.Object, c.XML = other.Object, other.XML
				return c, true
			}
		}
	}
	return Capture{}, false
}

// sample is the guest of samples as it is at an operation.
func sample(driver, op string) []byte {
	switch op {
	case "prepare", "start", "release", "migrate": // it has no id then
		driver += "-off"
	}
	xml, _ := files.ReadFile("samples/" + driver + ".xml")
	return xml
}
