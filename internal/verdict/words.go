package verdict

import "strings"

// Words returns all of them.
func Words() []Word {
	return []Word{
		Continues, StartRefused, PortRefused, MigrationRefused, RestoreRefused, StateLost,
		GuestKilled, GuestForgotten, FailureLogged, Refused, Hangs,
	}
}

// Causes returns all of them but none.
func Causes() []Cause {
	return []Cause{Failed, NotXML, WrongRoot, NotAGuest, ABIBroken, NeverEnded}
}

// Last is the last of the word's words, which says what is done and not to what:
// refused, killed.
func (w Word) Last() string { return string(w)[strings.LastIndexByte(string(w), ' ')+1:] }

// Worse is the word of the two that says more went wrong: libvirt that hangs is worse
// than one that refuses, and that than a failure that is only logged.
func Worse(a, b Word) Word {
	weight := func(w Word) int {
		switch w {
		case Continues:
			return 0
		case FailureLogged:
			return 1
		case Hangs:
			return 3
		}
		return 2
	}
	if weight(b) > weight(a) {
		return b
	}
	return a
}
