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
