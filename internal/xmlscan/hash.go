package xmlscan

import "hash/maphash"

// hasher hashes names. Its seed is random, so that no document can be written
// whose names collide.
type hasher struct{ seed maphash.Seed }

func (h *hasher) sum(name []byte) uint64 {
	// Not at the start: most documents need no hash.
	if h.seed == (maphash.Seed{}) {
		h.seed = maphash.MakeSeed()
	}
	return maphash.Bytes(h.seed, name)
}
