package fleet

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"
)

// kindOf names what a node holds, for people.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!str":
		return "a text"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "empty"
	}
	return "of the type " + n.ShortTag()
}

// followed is the node that an alias stands for.
func followed(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// pair is a key of a mapping with its value.
type pair struct{ key, value *yaml.Node }

// pairs are those of a mapping, with what << merges into it.
func pairs(n *yaml.Node) ([]pair, error) {
	var own, merged []pair
	has := func(in []pair, key string) bool {
		return slices.ContainsFunc(in, func(p pair) bool { return p.key.Value == key })
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], followed(n.Content[i+1])
		switch {
		case key.ShortTag() == "!!merge":
			from := []*yaml.Node{value}
			if value.Kind == yaml.SequenceNode {
				from = value.Content
			}
			for _, f := range from {
				f = followed(f)
				if f.Kind != yaml.MappingNode {
					return nil, fmt.Errorf("<< is for mappings")
				}
				more, err := pairs(f)
				if err != nil {
					return nil, err
				}
				for _, p := range more {
					if !has(merged, p.key.Value) {
						merged = append(merged, p)
					}
				}
			}
		case key.Kind != yaml.ScalarNode:
			return nil, fmt.Errorf("a key is %s", kindOf(key))
		case has(own, key.Value):
			return nil, fmt.Errorf("key %q is there twice", key.Value)
		default:
			own = append(own, pair{key, value})
		}
	}
	for _, p := range merged {
		if !has(own, p.key.Value) {
			own = append(own, p)
		}
	}
	return own, nil
}

// emptyMapping stands for one that is left out.
func emptyMapping(line int) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: line}
}
