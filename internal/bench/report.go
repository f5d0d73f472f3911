package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"
)

// results are all that was measured in one run.
type results struct {
	contestants []contestant
	docs        []document
	times       map[string]times // by size
	huge, usual map[string]usage // at hugeSize and usualSize
	crowds      map[string][]crowd
	rounds      int
	machine     string
	absent      []string
}

// ratio is what a contestant takes, with bare Go's time as the unit.
func (r *results) ratio(size, key string) spread {
	return spreadOf(ratios(r.times[size][key], r.times[size][bare]))
}

func (r *results) milliseconds(size, key string) float64 {
	return median(milliseconds(r.times[size][key]))
}

// growth is in microseconds for each kilobyte.
func (r *results) growth(key string) float64 {
	small, huge := find(r.docs, largeSize), find(r.docs, hugeSize)
	ms := r.milliseconds(hugeSize, key) - r.milliseconds(largeSize, key)
	return 1000 * ms / (huge.kilobytes() - small.kilobytes())
}

// markdown is the tables.
func (r *results) markdown() string {
	parts := []string{r.machineLine(), r.timesTable(), r.growthTable(), r.faultsTable(), r.crowdTable()}
	if len(r.absent) > 0 {
		parts = append(parts, "Left out: "+strings.Join(r.absent, ", ")+".\n")
	}
	return strings.Join(parts, "\n")
}

func (r *results) machineLine() string {
	return fmt.Sprintf("Measured on %s; %d rounds, %d at 150 KB and %d at 1 MB.\n",
		r.machine, r.rounds, roundsFor("150 KB", r.rounds), roundsFor(hugeSize, r.rounds))
}

func (r *results) timesTable() string {
	header := []string{"whole process, × bare Go"}
	inBare := []string{"*bare Go, in milliseconds*"}
	for _, d := range r.docs {
		header = append(header, d.size)
		inBare = append(inBare, number3(r.milliseconds(d.size, bare)))
	}
	rows := [][]string{}
	for _, c := range r.contestants {
		row := []string{c.title}
		for _, d := range r.docs {
			if c.key == bare {
				row = append(row, "1")
				continue
			}
			s := r.ratio(d.size, c.key)
			row = append(row, fmt.Sprintf("**%s** %s–%s", number3(s.mid), number3(s.low), number3(s.high)))
		}
		rows = append(rows, row)
	}
	return table(header, append(rows, inBare))
}

// growthTable is of those that read the guest; the memory of the others is as
// telling as that of bare Go.
func (r *results) growthTable() string {
	huge := find(r.docs, hugeSize)
	rows := [][]string{}
	for _, c := range r.contestants {
		growth := "–"
		if c.reads {
			growth = number3(r.growth(c.key))
		} else if c.key != bare && c.key != unhandled {
			continue
		}
		peak := r.huge[c.key].peak
		rows = append(rows, []string{c.title, growth, number3(peak / 1e6), number3(peak / float64(len(huge.xml)))})
	}
	return table([]string{"growing", "µs for each KB, from 30 KB to 1 MB", "peak memory at 1 MB, in MB", "× the document"}, rows)
}

// faultsTable is of the Go programs: what they have to touch for the first time is most
// of what they differ by.
func (r *results) faultsTable() string {
	rows := [][]string{}
	for _, c := range r.contestants {
		if !strings.Contains(c.program, ".") {
			rows = append(rows, []string{c.title, number3(r.usual[c.key].faults)})
		}
	}
	return table([]string{"a guest of 7 KB", "page faults"}, rows)
}

func (r *results) crowdTable() string {
	all := func(key string) float64 {
		return median(milliseconds(mapped(r.crowds[key], func(c crowd) time.Duration { return c.all })))
	}
	rows := [][]string{}
	for _, c := range r.contestants {
		if len(r.crowds[c.key]) == 0 {
			continue
		}
		slowest := median(milliseconds(mapped(r.crowds[c.key], func(c crowd) time.Duration { return c.slowest })))
		rows = append(rows, []string{c.title, number3(all(c.key) / all(bare)), number3(all(c.key)), number3(slowest)})
	}
	return table([]string{fmt.Sprintf("%d guests at once, 7 KB each", crowdSize), "× bare Go", "all done after, in ms", "slowest process, in ms"}, rows)
}

func mapped[T, U any](values []T, f func(T) U) []U {
	us := make([]U, len(values))
	for i, v := range values {
		us[i] = f(v)
	}
	return us
}

// table is one of Markdown, with numbers to the right.
func table(header []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) {
		escaped := mapped(cells, func(c string) string { return strings.ReplaceAll(c, "|", `\|`) })
		fmt.Fprintf(&b, "| %s |\n", strings.Join(escaped, " | "))
	}
	line(header)
	b.WriteString("|---|" + strings.Repeat("---:|", len(header)-1) + "\n")
	for _, row := range rows {
		line(row)
	}
	return b.String()
}

// number3 has three figures, or those before the point when there are more.
func number3(v float64) string {
	if v == 0 {
		return "0"
	}
	before := int(math.Floor(math.Log10(math.Abs(v)))) + 1
	return fmt.Sprintf("%.*f", max(0, min(2, 3-before)), v)
}

// machine tells what the ratios depend on.
func machine(tools map[string]string) string {
	var named []string
	for _, tool := range slices.Sorted(maps.Keys(tools)) {
		if version := tools[tool]; version != "" && slices.Contains([]string{"bash", "sed", "xmlstarlet", "python3"}, tool) {
			named = append(named, tool+" "+version)
		}
	}
	s := fmt.Sprintf("%s/%s with %d cores, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cmp.Or(runtime.Version(), "Go"))
	return strings.Join(append([]string{s}, named...), ", ")
}
