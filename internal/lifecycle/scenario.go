package lifecycle

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"

	"github.com/virthook/virthook/internal/document"
	"github.com/virthook/virthook/internal/verdict"
)

// Scenario is a list of things that are done.
type Scenario struct {
	Name, Summary string
	Libvirt       string // the version whose calls are made; "" is the newest
	Guests        []Guest
	Steps         []Step
}

// Guest is one of a scenario. It is off at first.
type Guest struct {
	Name     string
	Driver   string   // qemu, lxc, libxl or bhyve; "" is qemu
	UUID     string   // "": that of XML, or one made of the name
	Networks []string // one port in each; nil: those of XML
	XML      []byte   // what the hooks get; nil: what libvirt sent of a guest like this

	macs []string // of the interfaces in XML, as Networks
}

// Step is one thing that is done, to several guests or networks at once.
type Step struct {
	Action  string
	Objects []string // none for what is done to the daemon
	Expect  string   // a [verdict.Word] or its last word, such as refused; "": that libvirt goes on
}

// Name is how the step is called, such as "start web".
func (s Step) Name() string {
	switch len(s.Objects) {
	case 0:
		return s.Action
	case 1:
		return s.Action + " " + s.Objects[0]
	case 2, 3:
		name := s.Action + " " + s.Objects[0]
		for _, o := range s.Objects[1:] {
			name += ", " + o
		}
		return name
	}
	return fmt.Sprintf("%s %s … %s, %d at once", s.Action, s.Objects[0], s.Objects[len(s.Objects)-1], len(s.Objects))
}

// Expected says whether the outcome is the one that the step wants.
func (s Step) Expected(o Outcome) bool {
	if o.Skipped != "" {
		return false
	}
	if s.Expect == "" {
		return o.Word == verdict.Continues || o.Word == verdict.FailureLogged
	}
	return string(o.Word) == s.Expect || o.Word.Last() == s.Expect
}

// GuestError says what is wrong with a guest.
type GuestError struct {
	Guest int // its index
	Err   error
}

// Error returns "guest NAME: …".
func (e *GuestError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *GuestError) Unwrap() error { return e.Err }

// StepError says what is wrong with a step.
type StepError struct {
	Step int // its index
	Err  error
}

// Error returns "step N, ACTION OBJECT: …".
func (e *StepError) Error() string { return fmt.Sprintf("step %d, %v", e.Step+1, e.Err) }

// Unwrap returns what is wrong.
func (e *StepError) Unwrap() error { return e.Err }

// UUID returns one that is always the same for a name.
func UUID(name string) string {
	h := sha256.Sum256([]byte(name))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80 // version 8: of one's own making
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

var versionForm = regexp.MustCompile(`^\d+\.\d+(\.\d+)?$`)

// check says what is wrong with a scenario, and fills in what was left out.
func (s *Scenario) check() error {
	if s.Libvirt != "" && !versionForm.MatchString(s.Libvirt) {
		return fmt.Errorf("%q is not a version of libvirt such as 11.3.0", s.Libvirt)
	}
	names := map[string]bool{}
	for i := range s.Guests {
		g := &s.Guests[i]
		if err := g.complete(); err != nil {
			return &GuestError{Guest: i, Err: fmt.Errorf("guest %q: %w", g.Name, err)}
		}
		if names[g.Name] {
			return &GuestError{Guest: i, Err: fmt.Errorf("guest %q: it is there twice", g.Name)}
		}
		names[g.Name] = true
	}
	for i, step := range s.Steps {
		if err := s.checkStep(step); err != nil {
			return &StepError{Step: i, Err: fmt.Errorf("%s: %w", step.Name(), err)}
		}
	}
	return nil
}

func (g *Guest) complete() error {
	if g.Name == "" {
		return fmt.Errorf("it has no name")
	}
	if g.Driver == "" {
		g.Driver = "qemu"
	}
	if _, ok := find(g.Driver, "start"); !ok {
		return fmt.Errorf("driver %q has no guests", g.Driver)
	}
	if slices.Contains(g.Networks, "") {
		return fmt.Errorf("a network has no name")
	}
	if g.XML != nil {
		return g.ownXML()
	}
	if g.UUID == "" {
		g.UUID = UUID(g.Name)
	}
	if len(g.Networks) > 1 {
		return fmt.Errorf("a guest without XML of its own has one interface, not %d", len(g.Networks))
	}
	return nil
}

// ownXML gives the guest's XML its name and UUID, and takes its networks from it.
func (g *Guest) ownXML() error {
	d, _, err := document.Domain(g.XML)
	if err != nil {
		return fmt.Errorf("its XML: %w", err)
	}
	d.Name = g.Name
	if g.UUID != "" {
		d.UUID = g.UUID
	} else if g.UUID = d.UUID; g.UUID == "" { // libvirt has one for each guest: its ports say it
		g.UUID = UUID(g.Name)
	}
	edit, err := document.ApplyDomain(g.XML, d)
	if err != nil {
		return fmt.Errorf("its XML: %w", err)
	}
	if edit.XML != nil {
		g.XML = edit.XML
	}
	if g.Networks == nil && d.Devices != nil {
		for _, i := range d.Devices.Interfaces {
			if i.Source != nil && i.Source.Network != nil {
				g.Networks = append(g.Networks, i.Source.Network.Network)
				mac := ""
				if i.MAC != nil {
					mac = i.MAC.Address
				}
				g.macs = append(g.macs, mac)
			}
		}
	}
	return nil
}

func (s *Scenario) guest(name string) *Guest {
	i := slices.IndexFunc(s.Guests, func(g Guest) bool { return g.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Guests[i]
}

// driverOf is the driver whose action a step is: that of the daemon or of networks, or
// that of a guest.
func (s *Scenario) driverOf(step Step, object string) (string, error) {
	for _, driver := range []string{"daemon", "network"} {
		if _, ok := find(driver, step.Action); ok {
			return driver, nil
		}
	}
	g := s.guest(object)
	if g == nil {
		return "", fmt.Errorf("there is no guest %q", object)
	}
	return g.Driver, nil
}

func (s *Scenario) checkStep(step Step) error {
	known := false
	for _, a := range actions {
		known = known || a.Name == step.Action && a.Name != reconnect
	}
	if !known {
		return fmt.Errorf("there is no action %q", step.Action)
	}
	if _, ofDaemon := find("daemon", step.Action); ofDaemon != (len(step.Objects) == 0) {
		if ofDaemon {
			return fmt.Errorf("it is done to the daemon and takes no name")
		}
		return fmt.Errorf("to what is missing")
	}
	for i, object := range step.Objects {
		if object == "" {
			return fmt.Errorf("to what is missing")
		}
		driver, err := s.driverOf(step, object)
		if err != nil {
			return err
		}
		if _, ok := find(driver, step.Action); !ok {
			return fmt.Errorf("%s, a guest of driver %s, cannot be told to %s", object, driver, step.Action)
		}
		if slices.Contains(step.Objects[:i], object) {
			return fmt.Errorf("%q is there twice", object)
		}
	}
	if step.Expect != "" && !slices.ContainsFunc(verdict.Words(), func(w verdict.Word) bool {
		return string(w) == step.Expect || w.Last() == step.Expect
	}) {
		return fmt.Errorf("expect %q is nothing that libvirt does", step.Expect)
	}
	return nil
}
