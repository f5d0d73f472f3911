package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// modular are the daemons that call the hooks of one driver. Each calls those of the
// driver daemon, and libvirtd calls all.
var modular = map[string]string{
	"virtqemud": "qemu", "virtlxcd": "lxc", "virtxend": "libxl", "virtbhyved": "bhyve", "virtnetworkd": "network",
	"virtproxyd": "", "virtinterfaced": "", "virtnodedevd": "", "virtnwfilterd": "", "virtsecretd": "", "virtstoraged": "", "virtvboxd": "", "virtvzd": "",
}

// Daemon is the one that serves a driver where each has its own; "" for the driver
// daemon, which is each one's.
func Daemon(driver string) string {
	for name, d := range modular {
		if d == driver && d != "" {
			return name
		}
	}
	return ""
}

// daemonNames are libvirt's, libvirtd first.
func daemonNames() []string {
	return append([]string{"libvirtd"}, slices.Sorted(maps.Keys(modular))...)
}

// serves says whether the daemon calls hooks of the driver.
func serves(daemon, driver string) bool {
	return daemon == "libvirtd" || driver == "daemon" || modular[daemon] == driver
}

// Daemons are those that call hooks of one of the drivers, libvirtd first.
func Daemons(drivers []string) []string {
	return slices.DeleteFunc(daemonNames(), func(d string) bool {
		return !slices.ContainsFunc(drivers, func(driver string) bool { return serves(d, driver) })
	})
}

// Reload says what has to be told to libvirt: a daemon that found no hook of a driver
// looks for one again only when it is reloaded.
type Reload struct {
	Drivers []string `json:"drivers"` // that had no hook
	// Since is when the first of these got one, in a run before this one: their
	// daemons may have been reloaded in the meantime.
	Since    *time.Time `json:"since,omitempty"`
	Units    []string   `json:"units"`    // of the daemons that run, and call hooks of these drivers
	Commands []string   `json:"commands"` // that reload them; none: no such daemon runs
	Done     bool       `json:"done"`     // by this run
}

// running are the daemons that run on this host.
type running struct {
	units []string
	pids  map[string]int // of those that are no service
}

func findRunning(ctx context.Context) running {
	r := running{activeUnits(ctx, daemonNames()), map[string]int{}}
	for _, d := range daemonNames() {
		if pid := pidOf(d); pid != 0 && !slices.Contains(r.units, d) {
			r.pids[d] = pid
		}
	}
	return r
}

// reload says how to reload those that call hooks of the drivers.
func (r running) reload(to *Reload) {
	for _, d := range Daemons(to.Drivers) {
		if slices.Contains(r.units, d) {
			to.Units = append(to.Units, d)
		} else if pid := r.pids[d]; pid != 0 {
			to.Commands = append(to.Commands, fmt.Sprintf("kill -HUP %d # %s", pid, d))
		}
	}
	if len(to.Units) > 0 {
		to.Commands = append([]string{"systemctl reload " + strings.Join(to.Units, " ")}, to.Commands...)
	}
}

// activeUnits are the daemons that run as services of systemd.
func activeUnits(ctx context.Context, daemons []string) (active []string) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	args := []string{"show", "--property=Id,ActiveState"}
	for _, d := range daemons {
		args = append(args, d+".service")
	}
	out, err := exec.CommandContext(ctx, "systemctl", args...).Output()
	if err != nil { // there is no systemd
		return nil
	}
	for block := range bytes.SplitSeq(out, []byte("\n\n")) {
		unit := map[string]string{}
		for line := range strings.SplitSeq(string(block), "\n") {
			key, value, _ := strings.Cut(line, "=")
			unit[key] = value
		}
		if state := unit["ActiveState"]; state == "active" || state == "reloading" {
			active = append(active, strings.TrimSuffix(unit["Id"], ".service"))
		}
	}
	return active
}

// pidOf is the daemon's process by its own file, 0 when it does not run.
func pidOf(daemon string) int {
	for _, folder := range []string{"/run", "/var/run"} {
		content, err := os.ReadFile(filepath.Join(folder, daemon+".pid"))
		if err != nil {
			continue
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
		if err != nil || pid < 2 || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		// The file of a daemon that was killed stays, and its number goes to another.
		name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err != nil || strings.TrimSpace(string(name)) == daemon {
			return pid
		}
	}
	return 0
}

// do reloads the daemons that are services.
func (r *Reload) do(ctx context.Context) error {
	if len(r.Units) > 0 {
		cmd := exec.CommandContext(ctx, "systemctl", append([]string{"reload"}, r.Units...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("installed, but %s: %w: %s", r.Commands[0], err, bytes.TrimSpace(out))
		}
		r.Commands = r.Commands[1:]
	}
	if len(r.Commands) > 0 {
		return fmt.Errorf("installed, but not reloaded, as it is no service of systemd: %s", strings.Join(r.Commands, "; "))
	}
	r.Done = true
	return nil
}
