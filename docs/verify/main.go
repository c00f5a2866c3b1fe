// Command verify checks a bundle of 'oust audit --bundle', packed or unpacked:
//
//	go run main.go [-key KEY] BUNDLE
//
// KEY is the public key, given to you by another way than this bundle.
//
//go:debug zipinsecurepath=0
package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"slices"
	"strconv"
	"strings"
)

func sum(parts ...[]byte) []byte { h := sha256.Sum256(slices.Concat(parts...)); return h[:] }

// node is the hash above two; what is no hash has none above it.
func node(l, r []byte) []byte {
	if len(l) != 32 || len(r) != 32 {
		return nil
	}
	return sum([]byte{1}, l, r)
}

func decode(s string) []byte { b, _ := base64.StdEncoding.Strict().DecodeString(s); return b } // nil for what is malformed

// signedBy reports whether a note (a text that begins with the key's name, an
// empty line, signatures) is signed.
func signedBy(key, note string) bool {
	name, rest, _ := strings.Cut(key, "+")
	id, encoded, _ := strings.Cut(rest, "+")
	raw := decode(encoded)
	mark := sum([]byte(name+"\n"), raw)[:4]
	text, signatures, found := strings.Cut(note, "\n\n")
	if !found || !strings.HasPrefix(text, name+"\n") || len(raw) != 33 || raw[0] != 1 || fmt.Sprintf("%x", mark) != id {
		return false
	}
	return slices.ContainsFunc(strings.Split(signatures, "\n"), func(line string) bool {
		encoded, ours := strings.CutPrefix(line, "— "+name+" ")
		b := decode(encoded)
		return ours && len(b) == 68 && bytes.Equal(b[:4], mark) && ed25519.Verify(raw[1:], []byte(text+"\n"), b[4:])
	})
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
	lines := append(strings.Split(text, "\n"), "", "", "")
	size, err2 := strconv.ParseInt(lines[1], 10, 64)
	if root := decode(lines[2]); err == nil && err2 == nil && size > 0 && len(root) == 32 {
		return head{text, size, root}
	}
	return head{size: -1}
}

// grow adds leaf n to the roots of the full subtrees, the largest first.
func grow(edge [][]byte, n int64, h []byte) [][]byte {
	for ; n&1 == 1; n >>= 1 {
		h, edge = node(edge[len(edge)-1], h), edge[:len(edge)-1]
	}
	return append(edge, h)
}

func rootOf(edge [][]byte) []byte {
	h := edge[len(edge)-1]
	for _, left := range slices.Backward(edge[:len(edge)-1]) {
		h = node(left, h)
	}
	return h
}

// climb gives the root to which a path leads from leaf n of a tree of that
// size, nil if it leads to none (RFC 6962, section 2.1).
func climb(h []byte, n, size int64, path [][]byte) []byte {
	if up := len(path) - 1; size > 1 && up >= 0 {
		full := int64(1) << (bits.Len64(uint64(size-1)) - 1)
		if n < full {
			return node(climb(h, n, full, path[:up]), path[up])
		}
		return node(path[up], climb(h, n-full, size-full, path[:up]))
	} else if size != 1 || up >= 0 {
		return nil
	}
	return h
}

// check returns what it has found good.
func check(bundle fs.FS, trusted string) (string, error) {
	newest, heads, attached := readHead(bundle, "head.txt"), map[int64][]head{}, []string(nil)
	heads[newest.size] = append(heads[newest.size], newest)
	err := fs.WalkDir(bundle, ".", func(file string, d fs.DirEntry, err error) error {
		folder, _, _ := strings.Cut(file, "/")
		if h := readHead(bundle, file); err == nil && !d.IsDir() && folder == "heads" {
			heads[h.size] = append(heads[h.size], h)
		} else if err == nil && !d.IsDir() && (folder == "plans" || folder == "raw") {
			attached = append(attached, file)
		}
		return err
	})
	var proofs struct{ Records [][][]byte } // a path for each line; none where all records are there
	b, err2 := fs.ReadFile(bundle, "proofs.json")
	file, err3 := bundle.Open("records.jsonl")
	if err := errors.Join(err, err2, err3); err != nil {
		return "", err
	}
	if len(heads[-1]) > 0 || json.Unmarshal(b, &proofs) != nil {
		return "", errors.New("head.txt, proofs.json, or a file in heads is not what its name says")
	}
	key, believed, part, count, last, named, edge := "", false, len(proofs.Records) > 0, int64(0), int64(-1), map[string]string{}, [][]byte(nil)
	lines := bufio.NewScanner(file)
	for lines.Buffer(nil, 16<<20); lines.Scan(); count++ {
		var r struct { // as much of a record as has to be understood
			N    int64
			Kind string
			Body struct{ Key, Consent, Plan, Digest, Raw string }
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil || r.N <= last || r.N >= newest.size || !part && r.N != count {
			return "", fmt.Errorf("line %d of records.jsonl is no record, or out of its place: %d after %d, and the head is of %d", count+1, r.N, last, newest.size)
		}
		last, named["raw/"+strings.TrimPrefix(r.Body.Raw, "sha256:")+".txt"] = r.N, r.Body.Raw
		if r.Kind == "plan" {
			named["plans/"+r.Body.Plan+".json"] = r.Body.Digest
		}
		if r.Kind == "begun" || r.Kind == "key" {
			consent := strings.HasPrefix(r.Body.Consent, strings.Split(key, "+")[0]+"\nthis key is followed by the key\n"+r.Body.Key+"\n\n") && signedBy(key, r.Body.Consent)
			key, believed = r.Body.Key, r.Body.Key == trusted || believed && consent
		}
		leaf := sum([]byte{0}, lines.Bytes())
		if part && (int(count) >= len(proofs.Records) || !bytes.Equal(climb(leaf, r.N, newest.size, proofs.Records[count]), newest.root)) {
			return "", fmt.Errorf("record %d is not what the head has signed", r.N)
		} else if !part {
			edge = grow(edge, count, leaf)
			for _, h := range heads[count+1] {
				if !signedBy(key, h.note) || !bytes.Equal(rootOf(edge), h.root) {
					return "", fmt.Errorf("the first %d records are not what their head has signed, or it is not well signed", h.size)
				}
			}
			delete(heads, count+1)
		}
	}
	switch {
	case !believed:
		return "", fmt.Errorf("the heads are signed by the key %s, not by %s", key, trusted)
	case part && (int(count) != len(proofs.Records) || len(heads) != 1 || len(heads[newest.size]) != 1 || !signedBy(key, newest.note)):
		return "", fmt.Errorf("%d records with %d proofs; or head.txt is not well signed; or there are others, to be held against all records alone", count, len(proofs.Records))
	case !part && (len(heads) > 0 || count != newest.size):
		return "", fmt.Errorf("there are %d records, and a head of another number", count)
	}
	for _, file := range attached {
		if b, err := fs.ReadFile(bundle, file); err != nil || named[file] != fmt.Sprintf("sha256:%x", sum(b)) {
			return "", fmt.Errorf("no record names what is in %s, under that name", file)
		}
	}
	others := strings.Repeat("; the others are not shown", min(1, len(proofs.Records)))
	return fmt.Sprintf("%d of %d records are what was signed, by the key %s%s", count, newest.size, key, others), errors.Join(lines.Err(), file.Close())
}

func main() {
	key := flag.String("key", "", "the public key, as it was given to you")
	flag.Parse()
	name, bundle, found := flag.Arg(0), os.DirFS(flag.Arg(0)), ""
	info, err := os.Stat(name)
	if err == nil && !info.IsDir() {
		bundle, err = zip.OpenReader(name) // refuses files that are there twice, or lead out of it
	}
	if err == nil && flag.NArg() == 1 {
		if b, err := fs.ReadFile(bundle, "key.pub"); err == nil && *key == "" {
			*key = string(b)
			fmt.Println("NOTE: the key is that of the bundle itself; -key tells whether it is the right one")
		}
		found, err = check(bundle, strings.TrimSpace(*key))
	}
	if err != nil || flag.NArg() != 1 {
		fmt.Println("NOT AS IT WAS SIGNED (usage: verify [-key KEY] BUNDLE):", err)
		os.Exit(1)
	}
	fmt.Println("ok:", found)
}
