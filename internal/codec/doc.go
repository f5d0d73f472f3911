// Package codec decodes and encodes the documents of libvirt that libvirtxml has
// types for, without reflection and without encoding/xml, whose results it gives
// where that succeeds. What it cannot decode it leaves out and reports.
package codec

//go:generate go run ../../gen/codec/cmd/codecgen
