package playbooks

import (
	"os"
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

// mustThree is a library of three playbooks that stays as it is, whatever ships:
// what tests of the format say about it holds on.
func mustThree(t *testing.T) *Library {
	t.Helper()
	var list []*Playbook
	for _, name := range []string{"kes-windows", "kesl", "klnagent"} {
		data, err := os.ReadFile("testdata/library/kaspersky/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(shippedPrefix+"vendors/kaspersky/"+name+".yaml", data)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	l, err := newLibrary(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
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
