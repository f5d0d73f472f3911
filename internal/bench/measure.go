package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// times are the durations of a contestant's calls by its key, one for each round.
type times map[string][]time.Duration

// measure calls every contestant once in each round, in an order of its own, so that
// whatever else the machine does hits all of them alike.
func (a *arena) measure(cs []contestant, d document, rounds int) (times, error) {
	for _, c := range cs {
		if err := a.check(c, d); err != nil {
			return nil, err
		}
	}
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	const warmUp = 3
	caller, took := newCaller(), times{}
	for round := range warmUp + rounds {
		for _, i := range rand.Perm(len(cs)) {
			c := cs[i]
			got, err := caller.call(a.call(c, d))
			if err == nil {
				err = got.mustSucceed()
			}
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", c.key, d.size, err)
			}
			if round >= warmUp {
				took[c.key] = append(took[c.key], got.took)
			}
		}
	}
	return took, nil
}

// roundsFor is fewer for the documents that take long.
func roundsFor(size string, rounds int) int {
	switch size {
	case "150 KB":
		rounds /= 2
	case hugeSize:
		rounds /= 4
	}
	return max(rounds, 3)
}

// usage is what a contestant takes of memory.
type usage struct {
	peak   float64 // in bytes
	faults float64 // page faults
}

// usages are those of each contestant, medians.
func (a *arena) usages(cs []contestant, d document) (map[string]usage, error) {
	program, err := a.build("peak")
	if err != nil {
		return nil, err
	}
	usages := map[string]usage{}
	for _, c := range cs {
		var peaks, faults []float64
		for range 5 {
			u, err := a.usage(program, a.call(c, d))
			if err != nil {
				return nil, fmt.Errorf("memory of %s: %w", c.key, err)
			}
			peaks, faults = append(peaks, u.peak), append(faults, u.faults)
		}
		usages[c.key] = usage{median(peaks), median(faults)}
	}
	return usages, nil
}

func (a *arena) usage(program string, what call) (u usage, err error) {
	file := filepath.Join(a.dir, "peak.txt")
	what.argv = append([]string{program, file}, what.argv...)
	got, err := newCaller().call(what)
	if err == nil {
		err = got.mustSucceed()
	}
	if err != nil {
		return u, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return u, err
	}
	_, err = fmt.Sscan(string(text), &u.peak, &u.faults)
	u.peak *= 1024
	return u, err
}

// crowd is a crowd of guests that are called for at the same time.
type crowd struct{ all, slowest time.Duration }

const crowdSize = 200

// crowds are those of each contestant, by its key, one for each round.
func (a *arena) crowds(cs []contestant, d document, rounds int) (map[string][]crowd, error) {
	// One thread waits for each of the calls, as in libvirt.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(crowdSize + 1))
	callers := make([]*caller, crowdSize)
	for i := range callers {
		callers[i] = newCaller()
	}
	crowds := map[string][]crowd{}
	for round := range 1 + rounds { // the first is to warm up
		for _, i := range rand.Perm(len(cs)) {
			c := cs[i]
			runtime.GC()
			one, err := callAll(callers, a.call(c, d))
			if err != nil {
				return nil, fmt.Errorf("%d of %s: %w", crowdSize, c.key, err)
			}
			if round > 0 {
				crowds[c.key] = append(crowds[c.key], one)
			}
		}
	}
	return crowds, nil
}

func callAll(callers []*caller, what call) (crowd, error) {
	ran, errs := make([]time.Duration, len(callers)), make([]error, len(callers))
	var done sync.WaitGroup
	start := make(chan struct{})
	for i, caller := range callers {
		done.Go(func() {
			<-start
			got, err := caller.call(what)
			if err == nil {
				err = got.mustSucceed()
			}
			ran[i], errs[i] = got.ran, err
		})
	}
	began := time.Now()
	close(start)
	done.Wait()
	all := time.Since(began)
	for _, err := range errs {
		if err != nil {
			return crowd{}, err
		}
	}
	return crowd{all, slices.Max(ran)}, nil
}
