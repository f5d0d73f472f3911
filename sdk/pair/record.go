package pair

import (
	"encoding/json"

	"github.com/virthook/virthook/sdk/state"
)

// raw is a record whose value is of an older version.
type raw struct {
	Phase phase           `json:"phase"`
	Start *int            `json:"start"`
	Users state.Users     `json:"users"`
	Value json.RawMessage `json:"value"`
}

func decodeRaw(text []byte) (r raw, err error) {
	err = json.Unmarshal(text, &r)
	return r, err
}
