package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// rules are ordered: the first whose folder holds a path is the one that counts.
type rules []rule

type rule struct {
	From string `json:"from"`
	To   string `json:"to"`
}

func readRules(file string) (rules, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r, err := parseRules(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

func parseRules(data []byte) (rules, error) {
	var doc struct {
		Rules rules `json:"rules"`
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something after the rules")
	}
	seen := map[string]bool{}
	for i := range doc.Rules {
		r := &doc.Rules[i]
		for _, folder := range []string{r.From, r.To} {
			if !path.IsAbs(folder) || folder == "/" {
				return nil, fmt.Errorf("rule %d: %q is not an absolute folder", i+1, folder)
			}
		}
		r.From, r.To = path.Clean(r.From), path.Clean(r.To)
		if seen[r.From] {
			return nil, fmt.Errorf("rule %d: a second rule for %s", i+1, r.From)
		}
		seen[r.From] = true
	}
	slices.SortFunc(doc.Rules, func(a, b rule) int { return cmp.Compare(len(b.From), len(a.From)) })
	return doc.Rules, nil
}

// move returns where the file is on this host.
func (rs rules) move(file string) string {
	for _, r := range rs {
		if rest, ok := strings.CutPrefix(path.Clean(file), r.From+"/"); ok {
			return r.To + "/" + rest
		}
	}
	return file
}
