package hookvet

import "strings"

var shell = check("shell", `find shell scripts that are put together at run time

A guest's name may hold quotes, spaces, semicolons and newlines, and so may
much of its XML: in a script for sh -c they run as root. Call the program
itself, or pass the values as arguments to a script that is a constant:

	exec.Command("sh", "-c", `+"`echo \"$1\"`"+`, "sh", name)

Constants joined together are one, as are a variable and a parameter that
the package only ever sets to constants.`, runShell)

func runShell(p *program, report report) {
	for c := range p.commands {
		if script := p.script(c); script != nil && strings.Contains(p.text(script), unknown) {
			report(script, "this script is put together at run time, and what a guest's name or XML puts there runs as root; call the program itself, or pass values as arguments of a constant script")
		}
	}
}
