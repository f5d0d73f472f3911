// Package templates holds the text/template and html/template files of what is not Go code.
package templates

import "embed"

// FS has every template at its top level.
//
//go:embed *.tmpl
var FS embed.FS

// New has the files of a new hook project below new, each a text/template named as the
// file that it makes, with .tmpl.
//
//go:embed all:new
var New embed.FS
