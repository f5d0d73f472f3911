package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/internal/recording"
	"github.com/virthook/virthook/internal/redact"
)

// recorderName is the hook that is this program itself. libvirt sorts a driver's hooks
// by name, so that it gets the XML before others in its folder change it.
const recorderName = "00-virthook-record"

// recorderMark is in every program that can be the recorder, and so tells ours.
const recorderMark = "virthook record: this program stores the calls of libvirt's hooks when it is called " + recorderName

// recorderConfig tells the recorder what to do. It is a file in the hooks folder, where
// libvirt passes over it: the recorder finds it by its own path, for hooks have no
// environment to speak of and any HOME.
type recorderConfig struct {
	Version int             `json:"version"`
	Dir     string          `json:"dir"` // as hooks see it
	Since   time.Time       `json:"since"`
	Limit   recording.Limit `json:"limit"`
	Created []string        `json:"created"` // the folders DRIVER.d that were made for it
}

const recorderConfigName = "virthook-record.json"

// readRecorderConfig fails with [fs.ErrNotExist] where nothing is recorded.
func readRecorderConfig(hooks string) (c recorderConfig, err error) {
	path := filepath.Join(hooks, recorderConfigName)
	content, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(content, &c); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	if c.Version != 1 || !filepath.IsAbs(c.Dir) {
		return c, fmt.Errorf("%s: not a recorder's configuration of version 1", path)
	}
	return c, nil
}

const (
	recorderInput = 64 << 20         // bytes of XML at most, as the SDK's
	recorderTime  = 10 * time.Second // after which it gives up
)

// runRecorder is the hook. It decides nothing and is in nobody's way: it prints
// nothing and exits with 0, come what may.
func runRecorder(argv []string) {
	at := time.Now()
	// Whoever holds our input or our disk holds us no longer than this.
	time.AfterFunc(recorderTime+time.Second, func() { os.Exit(0) })
	defer os.Exit(0)
	defer func() { _ = recover() }()
	record(at, argv, os.Stdin)
}

// record stores the call, or why it cannot be stored.
func record(at time.Time, argv []string, stdin io.Reader) {
	folder := filepath.Dir(argv[0])
	driver, ok := strings.CutSuffix(filepath.Base(folder), ".d")
	if !ok {
		return
	}
	c, err := readRecorderConfig(filepath.Dir(folder))
	if err != nil {
		return
	}
	store, err := recording.OpenUserStore(c.Dir, os.Getenv("HOME"), c.Since, c.Limit)
	if err != nil {
		return
	}
	problem := func(what any) {
		store.Problem(at, strings.Join(quoted(append([]string{driver}, argv[1:]...)), " ")+": not stored: "+fmt.Sprint(what))
	}
	defer func() {
		if v := recover(); v != nil {
			problem(fmt.Sprint("panic: ", v))
		}
	}()
	time.AfterFunc(recorderTime, func() {
		problem("not done after " + recorderTime.String())
		os.Exit(0)
	})
	if store.Full() {
		return
	}
	if len(argv) != 5 {
		problem(fmt.Sprintf("%d operands, libvirt passes 4", len(argv)-1))
		return
	}
	xml, err := io.ReadAll(io.LimitReader(stdin, recorderInput+1))
	switch {
	case err != nil:
		problem(err)
		return
	case len(xml) > recorderInput:
		problem(fmt.Sprintf("more than %d bytes of XML", recorderInput))
		return
	}
	err = store.Add(recording.Call{
		At: at, Driver: driver, Program: argv[0], Object: argv[1], Op: argv[2], SubOp: argv[3], Extra: argv[4],
		XML: redact.XML(xml), UID: os.Getuid(), Env: recordedEnv(os.Environ()),
	})
	if err != nil && !errors.Is(err, recording.ErrFull) { // which the store says itself, once
		problem(err)
	}
}

func quoted(args []string) []string {
	q := make([]string, len(args))
	for i, a := range args {
		q[i] = hookexec.Quote(a)
	}
	return q
}

// recordedEnv is the environment without secrets: of variables other than those that
// libvirt passes, the names alone.
func recordedEnv(env []string) []string {
	recorded := make([]string, 0, len(env))
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		if slices.Contains([]string{"LC_ALL", "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LD_PRELOAD", "LD_LIBRARY_PATH"}, name) {
			recorded = append(recorded, name+"="+redact.Text(value))
		} else {
			recorded = append(recorded, name+"="+redact.Mark)
		}
	}
	return recorded
}

// isRecorder says whether a file is a copy of a program that can be the recorder.
func isRecorder(path string) (bool, error) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false, err
	}
	content, err := os.ReadFile(path)
	return strings.Contains(string(content), recorderMark), err
}

// recorders are the files in the hooks folder that have the recorder's name.
func recorders(hooks string) ([]string, error) {
	entries, err := os.ReadDir(hooks)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".d") {
			continue
		}
		path := filepath.Join(hooks, e.Name(), recorderName)
		if _, err := os.Lstat(path); err == nil {
			found = append(found, path)
		} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return nil, err
		}
	}
	return found, nil
}
