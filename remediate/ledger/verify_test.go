package ledger_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oust/remediate"
	"oust/remediate/ledger"
)

// unpacked is what a bundle has, by name.
type unpacked map[string]string

func readBundle(t *testing.T, b ledger.Bundle) unpacked {
	t.Helper()
	_, packed := bundle(t, b)
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	u := unpacked{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		u[f.Name] = string(text)
	}
	return u
}

// with gives a copy with other files; an empty text takes the file away.
func (u unpacked) with(files ...string) unpacked {
	out := unpacked{}
	for name, text := range u {
		out[name] = text
	}
	for i := 0; i < len(files); i += 2 {
		if out[files[i]] = files[i+1]; files[i+1] == "" {
			delete(out, files[i])
		}
	}
	return out
}

func (u unpacked) folder(t *testing.T, dir string) string {
	t.Helper()
	for name, text := range u {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// archive packs the files, and then those of more: names and texts in turn.
func (u unpacked) archive(t *testing.T, more ...string) string {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	put := func(name, text string) {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range u {
		put(name, text)
	}
	for i := 0; i < len(more); i += 2 {
		put(more[i], more[i+1])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bundle.zip")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (u unpacked) lines() []string { return slices.Collect(strings.Lines(u["records.jsonl"])) }

// TestVerifierRefuses: what the small check must not take.
func TestVerifierRefuses(t *testing.T) {
	t.Parallel()
	verifies := verifying(t)
	b, first, second := wholeBundle(t)
	whole := readBundle(t, b)
	b.Host, b.Files = "web-1", b.Files[1:]
	part := readBundle(t, b)
	lines, some := whole.lines(), part.lines()
	join := func(lines ...string) string { return strings.Join(lines, "") }

	older := sign(t, second, ledger.Head{Size: 5, Root: rootAfter(t, lines[:5]), CampaignID: "c1"})
	paths := func(lines []string, size int64, of ...int64) string { return pathsText(t, lines, size, of...) }
	other := newWriter(t, first)
	for range 6 {
		other.add("", remediate.RecordRunEnded, remediate.RunEnded{Run: "r"})
	}
	other.head()
	renamed := newSigner(t, "oust/other")
	signature := func(text string) string { return text[strings.Index(text, "\n\n")+2:] }
	headText := whole["head.txt"]
	badRoot := strings.Replace(headText, strings.Split(headText, "\n")[2], "x", 1)

	for name, files := range map[string]unpacked{
		"as it is": whole, "a part as it is": part,

		"cut in a record":                        whole.with("records.jsonl", whole["records.jsonl"][:len(whole["records.jsonl"])-9]),
		"cut at a record":                        whole.with("records.jsonl", join(lines[:6]...)),
		"cut back to a kept head, a newer known": whole.with("records.jsonl", join(lines[:5]...), "head.txt", whole["heads/000000000005.txt"], "heads/mine", headText),
		"a record twice":                         whole.with("records.jsonl", join(append(slices.Clone(lines), lines[6])...)),
		"an empty line":                          whole.with("records.jsonl", whole["records.jsonl"]+"\n"),

		"a head of another log":           whole.with("head.txt", other.book.heads[0]),
		"a kept head of another log":      whole.with("heads/known.txt", other.book.heads[0]),
		"a kept head under any name":      whole.with("heads/known", other.book.heads[0]),
		"a kept head in a folder":         whole.with("heads/of/known.txt", other.book.heads[0]),
		"a kept head that is none":        whole.with("heads/known.txt", "hello\n"),
		"a head of another name":          whole.with("head.txt", strings.ReplaceAll(headText, "oust/kas-2026", "oust/other")),
		"the signature of another's head": whole.with("head.txt", strings.SplitAfter(headText, "\n\n")[0]+signature(older)),
		"a signature by another name":     whole.with("head.txt", strings.Replace(headText, "— oust/kas-2026", "— oust/kas", 1)),
		"a signature without a name":      whole.with("head.txt", strings.Replace(headText, "— oust/kas-2026 ", "", 1)),
		"no signature":                    whole.with("head.txt", strings.SplitAfter(headText, "\n\n")[0]+"\n"),
		"a root that is none":             whole.with("head.txt", badRoot),
		"a head of another key's name":    whole.with("head.txt", sign(t, renamed, ledger.Head{Size: 7, Root: rootAfter(t, lines), CampaignID: "c1"})),

		"a plan under another's name": whole.with("plans/p1.json", "", "plans/p2.json", whole["plans/p1.json"]),
		"a raw text as a plan":        whole.with("plans/"+strings.TrimPrefix(rawName, "raw/"), "raw"),
		"a raw text that is another":  whole.with(rawName, "row"),
		"a plan in a folder":          whole.with("plans/new/p1.json", "anything"),

		"a part: a record twice":           part.with("records.jsonl", join(append(slices.Clone(some), some[3])...), "proofs.json", paths(lines, 7, 0, 2, 3, 5, 5)),
		"a part: in another order":         part.with("records.jsonl", join(some[0], some[2], some[1], some[3]), "proofs.json", paths(lines, 7, 0, 3, 2, 5)),
		"a part: proofs of another size":   part.with("proofs.json", paths(lines, 6, 0, 2, 3, 5)),
		"a part: proofs of other records":  part.with("proofs.json", paths(lines, 7, 0, 2, 3, 4)),
		"a part: proofs of an older head":  part.with("records.jsonl", join(some[:3]...), "proofs.json", paths(lines, 5, 0, 2, 3)),
		"a part: a root that is none":      part.with("head.txt", badRoot, "proofs.json", `{"records":[["x"],["x"],["x"],["x"]]}`),
		"a part: without the key's record": part.with("records.jsonl", join(some[1:]...), "proofs.json", paths(lines, 7, 2, 3, 5)),
		"a part: records without proofs":   part.with("proofs.json", `{"size":7,"growth":[]}`),
	} {
		good := strings.HasSuffix(name, "as it is")
		for form, place := range map[string]string{"folder": files.folder(t, t.TempDir()), "archive": files.archive(t)} {
			out, err := verifies("-key", first.Public(), place)
			if (err == nil) != good || strings.Contains(out, "ok: ") != good {
				t.Errorf("%s, as a %s: %v %s", name, form, err, out)
			}
		}
	}
	if out, err := verifies("-key", first.Public(), part.archive(t)); err != nil || !strings.Contains(out, "the others are not shown") {
		t.Errorf("a part: %v %s", err, out)
	}
}

// TestVerifierPlaces: where a bundle stands, and what its archive is named
// inside, does not get round the check.
func TestVerifierPlaces(t *testing.T) {
	t.Parallel()
	verifies := verifying(t)
	b, first, _ := wholeBundle(t)
	whole := readBundle(t, b)
	forged := sign(t, first, ledger.Head{Size: 2, Root: [32]byte{7}, CampaignID: "c1"})
	odd := whole.with("heads/known.txt", forged).folder(t, filepath.Join(t.TempDir(), "evidence [1]* (?)"))
	for name, args := range map[string][]string{
		"a folder with signs of patterns":      {"-key", first.Public(), odd},
		"two files of one name":                {"-key", first.Public(), whole.archive(t, "head.txt", whole["head.txt"])},
		"two files of one name, a folder once": {"-key", first.Public(), whole.archive(t, "heads", "x")},
		"out of the archive":                   {"-key", first.Public(), whole.archive(t, "../x", "x")},
		"from the root":                        {"-key", first.Public(), whole.archive(t, "/heads/x", "x")},
		"about a folder":                       {"-key", first.Public(), whole.archive(t, "reports/../heads/x", forged)},
		"the key after the bundle":             {whole.archive(t), "-key", first.Public()},
		"no bundle":                            {"-key", first.Public()},
		"nothing there":                        {"-key", first.Public(), filepath.Join(t.TempDir(), "none")},
		"another file":                         {"-key", first.Public(), "verify_test.go"},
		"a key that is none":                   {"-key", "x", whole.archive(t)},
		"half a key":                           {"-key", first.Public()[:40], whole.archive(t)},
	} {
		if out, err := verifies(args...); err == nil || strings.Contains(out, "ok: ") {
			t.Errorf("%s: %s", name, out)
		}
	}
	packedAgain := whole.archive(t, "heads/", "", "reports/", "")
	if out, err := verifies("-key", first.Public(), packedAgain); err != nil || !strings.Contains(out, "ok: 7 of 7") {
		t.Errorf("%v %s", err, out)
	}
	if out, err := verifies(whole.archive(t)); err != nil || !strings.Contains(out, "NOTE: ") || !strings.Contains(out, "ok: 7 of 7") {
		t.Errorf("%v %s", err, out)
	}
}

// verifying builds the small check and gives what runs it.
func verifying(t *testing.T) func(args ...string) (string, error) {
	t.Helper()
	program := verifierProgram(t)
	return func(args ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
		return string(out), err
	}
}

// rootAfter is the root of the tree of those records.
func rootAfter(t *testing.T, lines []string) [32]byte {
	t.Helper()
	tree, _ := grown(t, lines)
	return tree.Root()
}

func grown(t *testing.T, lines []string) (*ledger.Tree, shelf) {
	t.Helper()
	tree, err := ledger.NewTree(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	var hashes shelf
	for _, l := range lines {
		for _, s := range tree.Append([]byte(strings.TrimSuffix(l, "\n"))) {
			hashes = append(hashes, s.Hash)
		}
	}
	return tree, hashes
}

// pathsText is a proofs.json for some records of a tree of that size.
func pathsText(t *testing.T, lines []string, size int64, of ...int64) string {
	t.Helper()
	_, hashes := grown(t, lines[:size])
	var p struct {
		Size    int64      `json:"size"`
		Records [][]string `json:"records"`
	}
	p.Size = size
	for _, n := range of {
		proof, err := ledger.ProveRecord(size, n, hashes.read)
		if err != nil {
			t.Fatal(err)
		}
		p.Records = append(p.Records, proof.Path)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
