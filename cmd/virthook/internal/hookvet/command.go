package hookvet

import (
	"go/ast"
	"path"
	"slices"
	"strings"
)

// command is a place in the source where a program is started.
type command struct {
	at       ast.Node
	words    []ast.Expr // the program and its arguments
	detached bool       // the hook does not wait for it
}

// commands yields them, wherever in the package they are.
func (p *program) commands(yield func(command) bool) {
	for call := range p.calls {
		if c := p.commandOf(call); len(c.words) > 0 && !yield(c) {
			return
		}
	}
}

// sdkCommand is the package for running commands from hooks.
const sdkCommand = sdkPath + "/command"

// commandOf is the command that the call starts, without words if it starts none.
func (p *program) commandOf(call *ast.CallExpr) command {
	name := p.calleeName(call)
	return command{at: call, words: p.wordsOf(name, call), detached: strings.HasPrefix(strings.TrimLeft(name, "("), sdkCommand) && strings.HasSuffix(name, ".Detach")}
}

func (p *program) wordsOf(function string, call *ast.CallExpr) []ast.Expr {
	switch function {
	case "os/exec.Command":
		return p.spread(call, call.Args)
	case "os/exec.CommandContext", sdkCommand + ".Run", sdkCommand + ".Output", sdkCommand + ".Detach":
		return p.spread(call, call.Args[1:])
	case "(" + sdkCommand + ".Command).Run", "(" + sdkCommand + ".Command).Output", "(" + sdkCommand + ".Command).Detach":
		if method, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
			return p.literalWords(method.X)
		}
	case "os.StartProcess", "syscall.Exec", "syscall.ForkExec", "syscall.StartProcess":
		if len(call.Args) < 2 { // they come from one call
			return nil
		}
		words := call.Args[:1:1]
		if argv, ok := p.elements(call.Args[1]); ok && len(argv) > 0 {
			words = append(words, argv[1:]...) // argv[0] is but a name
		}
		return words
	}
	return nil
}

// literalWords are those of a [command.Command] that is written as a literal, in the
// call or in the only assignment of the variable.
func (p *program) literalWords(e ast.Expr) (words []ast.Expr) {
	e = ast.Unparen(e)
	if v := p.variable(e); v != nil && !p.values.changed[v] && len(p.values.assigned[v]) == 1 {
		e = ast.Unparen(p.values.assigned[v][0])
	}
	lit, ok := e.(*ast.CompositeLit)
	if !ok {
		return nil
	}
	var args []ast.Expr
	for i, field := range lit.Elts {
		value, name := field, ""
		if kv, ok := field.(*ast.KeyValueExpr); ok {
			value, name = kv.Value, kv.Key.(*ast.Ident).Name
		}
		switch {
		case name == "Name", name == "" && i == 0:
			words = []ast.Expr{value}
		case name == "Args", name == "" && i == 1:
			args, _ = p.elements(value)
		}
	}
	if words == nil {
		return nil
	}
	return append(words, args...)
}

// spread writes out a list that is passed with "...".
func (p *program) spread(call *ast.CallExpr, args []ast.Expr) []ast.Expr {
	if !call.Ellipsis.IsValid() {
		return args
	}
	last := len(args) - 1
	list, _ := p.elements(args[last])
	return append(args[:last:last], list...)
}

// shells run their argument after -c.
var shells = []string{"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "fish", "busybox", "su"}

// wrappers run the program that their arguments name.
var wrappers = []string{
	"sudo", "doas", "env", "nohup", "setsid", "nice", "ionice", "timeout", "time", "chrt", "taskset", "unshare", "nsenter", "command", "exec",
	"builtin", "then", "do", "else", "if", "elif", "while", "until", "!",
}

// program is the name of the program that the words run; rest are its arguments.
func (p *program) program(words []ast.Expr) (name string, rest []ast.Expr) {
	for i, word := range words {
		if text := p.text(word); !passedOver(text) {
			return path.Base(text), words[i+1:]
		}
	}
	return "", nil
}

// passedOver says whether the program's name comes later: the word is a wrapper or
// an option, a setting or a number of one.
func passedOver(word string) bool {
	return slices.Contains(wrappers, path.Base(word)) || strings.HasPrefix(word, "-") || strings.Contains(word, "=") ||
		word != "" && '0' <= word[0] && word[0] <= '9' && strings.Trim(word, "0123456789.smhd") == ""
}

// script is what the command gives a shell to run, nil when it does not.
func (p *program) script(c command) ast.Expr {
	name, rest := p.program(c.words)
	if !slices.Contains(shells, name) {
		return nil
	}
	for i, word := range rest[:max(0, len(rest)-1)] {
		if option := p.text(word); option == "--command" ||
			strings.HasPrefix(option, "-") && !strings.HasPrefix(option, "--") && strings.HasSuffix(option, "c") {
			return rest[i+1]
		}
	}
	return nil
}

// scriptPrograms lists the names of the programs that a shell script runs, roughly,
// and says whether it leaves one running in the background.
func scriptPrograms(script string) (names []string, background bool) {
	s := scanner{text: []rune(script + "\n"), wanted: true}
	for s.at = range s.text {
		s.next()
	}
	return s.names, s.background
}

// scanner goes through a shell script.
type scanner struct {
	text       []rune
	at         int
	word       strings.Builder
	wanted     bool   // the next word is a program
	quote      rune   // that it is in, 0 for none
	outer      []rune // the quotes around $(…) and `…`
	ticked     bool   // it is in `…`
	names      []string
	background bool
}

func (s *scanner) next() {
	c := s.text[s.at]
	switch {
	case s.quote == '\'' && c != '\'', s.quote == '"' && c != '"' && c != '`' && !(c == '(' && s.look(-1) == '$'):
		s.word.WriteRune(c)
	case c == '\'' || c == '"':
		if s.quote == 0 {
			s.quote = c
		} else {
			s.quote = 0
		}
	case c == ' ' || c == '\t':
		s.end()
	case c == '&' && (strings.ContainsRune("<>", s.look(-1)) || s.look(1) == '>'):
		s.end() // a redirection
	case strings.ContainsRune(";|&(){}`\n", c):
		s.background = s.background || c == '&' && s.look(-1) != '&' && s.look(1) != '&'
		s.end()
		s.wanted = true
		s.nest(c)
	default:
		s.word.WriteRune(c)
	}
}

// nest enters and leaves parentheses and `…`, in which quotes begin anew.
func (s *scanner) nest(c rune) {
	enters := c == '(' || c == '`' && !s.ticked
	leaves := c == ')' || c == '`' && s.ticked
	s.ticked = s.ticked != (c == '`')
	switch {
	case enters:
		s.outer = append(s.outer, s.quote)
		s.quote = 0
	case leaves && len(s.outer) > 0:
		s.quote = s.outer[len(s.outer)-1]
		s.outer = s.outer[:len(s.outer)-1]
	}
}

func (s *scanner) look(by int) rune {
	if i := s.at + by; i >= 0 && i < len(s.text) {
		return s.text[i]
	}
	return 0
}

func (s *scanner) end() {
	if word := s.word.String(); word != "" && s.wanted && !passedOver(word) && !strings.ContainsAny(word, "<>") {
		s.names = append(s.names, path.Base(word))
		s.wanted = false
	}
	s.word.Reset()
}
