package playbooks

import (
	"testing"

	"oust/remediate"
)

func mustParse(t *testing.T, text string) *Playbook {
	t.Helper()
	p, err := Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustEmbedded(t *testing.T) *Library {
	t.Helper()
	l, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func pathFact(path string) remediate.PathFact {
	return remediate.PathFact{Path: path, Kind: remediate.PathDir}
}
