package state

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The test's program is also that of the processes that are killed.
func TestMain(m *testing.M) {
	switch os.Getenv("STATE_TEST") {
	case "":
		os.Exit(m.Run())
	case "write":
		keepWriting()
	case "step":
		dieAtStep()
	case "acquire":
		l := Store[int]{Name: "n", Dir: os.Getenv("DIR")}
		_, err := l.Open(context.Background(), "k")
		fmt.Println("open", err)
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
	os.Exit(0)
}

func die() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }

// checked is a value that shows when it is torn, or two are mixed.
type checked struct {
	N    int
	Text string
	Sum  uint32
}

func newChecked(n int) checked {
	text := strings.Repeat(strconv.Itoa(n)+" ", rand.IntN(5000))
	return checked{n, text, crc32.ChecksumIEEE([]byte(strconv.Itoa(n) + text))}
}

func (c checked) ok() bool {
	return c == checked{} || c.Sum == crc32.ChecksumIEEE([]byte(strconv.Itoa(c.N)+c.Text))
}

var (
	kills = 1000
	keys  = []string{"a", "b", "../c\n", "d", "\xff", "f"}
)

// keepWriting counts, tells each number that is saved, and is killed at a moment that
// nobody chose.
func keepWriting() {
	time.AfterFunc(time.Duration(rand.IntN(int(25*time.Millisecond))), die)
	store := Store[checked]{Name: "kill", Dir: os.Getenv("DIR")}
	for {
		i := rand.IntN(len(keys))
		e, err := store.Open(context.Background(), keys[i])
		if err == nil && !e.Value.ok() {
			err = fmt.Errorf("torn: %v", e.Value)
		}
		if err == nil {
			e.Value = newChecked(e.Value.N + 1)
			err = e.Save()
		}
		if err == nil {
			_, err = fmt.Print(i)
		}
		if err == nil {
			err = e.Close()
		}
		if err == nil {
			err = churn(store)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// churn makes and deletes a key, whose lock's file comes and goes with it.
func churn(store Store[checked]) error {
	e, err := store.Open(context.Background(), "short")
	if err != nil {
		return err
	}
	defer e.Close()
	if !e.Value.ok() {
		return fmt.Errorf("torn: %v", e.Value)
	}
	if e.Found {
		return e.Delete()
	}
	e.Value = newChecked(1)
	return e.Save()
}

func TestKilledAtRandom(t *testing.T) {
	const workers = 4
	dir := filepath.Join(t.TempDir(), "state")
	program, err := os.Executable()
	require.NoError(t, err)
	store := Store[checked]{Name: "kill", Dir: dir}
	var mu sync.Mutex
	saved := make([]int, len(keys))
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range kills / workers {
				p := exec.Command(program)
				p.Env = append(os.Environ(), "STATE_TEST=write", "DIR="+dir)
				p.Stderr = os.Stderr
				told, err := p.Output()
				status, ok := p.ProcessState.Sys().(syscall.WaitStatus)
				if !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
					t.Errorf("it was not killed, but ended by itself: %v", err)
					return
				}
				mu.Lock()
				for i := range keys {
					saved[i] += strings.Count(string(told), strconv.Itoa(i))
				}
				mu.Unlock()
				all, err := store.All(t.Context())
				if err != nil {
					t.Error(err)
				}
				for _, r := range all {
					if !r.Value.ok() {
						t.Errorf("torn: %v", r.Value)
					}
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for i, k := range append(keys, "short") {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		e, err := store.Open(ctx, k)
		cancel()
		require.NoError(t, err, "stuck")
		assert.True(t, e.Value.ok())
		if i < len(keys) {
			// One that was killed may have saved a number and not told it.
			assert.GreaterOrEqual(t, e.Value.N, saved[i], "lost")
			assert.LessOrEqual(t, e.Value.N, saved[i]+kills)
			total += e.Value.N
		}
		require.NoError(t, e.Close())
	}
	t.Logf("%d processes killed, %d values saved", kills/workers*workers, total)
	assert.Greater(t, total, kills/4, "hardly anything was written: the test tests nothing")
}

// step says after which of the steps of a write, the first of which is 1, the process
// is killed; before each of them something else has been written.
func dieAtStep() {
	at, _ := strconv.Atoi(os.Getenv("STEP"))
	step := func() {
		if at--; at == 0 {
			die()
		}
	}
	old := system
	system.write = func(f *os.File, text []byte) (int, error) {
		n, err := old.write(f, text[:len(text)/2])
		step()
		if err == nil {
			n, err = old.write(f, text[len(text)/2:])
		}
		step()
		return n, err
	}
	system.syncFile = func(f *os.File) error { err := old.syncFile(f); step(); return err }
	system.rename = func(r *os.Root, from, to string) error { err := old.rename(r, from, to); step(); return err }
	system.syncDir = func(f *os.File) error { err := old.syncDir(f); step(); return err }
	store := Store[string]{Name: "n", Dir: os.Getenv("DIR")}
	err := store.Update(context.Background(), "k", func(e *Entry[string]) error { e.Value = "new"; return nil })
	fmt.Println("done", err)
}

func TestKilledAtEachStep(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	for at, want := range []string{1: "old", 2: "old", 3: "old", 4: "new", 5: "new", 6: "new"} {
		if at == 0 {
			continue
		}
		dir := filepath.Join(t.TempDir(), "state")
		store := Store[string]{Name: "n", Dir: dir}
		set := func(v string) {
			require.NoError(t, store.Update(t.Context(), "k", func(e *Entry[string]) error { e.Value = v; return nil }))
		}
		set("old")
		p := exec.Command(program)
		p.Env = append(os.Environ(), "STATE_TEST=step", "DIR="+dir, "STEP="+strconv.Itoa(at))
		out, err := p.Output()
		if at == 6 {
			require.Equal(t, "done <nil>\n", string(out))
		} else {
			require.EqualError(t, err, "signal: killed")
		}
		r, err := store.Load(t.Context(), "k")
		require.NoError(t, err)
		assert.Equal(t, want, r.Value, "killed after step %d", at)
		set("newer") // what is left over is no hindrance
		r, err = store.Load(t.Context(), "k")
		require.NoError(t, err)
		assert.Equal(t, "newer", r.Value)
		names := []string{}
		entries, err := os.ReadDir(filepath.Join(dir, "n"))
		require.NoError(t, err)
		for _, e := range entries {
			names = append(names, e.Name())
		}
		assert.Equal(t, []string{"k.json", "name-k.lock"}, names)
	}
}
