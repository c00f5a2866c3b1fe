package playbooks

import "testing"

// TestLibraryDigest holds that libraries which may decide otherwise have
// different digests, and that equal ones have the same.
func TestLibraryDigest(t *testing.T) {
	t.Parallel()
	embedded, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	one, err := embedded.Select(".", []string{"kaspersky"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := embedded.Select(".", []string{"kaspersky"})
	if err != nil {
		t.Fatal(err)
	}
	if one.Digest() != again.Digest() {
		t.Error("the same selection has two digests")
	}
	digests := map[string]string{}
	for name, l := range map[string]*Library{"all": embedded, "one vendor": one, "one vendor, embedded counts": one.CountEmbedded(true)} {
		if other, taken := digests[l.Digest()]; taken {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		digests[l.Digest()] = name
	}
}
