// Hook is a hook that says which version it is, and nothing when it is called in
// another way than libvirt's.
package main

import (
	"fmt"
	"os"
)

var version string // set when linking

func main() {
	if len(os.Args) != 5 {
		os.Exit(3)
	}
	fmt.Println(version)
}
