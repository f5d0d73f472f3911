package main

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/virthook/virthook/gen/docs"
	"github.com/virthook/virthook/templates"
)

// manPages makes the manual pages of the program: one of it and one of each command.
//
// Cobra's own (package doc) are not used: they take Long for Markdown, which ours is not,
// print --json[=false] and --bin="" for options and leave out what they take, put a date
// into every page, and write UTF-8 that groff does not read without preconv.
func manPages(root *cobra.Command) (map[string][]byte, error) {
	t, err := template.New("command.1.tmpl").Funcs(docs.Roff).ParseFS(templates.FS, "command.1.tmpl")
	if err != nil {
		return nil, err
	}
	root.InitDefaultHelpCmd()
	files := map[string][]byte{}
	for _, c := range shown(root) {
		var b strings.Builder
		page := newManPage(c)
		if err := t.Execute(&b, page); err != nil {
			return nil, fmt.Errorf("rendering %s.1: %w", page.Name, err)
		}
		files[path.Join("man/man1", page.Name+".1")] = docs.RoffPage(b.String())
	}
	return files, nil
}

// shown are the command and those below it that its users see.
func shown(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Deprecated == "" {
			all = append(all, shown(sub)...)
		}
	}
	return all
}

// manPage is what a page says, as plain text but for Synopsis.
type manPage struct {
	Name, Summary, Synopsis string
	Doc, Status             []manBlock
	Commands                []manCommand
	Flags                   []manFlag
	Environment, Files      []manTerm
	Example                 string
	SeeAlso                 []manReference
}

// manBlock is a paragraph, lines that stay as they are, or what is said of a term.
type manBlock struct {
	Text    string
	Literal bool
	Term    string
	Body    []manBlock
}

type manCommand struct{ Name, Short string }

type manFlag struct{ Synopsis, Usage string }

type manTerm struct{ Name, Text string }

type manReference struct {
	Name    string
	Section int
	End     string
}

// manName is the page of a command.
func manName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

func newManPage(c *cobra.Command) *manPage {
	c.InitDefaultHelpFlag()
	c.InitDefaultVersionFlag()
	p := &manPage{
		Name: manName(c), Summary: uncapitalized(c.Short), Synopsis: manSynopsis(c),
		Environment: manEnvironment[c.CommandPath()], Files: manFiles[c.CommandPath()],
		Example: docs.Dedent(strings.Trim(c.Example, "\n")), SeeAlso: manSeeAlso(c),
	}
	for _, b := range manBlocks(cmp.Or(c.Long, manLong[c.CommandPath()], c.Short+".")) {
		if strings.HasPrefix(b.Text, "The exit status is 0 ") {
			p.Status = append(p.Status, b)
		} else {
			p.Doc = append(p.Doc, b)
		}
	}
	for _, sub := range shown(c)[1:] {
		if sub.Parent() == c {
			p.Commands = append(p.Commands, manCommand{manName(sub), sub.Short})
		}
	}
	add := func(f *pflag.Flag) {
		if !f.Hidden {
			p.Flags = append(p.Flags, newManFlag(f))
		}
	}
	c.LocalFlags().VisitAll(add)
	c.InheritedFlags().VisitAll(add)
	return p
}

// uncapitalized is a summary as manual pages have it.
func uncapitalized(s string) string {
	if rs := []rune(s); len(rs) > 1 && unicode.IsLower(rs[1]) {
		rs[0] = unicode.ToLower(rs[0])
		return string(rs)
	}
	return s
}

// capitalized is a usage as a sentence.
func capitalized(s string) string {
	rs := []rune(s)
	if len(rs) > 0 {
		rs[0] = unicode.ToUpper(rs[0])
	}
	return string(rs)
}

// usageWord tells what is typed as it is from what stands for something.
var usageWord = regexp.MustCompile(`--?[a-z][a-z-]*|[A-Z][A-Z-]*(?:\.[a-z]+)?|[^A-Z-]+|.`)

// manSynopsis is the line of use, with fonts.
func manSynopsis(c *cobra.Command) string {
	_, rest, _ := strings.Cut(c.Use, " ")
	switch {
	case c.HasAvailableSubCommands():
		if rest = "COMMAND"; c.Name() == "completion" {
			rest = "SHELL"
		}
	case c.LocalFlags().HasAvailableFlags():
		rest = strings.TrimSpace(rest + " [OPTION]…")
	}
	words := []string{`\fB` + docs.RoffEscape(c.CommandPath()) + `\fR`}
	for _, w := range strings.Fields(rest) {
		var b strings.Builder
		for _, part := range usageWord.FindAllString(w, -1) {
			switch font := "R"; {
			case unicode.IsUpper(rune(part[0])):
				font = "I"
				fallthrough
			case strings.HasPrefix(part, "-") && len(part) > 1:
				if font == "R" {
					font = "B"
				}
				b.WriteString(`\f` + font + docs.RoffEscape(part) + `\fR`)
			default:
				b.WriteString(docs.RoffEscape(part))
			}
		}
		words = append(words, b.String())
	}
	return strings.Join(words, " ")
}

// newManFlag says a flag as the help does.
func newManFlag(f *pflag.Flag) manFlag {
	name, usage := pflag.UnquoteUsage(f)
	var forms []string
	if f.Shorthand != "" {
		forms = append(forms, `\fB`+docs.RoffEscape("-"+f.Shorthand)+`\fR`)
	}
	forms = append(forms, `\fB`+docs.RoffEscape("--"+f.Name)+`\fR`)
	synopsis := strings.Join(forms, ", ")
	if name != "" {
		synopsis += ` \fI` + docs.RoffEscape(name) + `\fR`
	}
	switch f.DefValue {
	case "", "false", "0", "0s", "[]":
	default:
		usage += " (default " + f.DefValue + ")"
	}
	return manFlag{synopsis, capitalized(usage)}
}

// itemLine begins what is said of a term: the check of vet, for instance.
var itemLine = regexp.MustCompile(`^  ([a-z][a-z0-9-]*): (\S.*)$`)

// manBlocks takes a Long text apart. Indented lines stay as they are, but for paragraphs
// that are indented by four: they belong to the term above them.
func manBlocks(long string) []manBlock {
	var blocks []manBlock
	paragraphs := strings.Split(strings.Trim(long, "\n"), "\n\n")
	for i := 0; i < len(paragraphs); i++ {
		p := strings.Trim(paragraphs[i], "\n")
		switch item := itemLine.FindStringSubmatch(p); {
		case item != nil && i+1 < len(paragraphs) && strings.HasPrefix(paragraphs[i+1], "    "):
			var body []string
			for ; i+1 < len(paragraphs) && strings.HasPrefix(paragraphs[i+1], "    "); i++ {
				body = append(body, strings.ReplaceAll("\n"+paragraphs[i+1], "\n    ", "\n")[1:])
			}
			blocks = append(blocks, manBlock{Term: item[1], Text: capitalized(item[2]) + ".", Body: manBlocks(strings.Join(body, "\n\n"))})
		case strings.HasPrefix(p, " ") || strings.HasPrefix(p, "\t"):
			blocks = append(blocks, manLines(docs.Dedent(p))...)
		default:
			// A literal line may follow without an empty one.
			if at := strings.Index(p, "\n "); at >= 0 {
				blocks = append(append(blocks, manBlock{Text: p[:at]}), manLines(docs.Dedent(p[at+1:]))...)
				continue
			}
			blocks = append(blocks, manBlock{Text: p})
		}
	}
	return blocks
}

// tableLine is what a list of words with their meaning is made of.
var tableLine = regexp.MustCompile(`^(\S+) {2,}(\S.*)$`)

// manLines are lines that stay as they are, or a list.
func manLines(text string) []manBlock {
	var terms []manBlock
	for l := range strings.SplitSeq(text, "\n") {
		row := tableLine.FindStringSubmatch(l)
		if row == nil {
			return []manBlock{{Text: text, Literal: true}}
		}
		terms = append(terms, manBlock{Term: row[1], Text: row[2]})
	}
	return terms
}

// manSeeAlso are the pages that belong together: the command above and those beside it, or
// below, and those that the text mentions.
func manSeeAlso(c *cobra.Command) []manReference {
	var names []string
	add := func(of ...*cobra.Command) {
		for _, o := range of {
			if o != c && !o.Hidden && o.Deprecated == "" && !slices.Contains(names, manName(o)) {
				names = append(names, manName(o))
			}
		}
	}
	if c.HasParent() {
		add(c.Parent())
		if c.Parent().HasParent() {
			add(c.Parent().Commands()...)
		}
		for _, other := range c.Root().Commands() {
			if mentioned := regexp.MustCompile(`\bvirthook ` + regexp.QuoteMeta(other.Name()) + `\b`); mentioned.MatchString(c.Long) {
				add(other)
			}
		}
		add(related(c)...)
	}
	add(c.Commands()...)
	slices.Sort(names)
	var refs []manReference
	for _, n := range names {
		refs = append(refs, manReference{n, 1, ","})
	}
	return append(refs, manReference{"virthook-hooks", 7, ""})
}

// relations are commands that are used after one another.
var relations = [][]string{
	{"new", "fire", "vet"}, {"fire", "replay", "events"}, {"record", "replay"}, {"build", "package", "install"},
	{"install", "uninstall", "doctor"}, {"generate", "docs", "verify-spec"}, {"events", "docs"},
}

func related(c *cobra.Command) []*cobra.Command {
	var found []*cobra.Command
	for _, r := range relations {
		if slices.Contains(r, c.Name()) && !c.Parent().HasParent() {
			for _, other := range c.Root().Commands() {
				if slices.Contains(r, other.Name()) {
					found = append(found, other)
				}
			}
		}
	}
	return found
}

var (
	noColor    = []manTerm{{"NO_COLOR", "If it is not empty, nothing is coloured, as without a terminal or on one whose TERM is dumb."}}
	hooks      = manTerm{"/etc/libvirt/hooks", "The hooks folder of libvirt, unless it was built with another."}
	recordings = manTerm{"/var/lib/virthook/recordings", "What was recorded, a folder each time."}
	fleets     = manTerm{"virthook.yaml", "The hosts of a fleet, and what their hooks are made of."}
)

// manLong describes commands whose help says enough with what is below them.
var manLong = map[string]string{
	"virthook": `libvirt runs hooks, programs of the administrator's, at every start, stop, migration
and restore of a guest and at every change of a network. With virthook they are typed Go
functions, compiled to one static program.

This is its tool: it starts hook projects, calls hooks as libvirt does and plays whole
lives of guests at them, finds mistakes, builds, packages and installs hooks, says why one
would not run, and lists what libvirt calls hooks for. It needs no libvirt but to install
and to record.`,
}

// manEnvironment are the variables that commands look at.
var manEnvironment = map[string][]manTerm{
	"virthook fire":         noColor,
	"virthook replay":       noColor,
	"virthook package":      {{"SOURCE_DATE_EPOCH", "The time that everything in the packages has, in seconds since 1970."}},
	"virthook record start": {{"HOME", "Where a user's own recordings are."}},
}

// manFiles are the files that commands find by themselves.
var manFiles = map[string][]manTerm{
	"virthook build":         {fleets},
	"virthook package":       {fleets},
	"virthook install":       {hooks},
	"virthook uninstall":     {hooks},
	"virthook doctor":        {hooks},
	"virthook record show":   {recordings},
	"virthook record start":  {hooks, recordings, {"~/.local/state/virthook/recordings", "The same of a user's own daemons."}},
	"virthook record stop":   {hooks},
	"virthook record status": {hooks},
}
