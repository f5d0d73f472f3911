// Package verdict says what libvirt makes of a call of its hooks: whether it goes on,
// what it refuses or kills, and with which words.
package verdict

// Word is what libvirt does after the call.
type Word string

// What libvirt does.
const (
	Continues        Word = "continues"
	StartRefused     Word = "start refused"     // of a guest or a network
	PortRefused      Word = "port refused"      // and with it the start, or the plugging, of the guest
	MigrationRefused Word = "migration refused" // the guest keeps running on the source
	RestoreRefused   Word = "restore refused"
	StateLost        Word = "saved state lost" // the restore is refused, and what was saved is deleted
	GuestKilled      Word = "guest killed"
	GuestForgotten   Word = "guest forgotten"     // it runs on, unmanaged
	FailureLogged    Word = "failure only logged" // nothing stops
	Refused          Word = "refused"             // attach, and operations that are newer than the spec
	Hangs            Word = "libvirt hangs"       // the wait was given up; libvirt has no limit
)

// Cause is why libvirt does not simply continue.
type Cause string

// The causes.
const (
	NoCause    Cause = ""
	Failed     Cause = "hook failed"     // a status other than 0, or a signal
	NotXML     Cause = "output not XML"  // of a filter
	WrongRoot  Cause = "wrong root"      // the output is XML, but of something else
	NotAGuest  Cause = "not a guest"     // a domain that libvirt cannot parse
	ABIBroken  Cause = "ABI broken"      // the guest would see another machine
	NeverEnded Cause = "hook never ends" // or what it left behind
)

// Operation is what the spec says of the operation that was called.
type Operation struct {
	Driver, Op, SubOp string
	Effect            string // of a failure: refused, killed, forgotten, lost or ignored; "": the spec does not know the operation
	Filter            bool   // libvirt reads what the hooks print
	ABICheck          string // "migration", "restore" or ""
	Libvirt           string // the version whose words the message has; "": the newest
}

// Verdict is what libvirt makes of one call of a driver's hooks.
type Verdict struct {
	Word    Word
	Cause   Cause
	Message string // libvirt's error, as its log has it but for line feeds at the end; "" when there is none
	Changed bool   // the output replaces the XML, which libvirt accepts
	Tainted bool   // the guest is marked hook-script
}

// OK says whether libvirt goes on with what it was about to do, as if no hook had
// failed. It is false for a failure that is only logged.
func (v Verdict) OK() bool { return v.Word == Continues }

// GoesOn says whether libvirt goes on, also after a failure that it only logs.
func (v Verdict) GoesOn() bool { return v.Word == Continues || v.Word == FailureLogged }
