package journal_test

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/virthook/virthook/sdk/journal"
)

// Where neither a journal nor syslog runs, records are lines of text.
func Example() {
	out := &lines{}
	log := slog.New(journal.New("virthook-qemu", &journal.Options{
		Fallback: out,
		Journal:  "/nonexistent", // a hook leaves these two out
		Syslog:   []string{},
	}))
	log.Warn("no such bridge", "object", "web\n1", "password", "hunter2", "xml", `<graphics passwd="x"/>`)
	out.print()
	// Output: WARN virthook-qemu: no such bridge object="web\n1" password=[redacted] xml="<graphics passwd=\"[redacted]\"/>"
}

func ExampleRedact() {
	fmt.Println(journal.Redact(`<graphics type='vnc' passwd='hunter2'/><secret type='ceph' usage='x'/>`))
	// Output: <graphics type='vnc' passwd='[redacted]'/><secret type='ceph' usage='x'/>
}

// lines leaves out what differs from run to run.
type lines struct{ strings.Builder }

func (l *lines) print() {
	_, text, _ := strings.Cut(l.String(), " ") // the time
	fmt.Print(strings.ReplaceAll(text, fmt.Sprintf("[%d]", os.Getpid()), ""))
}
