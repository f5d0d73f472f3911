// Command foreign is a program that must not be run: it leaves a file where the
// linker has said.
package main

import "os"

var mark string

func main() { _ = os.WriteFile(mark, nil, 0o644) }
