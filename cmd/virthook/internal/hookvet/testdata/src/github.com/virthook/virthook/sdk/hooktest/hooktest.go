// Package hooktest stands for the test kit.
package hooktest

func Each(func()) {}
