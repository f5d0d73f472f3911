//go:build !linux

package journal

import "errors"

func memfd([]byte) (int, error) { return -1, errors.ErrUnsupported }
