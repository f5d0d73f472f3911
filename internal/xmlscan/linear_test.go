package xmlscan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Documents made to be slow to read, of about n times a few bytes.
var adversarial = map[string]func(n int) string{
	"deep":             func(n int) string { return strings.Repeat("<a>", n) },
	"unclosed tags":    func(n int) string { return "<r>" + strings.Repeat("<a>x</a><b c=''", n) },
	"wide":             func(n int) string { return "<r>" + strings.Repeat("<a/>", n) + "</r>" },
	"deep and wide":    func(n int) string { return "<r>" + strings.Repeat(deepest, n/1000+1) + "</r>" },
	"long name":        func(n int) string { return "<r>" + strings.Repeat("n", 4*n) + "</r>" },
	"long names":       func(n int) string { return "<" + strings.Repeat("n", 4*n) + "></" + strings.Repeat("n", 4*n) + ">" },
	"huge attribute":   func(n int) string { return "<r a='" + strings.Repeat("xy&lt;", n) + "'/>" },
	"unclosed value":   func(n int) string { return "<r a='" + strings.Repeat("x", 8*n) },
	"quotes":           func(n int) string { return "<r a='" + strings.Repeat(`"`, 8*n) + "'/>" },
	"attributes":       func(n int) string { return "<r" + numbered(n, " a%d=''") + "/>" },
	"equal attributes": func(n int) string { return "<r" + strings.Repeat(" a=''", n) + "/>" },
	"alike attributes": alikeAttributes,
	"declarations":     func(n int) string { return "<r" + numbered(n, " xmlns:a%d='u'") + numbered(n, " a%d:b=''") + "/>" },
	"undeclared":       func(n int) string { return "<r" + numbered(100, " xmlns:a%d='u'") + numbered(n, " b%d:b=''") + "/>" },
	"redeclared":       func(n int) string { return strings.Repeat("<r"+numbered(n/200, " xmlns:a%d='u'")+">", 200) },
	"declared and left": func(n int) string {
		return "<r" + numbered(n, " xmlns:a%d='u'") + ">" + strings.Repeat("<b xmlns:a='u' a:c=''/>", n) + "</r>"
	},
	"one long URI": func(n int) string {
		return "<r xmlns='&lt;" + strings.Repeat("u", 8*n) + "'>" + strings.Repeat("<a/>", n) + "</r>"
	},
	"long comment":     func(n int) string { return "<!--" + strings.Repeat("- ", 8*n) + "--><r/>" },
	"unclosed comment": func(n int) string { return "<!--" + strings.Repeat("- ", 8*n) },
	"comments":         func(n int) string { return strings.Repeat("<!---->", n) + "<r/>" },
	"unclosed CDATA":   func(n int) string { return "<r><![CDATA[" + strings.Repeat("]] ", 8*n) },
	"CDATA":            func(n int) string { return "<r>" + strings.Repeat("<![CDATA[]]>", n) + "</r>" },
	"instructions":     func(n int) string { return strings.Repeat("<?p ?>", n) + "<r/>" },
	"unclosed PI":      func(n int) string { return "<?p " + strings.Repeat("?", 8*n) },
	"brackets":         func(n int) string { return "<r>" + strings.Repeat("]", 8*n) + "</r>" },
	"references":       func(n int) string { return "<r>" + strings.Repeat("&amp;", n) + "</r>" },
	"bare ampersands":  func(n int) string { return "<r>" + strings.Repeat("&", 8*n) + "</r>" },
	"long reference":   func(n int) string { return "<r>&" + strings.Repeat("x", 8*n) + ";</r>" },
	"long number":      func(n int) string { return "<r>&#" + strings.Repeat("0", 8*n) + "65;</r>" },
	"line ends":        func(n int) string { return "<r>" + strings.Repeat("\r", 8*n) + "&lt;</r>" },
	"beyond ASCII":     func(n int) string { return "<r>" + strings.Repeat("é", 4*n) + "</r>" },
	"last byte bad":    func(n int) string { return "<r>" + strings.Repeat("\n", 8*n) + "\x00" },
}

var deepest = strings.Repeat("<a xmlns:p='u'>", MaxDepth-1) + strings.Repeat("</a>", MaxDepth-1)

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// alikeAttributes are few and long, and differ in their last byte only.
func alikeAttributes(n int) string {
	var b strings.Builder
	prefix := strings.Repeat("a", n/26)
	for c := 'a'; c <= 'z'; c++ {
		b.WriteString(" " + prefix + string(c) + "=''")
	}
	return "<r" + b.String() + "/>"
}

// Four times the input may take eight times as long, for what caches do, and not
// sixteen times. Other work on the machine gets other tries.
func TestLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for name, make := range adversarial {
		t.Run(name, func(t *testing.T) {
			const n, tries, limit = 50_000, 30, 12 // what is quadratic takes 16 times as long
			small, large := []byte(make(n)), []byte(make(4*n))
			var s Scanner
			readEverything(&s, large) // its memory is there from here on
			best := [2]time.Duration{time.Hour, time.Hour}
			for range tries {
				best[0] = min(best[0], readEverything(&s, small))
				best[1] = min(best[1], readEverything(&s, large))
				// Too short to be measured is short enough.
				if best[1] < limit*max(best[0], time.Millisecond) {
					t.Logf("%v for n, %v for 4n", best[0], best[1])
					return
				}
			}
			assert.Fail(t, "not linear", "%v for n, %v for 4n", best[0], best[1])
		})
	}
}

// A million is what the issue asks for; it must end in reasonable time.
func TestMillion(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for _, name := range []string{"attributes", "declarations", "references", "wide"} {
		src := []byte(adversarial[name](1_000_000))
		took := readEverything(new(Scanner), src)
		t.Logf("%s, %d MB: %v", name, len(src)>>20, took)
		assert.Less(t, took, time.Minute, name)
	}
}

// readEverything does what a decoder does: it scans, asks for the namespace of
// every name and resolves every text. It returns how long it took.
func readEverything(s *Scanner, src []byte) time.Duration {
	start := time.Now()
	var text []byte
	s.Reset(src)
	for {
		kind, err := s.Next()
		if err != nil || kind == EOF {
			return time.Since(start)
		}
		switch kind {
		case Start:
			s.Space(prefixOf(s, s.Name(), s.Local()))
			for _, a := range s.Attrs() {
				s.Space(prefixOf(s, a.Name, a.Local))
				text = AppendAttr(text[:0], s.Bytes(a.Value))
			}
		case Text:
			text = AppendText(text[:0], s.Bytes(s.Content()))
		}
	}
}

func prefixOf(s *Scanner, name, local Span) []byte {
	return s.Bytes(Span{name.From, max(name.From, local.From-1)})
}
