package state

import "slices"

// Users counts who uses something that several share, each once: the first one in
// sets it up, the last one out takes it down. It is a field of the value of a [Store],
// and changed while that is open. Package pair has all of it ready made.
type Users []string

// Add counts a user in and says whether it is the first. One that is in already is
// not counted again.
func (u *Users) Add(key string) (first bool) {
	at, in := slices.BinarySearch(*u, key)
	if in {
		return false
	}
	*u = slices.Insert(*u, at, key)
	return len(*u) == 1
}

// Remove counts a user out and says whether it was the last. One that is not in
// changes nothing.
func (u *Users) Remove(key string) (last bool) {
	at, in := slices.BinarySearch(*u, key)
	if !in {
		return false
	}
	*u = slices.Delete(*u, at, at+1)
	return len(*u) == 0
}

// Has says whether the user is counted in.
func (u Users) Has(key string) bool {
	_, in := slices.BinarySearch(u, key)
	return in
}
