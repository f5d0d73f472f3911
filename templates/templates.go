// Package templates holds the text/template and html/template files of what is not Go code.
package templates

import "embed"

// FS has every template at its top level.
//
//go:embed *.tmpl
var FS embed.FS
