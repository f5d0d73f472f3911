package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"
)

// appendField writes a field in the journal's protocol: with the value's length before
// it where the value has a newline or is not plain text.
func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	if utf8.ValidString(value) && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' }) {
		b = append(b, '=')
	} else {
		b = append(b, '\n')
		b = binary.LittleEndian.AppendUint64(b, uint64(len(value)))
	}
	b = append(b, value...)
	return append(b, '\n')
}

const cutMark = " [cut]"

// cut cuts s to at most n bytes, between characters, and says so.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n = max(0, n-len(cutMark))
	for i := 0; i < utf8.UTFMax-1 && n > 0 && !utf8.RuneStart(s[n]); i++ {
		n--
	}
	return s[:n] + cutMark
}

// uncut is a limit that no value reaches.
const uncut = int(^uint(0) >> 1)

func (o *output) toJournal(r *record) bool {
	entry := o.entry(r, uncut)
	err := send(o.journal, entry, -1)
	if !tooLarge(err) {
		return err == nil
	}
	if fd, err := o.memfd(entry); err == nil {
		err := send(o.journal, nil, fd)
		closeFile(fd)
		if err == nil {
			return true
		}
	}
	for limit := 64 << 10; limit >= 64 && tooLarge(err); limit /= 2 {
		err = send(o.journal, o.entry(r, limit), -1)
	}
	return err == nil
}

func (o *output) toSyslog(r *record) bool {
	const facility = 3 << 3 // daemon
	head := "<" + strconv.Itoa(facility|priority(r.level)) + ">" + tag(o.identifier) + "[" + strconv.Itoa(syscall.Getpid()) + "]: "
	line := r.line(true)
	for _, socket := range o.syslog {
		err := send(socket, []byte(head+line), -1)
		for limit := 64 << 10; limit >= 256 && tooLarge(err); limit /= 2 {
			err = send(socket, []byte(head+cut(line, limit)), -1)
		}
		if err == nil {
			return true
		}
	}
	return false
}

// tag is the identifier as syslog daemons find its end.
func tag(identifier string) string {
	return string(bytes.Map(func(r rune) rune {
		if r <= ' ' || strings.ContainsRune(`:[]<>`, r) {
			return '_'
		}
		return r
	}, []byte(identifier)))
}

// tooLarge says that a smaller datagram may be taken.
func tooLarge(err error) bool {
	return errors.Is(err, syscall.EMSGSIZE) || errors.Is(err, syscall.ENOBUFS)
}
