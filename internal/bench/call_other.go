//go:build !linux

package main

import "errors"

func (c *caller) call(call) (answer, error) {
	return answer{}, errors.New("the benchmark runs on Linux only")
}
