// Bench measures what a hook costs: whole processes, called as libvirt calls them,
// next to other ways to write one. It prints tables; with -write it puts them and a
// chart into the docs, and with -guard it says instead whether virthook has become
// slower.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	write := flag.Bool("write", false, "write docs/speed.md and docs/speed.svg")
	guard := flag.Bool("guard", false, "hold virthook against its limits, in less than a minute")
	rounds := flag.Int("rounds", 200, "how often each contestant is called; less often with large documents")
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 1 || *write && *guard {
		flag.Usage()
		os.Exit(2)
	}
	var err error
	if *guard {
		err = runGuards(os.Stdout)
	} else {
		err = runBench(os.Stdout, os.Stderr, *rounds, *write)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func runBench(out, progress io.Writer, rounds int, write bool) error {
	a, err := newArena(contestants)
	if err != nil {
		return err
	}
	defer a.close()
	r, err := a.results(progress, rounds)
	if err != nil {
		return err
	}
	tables := r.markdown()
	fmt.Fprint(out, tables)
	if !write {
		return nil
	}
	docs := filepath.Join(a.source, "..", "..", "..", "docs")
	return errors.Join(writeTables(filepath.Join(docs, "speed.md"), tables),
		os.WriteFile(filepath.Join(docs, "speed.svg"), []byte(chart(r)), 0o644))
}

func (a *arena) results(progress io.Writer, rounds int) (*results, error) {
	r := &results{contestants: a.ready, docs: documents(), times: map[string]times{}, rounds: rounds, machine: machine(a.tools), absent: a.absent}
	var err error
	for _, d := range r.docs {
		fmt.Fprintf(progress, "%s: %d bytes, %d disks\n", d.size, len(d.xml), d.disks)
		if r.times[d.size], err = a.measure(a.ready, d, roundsFor(d.size, rounds)); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(progress, "memory\n")
	if r.huge, err = a.usages(a.ready, find(r.docs, hugeSize)); err != nil {
		return nil, err
	}
	if r.usual, err = a.usages(a.ready, find(r.docs, usualSize)); err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "%d at once\n", crowdSize)
	r.crowds, err = a.crowds(pick(a.ready, bare, edited, sed, python), find(r.docs, usualSize), max(1, min(5, rounds/20)))
	return r, err
}

// The tables stand between these lines of the page.
const beginTables, endTables = "<!-- bench: begin -->\n", "<!-- bench: end -->\n"

func writeTables(file, tables string) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	page, err = replaceTables(page, tables)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, page, 0o644)
}

func replaceTables(page []byte, tables string) ([]byte, error) {
	before, rest, found := bytes.Cut(page, []byte(beginTables))
	_, after, foundEnd := bytes.Cut(rest, []byte(endTables))
	if !found || !foundEnd {
		return nil, errors.New("no place for the tables: a marker is missing")
	}
	return fmt.Appendf(nil, "%s%s\n%s\n%s%s", before, beginTables, tables, endTables, after), nil
}
