package hooktest

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// compareLines says whether two lists are the same, and shows where they differ: "- "
// before what was wanted only, "+ " before what was got only.
func compareLines(want, got []string) (text string, same bool) {
	if slices.Equal(want, got) {
		return "", true
	}
	// common[i][j] is how many lines want[i:] and got[j:] have in common, in order.
	common := make([][]int, len(want)+1)
	for i := range common {
		common[i] = make([]int, len(got)+1)
	}
	for i := len(want) - 1; i >= 0; i-- {
		for j := len(got) - 1; j >= 0; j-- {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); want[i] == got[j] {
				common[i][j] = 1 + common[i+1][j+1]
			}
		}
	}
	var b strings.Builder
	line := func(mark, text string) { b.WriteString(mark + strings.ReplaceAll(text, "\n", "\n"+mark) + "\n") }
	i, j := 0, 0
	for i < len(want) || j < len(got) {
		switch {
		case i < len(want) && j < len(got) && want[i] == got[j]:
			line("  ", want[i])
			i++
			j++
		case i < len(want) && (j == len(got) || common[i+1][j] >= common[i][j+1]):
			line("- ", want[i])
			i++
		default:
			line("+ ", got[j])
			j++
		}
	}
	return b.String(), false
}

// value is a value in a line: as it is when it speaks for itself, else quoted.
func value(s string) string {
	strange := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	if s == "" || strings.TrimSpace(s) != s || s[0] == '"' || strings.Contains(s, "->") || strings.ContainsFunc(s, strange) {
		return strconv.Quote(s)
	}
	return s
}
