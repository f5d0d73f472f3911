package metadata_test

import (
	"fmt"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk/metadata"
)

// App is what we keep with a guest.
type App struct {
	Role  string   `xml:"role"`
	Hosts []string `xml:"host"`
}

var app = metadata.Name{Prefix: "my", Space: "http://example.com/my", Local: "app"}

// A filter notes where a guest has been. What others keep with the guest stays as it
// is.
func Example() {
	domain := &libvirtxml.Domain{Metadata: &libvirtxml.DomainMetadata{
		XML: `<o:os xmlns:o="http://other.example/os" id="debian"/> <my:app xmlns:my="http://example.com/my"><my:role>web</my:role><my:host>a</my:host></my:app>`,
	}}

	var v App
	found, err := metadata.Get(domain, app, &v)
	fmt.Println(found, err, v.Role, v.Hosts)

	v.Hosts = append(v.Hosts, "b")
	if err := metadata.Set(domain, app, v); err != nil {
		fmt.Println(err)
	}
	fmt.Println(domain.Metadata.XML)

	if err := metadata.Delete(domain, app); err != nil {
		fmt.Println(err)
	}
	fmt.Println(domain.Metadata.XML)
	// Output:
	// true <nil> web [a]
	// <o:os xmlns:o="http://other.example/os" id="debian"/> <my:app xmlns:my="http://example.com/my"><my:role>web</my:role><my:host>a</my:host><my:host>b</my:host></my:app>
	// <o:os xmlns:o="http://other.example/os" id="debian"/>
}
