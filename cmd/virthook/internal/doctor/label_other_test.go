//go:build !linux

package doctor_test

import "errors"

func setLabel(string, string) error { return errors.New("SELinux is Linux's") }
