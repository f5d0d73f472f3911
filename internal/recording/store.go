package recording

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// Limit is how much a recording may hold; of two limits both hold, and 0 is none.
type Limit struct {
	Calls int64 `json:"calls,omitempty"`
	Bytes int64 `json:"bytes,omitempty"` // on the disk, in blocks of [Block]
}

// Block is what a call's file takes a multiple of.
const Block = 4096

// ErrFull says that the limit is reached.
var ErrFull = errors.New("the limit is reached, no more calls are stored")

// ErrForeign says that the folder is not one that this user alone can write to.
var ErrForeign = errors.New("not a folder of the user who runs this")

// maxErrorLog is how long errors.log may get, in bytes.
const maxErrorLog = 64 << 10

// Store is a recording that is written to. Any number of processes may write to one
// at once; none of them waits for another.
type Store struct {
	root  *os.Root
	limit Limit
}

// Create makes the folder for a recording, and those above it. It may be there
// already if it is empty.
func Create(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s: not empty: a recording gets a folder of its own", dir)
	}
	s, err := OpenStore(dir, Limit{})
	if err != nil {
		return err
	}
	s.Close()
	return os.Chmod(dir, 0o700)
}

// OpenStore opens the folder of a recording to add calls. The folder is refused with
// [ErrForeign] when it is a symbolic link, belongs to another user, or lets others
// write.
func OpenStore(dir string, limit Limit) (*Store, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	named, err := os.Lstat(dir) // no link; and the folder that was opened
	if err != nil {
		root.Close()
		return nil, err
	}
	opened, err := root.Stat(".")
	if err != nil {
		root.Close()
		return nil, err
	}
	st, ok := opened.Sys().(*syscall.Stat_t)
	if !ok || !os.SameFile(named, opened) || int64(st.Uid) != int64(os.Geteuid()) || opened.Mode().Perm()&0o022 != 0 {
		root.Close()
		return nil, fmt.Errorf("%s: %w, or others can write to it", dir, ErrForeign)
	}
	return &Store{root, limit}, nil
}

// Close ends the use of the store.
func (s *Store) Close() { _ = s.root.Close() }

// Full says whether the limit is reached, which it stays.
func (s *Store) Full() bool {
	for _, c := range s.counters(0) {
		if info, err := s.root.Stat(c.file); err == nil && c.limit > 0 && info.Size() > c.limit {
			return true
		}
	}
	return false
}

// A counter is a file whose length counts: to reserve n is to append n bytes. The
// kernel puts one append after the other and says where each ended, so each process
// knows what it got without a lock.
type counter struct {
	file     string
	n, limit int64
}

func (s *Store) counters(size int) []counter {
	return []counter{
		{".calls", 1, s.limit.Calls},
		{".blocks", (int64(size) + Block - 1) / Block, s.limit.Bytes / Block},
	}
}

// reserve takes room for a call. One process learns that it is the first for which
// there was none.
func (s *Store) reserve(size int) (first bool, err error) {
	if s.Full() {
		return false, ErrFull
	}
	for _, c := range s.counters(size) {
		if c.limit == 0 {
			continue
		}
		end, err := s.appendTo(c.file, make([]byte, c.n))
		if err != nil {
			return false, err
		}
		if end > c.limit {
			return end-c.n <= c.limit, ErrFull
		}
	}
	return false, nil
}

// appendTo returns where in the file the content ends.
func (s *Store) appendTo(name string, content []byte) (end int64, err error) {
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		return 0, err
	}
	return f.Seek(0, io.SeekCurrent)
}

// Add stores a call; at the limit it stores nothing and returns [ErrFull], which the
// first one to meet the limit also tells errors.log.
func (s *Store) Add(c Call) error {
	content, err := encode(c)
	if err != nil {
		return err
	}
	if first, err := s.reserve(len(content)); err != nil {
		if first {
			s.Problem(c.At, err.Error())
		}
		return err
	}
	name := fmt.Sprintf("%s-%s-%s-%08x%s", c.At.UTC().Format("20060102T150405.000000000Z"), plain(c.Driver), plain(c.Op), rand.Uint32(), ending)
	temp := "." + name + "-" + strconv.Itoa(os.Getpid())
	if err := s.write(temp, content); err != nil {
		_ = s.root.Remove(temp)
		return err
	}
	if err := s.root.Rename(temp, name); err != nil {
		_ = s.root.Remove(temp)
		return err
	}
	return nil
}

func (s *Store) write(name string, content []byte) error {
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// plain is a word that may be part of a file's name.
func plain(word string) string {
	if word == "" || len(word) > 40 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "other"
	}
	return word
}

// Problem adds a line to errors.log, unless that is long already.
func (s *Store) Problem(at time.Time, what string) {
	if info, err := s.root.Lstat(errorLog); err == nil && (info.Size() > maxErrorLog || !info.Mode().IsRegular()) {
		return
	}
	if strings.ContainsFunc(what, func(r rune) bool { return !unicode.IsPrint(r) }) {
		what = strconv.Quote(what)
	}
	// There is nobody to tell when this fails too.
	_, _ = s.appendTo(errorLog, []byte(at.UTC().Format(time.RFC3339)+" "+what+"\n"))
}

// Reached says whether the recording in the folder has reached the limit.
func Reached(dir string, limit Limit) (bool, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return false, err
	}
	s := &Store{root, limit}
	defer s.Close()
	return s.Full(), nil
}

// UserDir is where the calls of a session daemon are stored, whose user has the home
// folder, when root records into another: in .local/state there, by the time at which
// the recording began.
func UserDir(home string, since time.Time) (string, error) {
	if !filepath.IsAbs(home) {
		return "", fmt.Errorf("no folder for a user's recording: HOME is %q", home)
	}
	return filepath.Join(home, ".local/state/virthook/recordings", Stamp(since)), nil
}

// Stamp is a time as the name of a folder.
func Stamp(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// OpenUserStore is [OpenStore] for a user's own daemon: where the folder is root's,
// it is one of the user's own.
func OpenUserStore(dir, home string, since time.Time, limit Limit) (*Store, error) {
	s, err := OpenStore(dir, limit)
	if err == nil || os.Geteuid() == 0 || !errors.Is(err, ErrForeign) && !errors.Is(err, fs.ErrPermission) {
		return s, err
	}
	if dir, err = UserDir(home, since); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return OpenStore(dir, limit)
}
