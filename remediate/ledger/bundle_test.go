package ledger_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/ledger"
)

// bundle makes a bundle and unpacks it.
func bundle(t *testing.T, b ledger.Bundle) (dir string, packed []byte) {
	t.Helper()
	var out bytes.Buffer
	if err := b.Write(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.CopyFS(dir, z); err != nil {
		t.Fatal(err)
	}
	return dir, out.Bytes()
}

// verifierProgram builds the check that goes with a bundle.
func verifierProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "verify")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../docs/verify/main.go").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// verifier is that check of an unpacked bundle.
func verifier(t *testing.T) func(dir, key string) (string, error) {
	t.Helper()
	program := verifierProgram(t)
	return func(dir, key string) (string, error) {
		args := []string{dir}
		if key != "" {
			args = []string{"-key", key, dir}
		}
		out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
		return string(out), err
	}
}

// rawName is where the raw text of wholeBundle stands.
var rawName = "raw/" + strings.TrimPrefix(remediate.Digest([]byte("raw")), "sha256:") + ".txt"

func wholeBundle(t *testing.T) (ledger.Bundle, *ledger.Signer, *ledger.Signer) {
	t.Helper()
	first, second := newSigner(t, "oust/kas-2026"), newSigner(t, "oust/kas-2026")
	const plan = "the plan\n"
	w := newWriter(t, first)
	w.add("", remediate.RecordPlan, remediate.PlanSaved{Plan: "p1", Digest: remediate.Digest([]byte(plan))})
	w.head()
	w.add("web-1", remediate.RecordLook, remediate.LookTaken{Kind: remediate.LookScan, Raw: remediate.Digest([]byte("raw"))})
	w.changeKey(second, true)
	w.add("web-2", remediate.RecordLook, remediate.LookTaken{Kind: remediate.LookScan, Class: remediate.ClassAuth})
	w.head()
	w.add("web-1", remediate.RecordLook, remediate.LookTaken{Kind: remediate.LookVerify, Complete: true})
	w.add("", remediate.RecordRunEnded, remediate.RunEnded{Run: "r"})
	w.head()
	file := func(name, text string) ledger.BundleFile {
		return ledger.BundleFile{Name: name, Write: func(out io.Writer) error {
			_, err := io.WriteString(out, text)
			return err
		}}
	}
	return ledger.Bundle{
		Source: w.book, Report: check(t, w.book, ledger.CheckOptions{}), Version: "1.2.3",
		Files: []ledger.BundleFile{file("plans/p1.json", plan), file(rawName, "raw")},
	}, first, second
}

func TestBundle(t *testing.T) {
	t.Parallel()
	b, first, second := wholeBundle(t)
	dir, packed := bundle(t, b)
	if _, again := bundle(t, b); !bytes.Equal(packed, again) {
		t.Error("the same ledger gave another archive")
	}
	var names []string
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		names = append(names, f.Name)
		if !f.Modified.Equal(b.Report.Head.At.Truncate(1e9)) {
			t.Errorf("%s is of %v", f.Name, f.Modified)
		}
	}
	want := []string{"README.md", "head.txt", "heads/000000000002.txt", "heads/000000000005.txt", "key.pub", "plans/p1.json", "proofs.json", rawName, "records.jsonl"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	mailed := strings.ReplaceAll(b.Report.HeadText, "\n", "\r\n")
	if err := os.WriteFile(filepath.Join(dir, "heads", "mailed.txt"), []byte(mailed), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := verifier(t)
	for _, key := range []string{first.Public(), second.Public(), ""} {
		out, err := verify(dir, key)
		if err != nil || !strings.Contains(out, "ok: 7 of 7 records") || strings.Contains(out, "NOTE") != (key == "") {
			t.Errorf("%v %s", err, out)
		}
	}
	if out, err := verify(dir, newSigner(t, "oust/kas-2026").Public()); err == nil || !strings.Contains(out, "signed by the key") {
		t.Errorf("another key: %v %s", err, out)
	}
	checkGrowth(t, dir, b)
}

// checkGrowth holds the proofs of a bundle against its heads.
func checkGrowth(t *testing.T, dir string, b ledger.Bundle) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "proofs.json"))
	if err != nil {
		t.Fatal(err)
	}
	var proofs struct {
		Growth []ledger.GrowthProof
	}
	if err := json.Unmarshal(text, &proofs); err != nil || len(proofs.Growth) != 2 {
		t.Fatalf("%v: %s", err, text)
	}
	for _, p := range proofs.Growth {
		head, err := os.ReadFile(filepath.Join(dir, "heads", fmt.Sprintf("%012d.txt", p.Before)))
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, s := range b.Report.Keys {
			keys = append(keys, s.Key)
		}
		h, err := ledger.OpenHead(string(head), keys...)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Check(h.Root, b.Report.Head.Root); err != nil {
			t.Error(err)
		}
	}
}

func TestHostBundle(t *testing.T) {
	t.Parallel()
	b, first, _ := wholeBundle(t)
	b.Host, b.Files = "web-1", b.Files[1:]
	dir, _ := bundle(t, b)
	verify := verifier(t)
	if out, err := verify(dir, first.Public()); err != nil || !strings.Contains(out, "ok: 4 of 7 records") {
		t.Errorf("%v %s", err, out)
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil || !strings.Contains(string(readme), `"web-1"`) || !strings.Contains(string(readme), "1.2.3") {
		t.Errorf("%v %s", err, readme)
	}
	mutate(t, dir, "records.jsonl", verify, first.Public())
	mutate(t, dir, "head.txt", verify, first.Public())
	mutate(t, dir, rawName, verify, first.Public())
	lines := readLines(t, filepath.Join(dir, "records.jsonl"))
	with(t, filepath.Join(dir, "records.jsonl"), []byte(strings.Join(lines[:3], "")), func() {
		if out, err := verify(dir, first.Public()); err == nil {
			t.Errorf("without the last record: %s", out)
		}
	})
	// A head that was kept elsewhere cannot be held against some of the records:
	// it must not look as if it had been.
	if err := os.Mkdir(filepath.Join(dir, "heads"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "heads", "known.txt"), []byte(b.Report.HeadText), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := verify(dir, first.Public()); err == nil || !strings.Contains(out, "all records alone") {
		t.Errorf("%v %s", err, out)
	}
	if !strings.Contains(string(readme), "does not show that they are all") {
		t.Errorf("%s", readme)
	}
}

// TestMutatedBundle: the check that shares no code with this package finds what
// was changed.
func TestMutatedBundle(t *testing.T) {
	t.Parallel()
	b, first, _ := wholeBundle(t)
	dir, _ := bundle(t, b)
	verify := verifier(t)
	for _, name := range []string{"records.jsonl", "head.txt", "heads/000000000002.txt", "plans/p1.json", rawName} {
		mutate(t, dir, name, verify, first.Public())
	}
	lines := readLines(t, filepath.Join(dir, "records.jsonl"))
	for name, changed := range map[string][]string{
		"first removed": lines[1:], "last removed": lines[:len(lines)-1], "middle removed": slices.Delete(slices.Clone(lines), 3, 4),
		"added": append(slices.Clone(lines), lines[0]), "repeated": slices.Insert(slices.Clone(lines), 4, lines[3]),
		"swapped": {lines[0], lines[2], lines[1], lines[3], lines[4], lines[5], lines[6]}, "none": nil,
	} {
		with(t, filepath.Join(dir, "records.jsonl"), []byte(strings.Join(changed, "")), func() {
			if out, err := verify(dir, first.Public()); err == nil {
				t.Errorf("%s: %s", name, out)
			}
		})
	}
	for _, name := range []string{"head.txt", "records.jsonl"} {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if out, err := verify(dir, first.Public()); err == nil {
			t.Errorf("without %s: %s", name, out)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBundleKnownHead: a head that was kept elsewhere shows that the whole was
// written anew.
func TestBundleKnownHead(t *testing.T) {
	t.Parallel()
	b, first, _ := wholeBundle(t)
	dir, _ := bundle(t, b)
	other, err := first.Sign(ledger.Head{Size: 2, Root: [32]byte{7}, CampaignID: "c1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "heads", "known.txt"), []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := verifier(t)(dir, first.Public()); err == nil || !strings.Contains(out, "the first 2 records") {
		t.Errorf("%v %s", err, out)
	}
}

// TestBundleConsent: a key that nobody consented to is not believed.
func TestBundleConsent(t *testing.T) {
	t.Parallel()
	first, second, third := newSigner(t, "oust/x"), newSigner(t, "oust/x"), newSigner(t, "oust/x")
	foreign, err := third.Consent(second.Public())
	if err != nil {
		t.Fatal(err)
	}
	legit := newWriter(t, first)
	legit.head()
	// Whoever was given a head has a text that the first key has signed, and may
	// put words after it.
	said := "\nthis key is followed by the key\n" + second.Public() + "\n\n"
	verify := verifier(t)
	for name, consent := range map[string]string{
		"none": "", "of another": foreign,
		"after a head": legit.book.heads[0] + said, "after a name and a head": "oust/x" + said + legit.book.heads[0],
	} {
		w := newWriter(t, first)
		w.add("", remediate.RecordKey, remediate.KeyChanged{Key: second.Public(), Before: first.Public(), Consent: consent})
		w.signer = second
		w.head()
		dir, _ := bundle(t, ledger.Bundle{Source: w.book, Report: ledger.Report{Head: ledger.Head{Size: 2}, HeadText: w.book.heads[0], Trusted: second.Public()}})
		if out, err := verify(dir, first.Public()); err == nil {
			t.Errorf("%s: %s", name, out)
		}
		if out, err := verify(dir, second.Public()); err != nil {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
}

func TestBundleRefuses(t *testing.T) {
	t.Parallel()
	b, _, _ := wholeBundle(t)
	twice := b
	twice.Files = append(slices.Clone(b.Files), b.Files[0])
	unwell := b
	unwell.Report.Misfits = 1
	outside := b
	outside.Files = []ledger.BundleFile{{Name: "../x", Write: b.Files[0].Write}}
	broken := errors.New("disk on fire")
	failing := b
	failing.Files = []ledger.BundleFile{{Name: "x", Write: func(io.Writer) error { return broken }}}
	for name, b := range map[string]ledger.Bundle{"twice": twice, "outside": outside, "unwell": unwell, "no head": {Source: b.Source}, "failing": failing} {
		if err := b.Write(t.Context(), io.Discard); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

// mutate changes a file of a bundle at places of each of its lines.
func mutate(t *testing.T, dir, name string, verify func(dir, key string) (string, error), key string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(changed []byte) {
		with(t, path, changed, func() {
			if out, err := verify(dir, key); err == nil {
				t.Errorf("%s is taken as\n%s\n%s", name, changed, out)
			}
		})
	}
	step := max(len(text)/40, 1)
	for p := 0; p < len(text); p += step {
		changed := slices.Clone(text)
		changed[p] ^= 1
		try(changed)
	}
	try(slices.Delete(slices.Clone(text), len(text)/2, len(text)/2+1))
	try(nil)
}

// with puts other text into a file for a while.
func with(t *testing.T, path string, text []byte, do func()) {
	t.Helper()
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	do()
	if err := os.WriteFile(path, was, 0o600); err != nil {
		t.Fatal(err)
	}
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(strings.Lines(string(text)))
}

// TestVerifierIsSmall: somebody who trusts nobody reads it in a sitting.
func TestVerifierIsSmall(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/verify/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("\n")); n >= 200 {
		t.Errorf("%d lines", n)
	}
	if bytes.Contains(text, []byte("oust/")) || bytes.Contains(text, []byte("golang.org")) {
		t.Error("it imports more than the standard library")
	}
}
