package templates

import "embed"

// Package has what virthook package writes besides programs: below package/scripts the
// maintainer scripts of a deb or rpm, each a text/template, and below package/ansible
// the files of a role as they are, or with .tmpl a text/template for one.
//
//go:embed all:package
var Package embed.FS
