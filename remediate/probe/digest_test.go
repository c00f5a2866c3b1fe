package probe_test

import (
	"testing"

	"oust/remediate"
	"oust/remediate/probe"
)

// TestDigest: the digest is that of what is asked, and of nothing else.
func TestDigest(t *testing.T) {
	t.Parallel()
	asks := remediate.Questions{Paths: []string{`/opt/x`}}
	digests := map[string]string{}
	for name, c := range map[string]struct {
		platform remediate.Platform
		asks     remediate.Questions
		second   bool
	}{
		"linux":             {remediate.Linux, asks, false},
		"linux, no path":    {remediate.Linux, remediate.Questions{}, false},
		"windows":           {remediate.Windows, remediate.Questions{}, false},
		"windows, a second": {remediate.Windows, remediate.Questions{}, true},
	} {
		digest, err := probe.Digest(c.platform, c.asks, c.second)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := probe.Digest(c.platform, c.asks, c.second); err != nil || again != digest {
			t.Errorf("%s: %s, then %s, %v", name, digest, again, err)
		}
		if other, is := digests[digest]; is {
			t.Errorf("%s has the digest of %s", name, other)
		}
		digests[digest] = name
	}
	if _, err := probe.Digest(remediate.Windows, remediate.Questions{Paths: []string{"C:\\x\ny"}}, false); err == nil {
		t.Error("a question that cannot be asked has a digest")
	}
}
