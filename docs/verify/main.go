// Command verify checks a bundle of 'oust audit --bundle': the archive, or the
// folder into which it was unpacked. It shares no code with oust and needs Go's
// own library alone:
//
//	go run main.go [-key KEY] BUNDLE
//
// KEY is the public key, given to you by another way than this bundle. See ledger.md.
package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

type hash = [32]byte

func leafHash(text []byte) hash { return sha256.Sum256(append([]byte{0}, text...)) }
func nodeHash(l, r hash) hash   { return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...)) }

// decode gives nothing for what is malformed.
func decode(s string) []byte { b, _ := base64.StdEncoding.Strict().DecodeString(s); return b }

// signedBy reports whether a note (a text that begins with the key's name, an
// empty line, signatures) is signed.
func signedBy(key, note string) bool {
	name, rest, _ := strings.Cut(key, "+")
	id, encoded, _ := strings.Cut(rest, "+")
	raw := decode(encoded)
	sum := sha256.Sum256(append([]byte(name+"\n"), raw...))
	text, signatures, found := strings.Cut(note, "\n\n")
	if !found || !strings.HasPrefix(text, name+"\n") || len(raw) != 33 || raw[0] != 1 || fmt.Sprintf("%x", sum[:4]) != id {
		return false
	}
	for _, line := range strings.Split(signatures, "\n") {
		encoded, ours := strings.CutPrefix(line, "— "+name+" ")
		if b := decode(encoded); ours && len(b) == 68 && bytes.Equal(b[:4], sum[:4]) && ed25519.Verify(raw[1:], []byte(text+"\n"), b[4:]) {
			return true
		}
	}
	return false
}

// head is a signed head; one that cannot be read is of -1 records.
type head struct {
	note string
	size int64
	root []byte
}

func readHead(bundle fs.FS, file string) head {
	b, err := fs.ReadFile(bundle, file)
	text := strings.ReplaceAll(string(b), "\r\n", "\n") // mail may have changed that
	if lines := strings.Split(text, "\n"); err == nil && len(lines) > 6 && lines[5] == "" {
		size, err := strconv.ParseInt(lines[1], 10, 64)
		if root := decode(lines[2]); err == nil && size > 0 && len(root) == 32 {
			return head{text, size, root}
		}
	}
	return head{size: -1}
}

// grow adds leaf n to the roots of the full subtrees, the largest first.
func grow(edge []hash, n int64, h hash) []hash {
	for ; n&1 == 1; n >>= 1 {
		h, edge = nodeHash(edge[len(edge)-1], h), edge[:len(edge)-1]
	}
	return append(edge, h)
}

func rootOf(edge []hash) []byte {
	h := edge[len(edge)-1]
	for i := len(edge) - 2; i >= 0; i-- {
		h = nodeHash(edge[i], h)
	}
	return h[:]
}

// climb gives the root to which a path leads from leaf n of a tree of that
// size, nil if it leads to none.
func climb(h hash, n, size int64, path []string) []byte {
	last := size - 1
	for _, step := range path {
		b := decode(step)
		if len(b) != 32 || last == 0 {
			return nil
		}
		for n&1 == 0 && n == last { // alone on its level
			n, last = n>>1, last>>1
		}
		if n&1 == 1 {
			h = nodeHash(hash(b), h)
		} else {
			h = nodeHash(h, hash(b))
		}
		n, last = n>>1, last>>1
	}
	if last != 0 {
		return nil
	}
	return h[:]
}

// record is as much of a record as has to be understood.
type record struct {
	N    int64
	Kind string
	Body struct{ Key, Consent, Plan, Digest, Raw string }
}

// check returns what it has found good.
func check(bundle fs.FS, trusted string) (string, error) {
	newest, heads, kept, attached := readHead(bundle, "head.txt"), map[int64][]head{}, 0, []string(nil)
	heads[newest.size] = append(heads[newest.size], newest)
	err := fs.WalkDir(bundle, ".", func(file string, d fs.DirEntry, err error) error {
		switch folder, _, _ := strings.Cut(file, "/"); {
		case err != nil || d.IsDir():
		case folder == "heads":
			h := readHead(bundle, file)
			heads[h.size], kept = append(heads[h.size], h), kept+1
		case folder == "plans" || folder == "raw":
			attached = append(attached, file)
		}
		return err
	})
	if err == nil && len(heads[-1]) > 0 {
		err = fmt.Errorf("head.txt, or a file in heads, is not there or is no signed head")
	}
	if err != nil {
		return "", err
	}
	var proofs struct{ Records [][]string } // a path for each line; none where all records are there
	if b, err := fs.ReadFile(bundle, "proofs.json"); err != nil || json.Unmarshal(b, &proofs) != nil {
		return "", fmt.Errorf("proofs.json is not there, or is none")
	}
	file, err := bundle.Open("records.jsonl")
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	key, believed, part, count, last, named, edge := "", false, len(proofs.Records) > 0, int64(0), int64(-1), map[string]string{}, []hash(nil)
	lines := bufio.NewScanner(file)
	for lines.Buffer(nil, 16<<20); lines.Scan(); count++ {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return "", fmt.Errorf("line %d of records.jsonl: %w", count+1, err)
		}
		if r.N <= last || r.N >= newest.size || !part && r.N != count {
			return "", fmt.Errorf("record %d stands on line %d, after record %d, and the head is of %d", r.N, count+1, last, newest.size)
		}
		last, named["raw/"+strings.TrimPrefix(r.Body.Raw, "sha256:")+".txt"] = r.N, r.Body.Raw
		if r.Kind == "plan" {
			named["plans/"+r.Body.Plan+".json"] = r.Body.Digest
		}
		if r.Kind == "begun" || r.Kind == "key" {
			consent := strings.HasPrefix(r.Body.Consent, strings.Split(key, "+")[0]+"\nthis key is followed by the key\n"+r.Body.Key+"\n\n") && signedBy(key, r.Body.Consent)
			key, believed = r.Body.Key, r.Body.Key == trusted || believed && consent
		}
		if part {
			if int(count) >= len(proofs.Records) || !bytes.Equal(climb(leafHash(lines.Bytes()), r.N, newest.size, proofs.Records[count]), newest.root) {
				return "", fmt.Errorf("record %d is not what the head has signed", r.N)
			}
			continue
		}
		edge = grow(edge, count, leafHash(lines.Bytes()))
		for _, h := range heads[count+1] {
			if !signedBy(key, h.note) || !bytes.Equal(rootOf(edge), h.root) {
				return "", fmt.Errorf("the first %d records are not what their head has signed, or it is not well signed", h.size)
			}
		}
		delete(heads, count+1)
	}
	switch {
	case lines.Err() != nil:
		return "", lines.Err()
	case !believed:
		return "", fmt.Errorf("the heads are signed by the key %s, not by %s", key, trusted)
	case part && (int(count) != len(proofs.Records) || kept > 0):
		return "", fmt.Errorf("there are %d records with %d proofs; and what is in heads can be held against all records alone", count, len(proofs.Records))
	case part && !signedBy(key, newest.note):
		return "", fmt.Errorf("head.txt is not well signed by the key %s", key)
	case !part && (len(heads) > 0 || count != newest.size):
		return "", fmt.Errorf("there are %d records, and a head of another number", count)
	}
	for _, file := range attached {
		if b, err := fs.ReadFile(bundle, file); err != nil || named[file] != fmt.Sprintf("sha256:%x", sha256.Sum256(b)) {
			return "", fmt.Errorf("no record names what is in %s, under that name", file)
		}
	}
	if part {
		return fmt.Sprintf("%d of %d records are what was signed, by the key %s; the others are not shown", count, newest.size, key), nil
	}
	return fmt.Sprintf("%d of %d records are what was signed, by the key %s", count, newest.size, key), nil
}

// open gives the files of a bundle, which is an archive or a folder.
func open(name string) (fs.FS, error) {
	if info, err := os.Stat(name); err != nil || info.IsDir() {
		return os.DirFS(name), err
	}
	z, err := zip.OpenReader(name)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, f := range z.File {
		if seen[f.Name] || !fs.ValidPath(f.Name) {
			return nil, fmt.Errorf("%q is there twice, or leads out of the archive", f.Name)
		}
		seen[f.Name] = true
	}
	return z, nil
}

func main() {
	key := flag.String("key", "", "the public key, as it was given to you")
	if flag.Parse(); flag.NArg() != 1 {
		fmt.Println("usage: verify [-key KEY] BUNDLE")
		os.Exit(2)
	}
	bundle, err := open(flag.Arg(0))
	found := ""
	if err == nil {
		if b, err := fs.ReadFile(bundle, "key.pub"); err == nil && *key == "" {
			*key = string(b)
			fmt.Println("NOTE: the key is that of the bundle itself; -key tells whether it is the right one")
		}
		found, err = check(bundle, strings.TrimSpace(*key))
	}
	if err != nil {
		fmt.Println("NOT AS IT WAS SIGNED:", err)
		os.Exit(1)
	}
	fmt.Println("ok:", found)
}
