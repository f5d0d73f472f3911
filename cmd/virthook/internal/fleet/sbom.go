package fleet

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"runtime/debug"
	"strings"
)

// sbomFile is the bill of materials, in CycloneDX 1.6.
const sbomFile = "sbom.cdx.json"

type sbom struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   metadata    `json:"metadata"`
	Components []component `json:"components"`

	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Hashes     []sbomHash `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type sbomHash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

// billOfMaterials reads what Go has written into the program: which modules it is made
// of. There are no times or serial numbers in it: the same program has the same bill.
func billOfMaterials(program, name, sum string) (out []byte, goVersion string, err error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, "", err
	}
	doc := sbom{Format: "CycloneDX", Spec: "1.6", Version: 1}
	doc.Metadata.Component = component{
		Type: "application", Ref: name, Name: name,
		Hashes: []sbomHash{{"SHA-256", sum}},
	}
	for _, s := range info.Settings {
		if s.Key == "GOOS" || s.Key == "GOARCH" {
			doc.Metadata.Component.Properties = append(doc.Metadata.Component.Properties, property{"virthook:" + strings.ToLower(s.Key), s.Value})
		}
	}
	add := func(path, version, sum string) {
		c := component{Type: "library", Name: path, Version: version, PURL: "pkg:golang/" + path}
		if version != "" {
			c.PURL += "@" + strings.ReplaceAll(version, "+", "%2B")
		}
		c.Ref = c.PURL
		if sum != "" {
			c.Properties = append(c.Properties, property{"virthook:go.sum", sum})
		}
		doc.Components = append(doc.Components, c)
	}
	std := strings.Fields(strings.TrimPrefix(info.GoVersion, "go"))[0]
	add("std", std, "")
	add(info.Main.Path, released(info.Main), "")
	for _, m := range info.Deps {
		from := m
		if m.Replace != nil && m.Replace.Version != "" && m.Replace.Version != "(devel)" { // else a folder, which is nobody else's matter
			from = m.Replace
		}
		sum := from.Sum
		if m.Replace != nil && from == m {
			sum = ""
		}
		add(from.Path, released(*from), sum)
	}
	refs := make([]string, len(doc.Components))
	for i, c := range doc.Components {
		refs[i] = c.Ref
	}
	doc.Dependencies = []dependency{{name, refs}}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err = enc.Encode(doc)
	return b.Bytes(), info.GoVersion, err
}

// released is the version of a module; "" where it has none.
func released(m debug.Module) string {
	if m.Version == "(devel)" {
		return ""
	}
	return m.Version
}
