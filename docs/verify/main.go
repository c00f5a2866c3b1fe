// Command verify checks a bundle of 'oust audit --bundle', unpacked into a
// folder. It shares no code with oust and needs Go's own library alone:
//
//	go run main.go [-key KEY] FOLDER
//
// KEY is the public key, given to you by another way than this bundle. See ledger.md.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

type hash = [32]byte

func leafHash(text []byte) hash { return sha256.Sum256(append([]byte{0}, text...)) }
func nodeHash(l, r hash) hash   { return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...)) }

// decode gives nothing for what is malformed.
func decode(s string) []byte { b, _ := base64.StdEncoding.Strict().DecodeString(s); return b }

// signedBy reports whether a note (a text, an empty line, signatures) is signed.
func signedBy(key, note string) bool {
	name, rest, _ := strings.Cut(key, "+")
	id, encoded, _ := strings.Cut(rest, "+")
	raw := decode(encoded)
	sum := sha256.Sum256(append([]byte(name+"\n"), raw...))
	text, signatures, found := strings.Cut(note, "\n\n")
	if !found || len(raw) != 33 || raw[0] != 1 || fmt.Sprintf("%x", sum[:4]) != id {
		return false
	}
	for _, line := range strings.Split(signatures, "\n") {
		b := decode(strings.TrimPrefix(line, "— "+name+" "))
		if len(b) == 68 && bytes.Equal(b[:4], sum[:4]) && ed25519.Verify(raw[1:], []byte(text+"\n"), b[4:]) {
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

func readHead(file string) head {
	b, err := os.ReadFile(file)
	text := strings.ReplaceAll(string(b), "\r\n", "\n") // mail may have changed that
	if lines := strings.Split(text, "\n"); err == nil && len(lines) > 6 && lines[5] == "" {
		if size, err := strconv.ParseInt(lines[1], 10, 64); err == nil {
			return head{text, size, decode(lines[2])}
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
	Body struct{ Key, Consent, Digest, Raw, Log string }
}

// check returns what it has found good.
func check(dir, trusted string) (string, error) {
	newest, heads := readHead(filepath.Join(dir, "head.txt")), map[int64][]head{}
	kept, _ := filepath.Glob(filepath.Join(dir, "heads", "*.txt"))
	for _, file := range append(kept, filepath.Join(dir, "head.txt")) {
		h := readHead(file)
		heads[h.size] = append(heads[h.size], h)
	}
	var proofs struct{ Records [][]string } // a path for each line; none where all records are there
	if b, err := os.ReadFile(filepath.Join(dir, "proofs.json")); err != nil || json.Unmarshal(b, &proofs) != nil {
		return "", fmt.Errorf("proofs.json is not there, or is none")
	}
	file, err := os.Open(filepath.Join(dir, "records.jsonl"))
	if err != nil {
		return "", err
	}
	defer file.Close()
	key, believed, part, count, digests, edge := "", false, len(proofs.Records) > 0, int64(0), map[string]bool{}, []hash(nil)
	lines := bufio.NewScanner(file)
	for lines.Buffer(nil, 16<<20); lines.Scan(); count++ {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return "", fmt.Errorf("line %d of records.jsonl: %w", count+1, err)
		}
		digests[r.Body.Digest], digests[r.Body.Raw], digests[r.Body.Log] = true, true, true
		if r.Kind == "begun" || r.Kind == "key" {
			consent := strings.HasPrefix(r.Body.Consent, strings.Split(key, "+")[0]+"\nthis key is followed by the key\n"+r.Body.Key+"\n\n") && signedBy(key, r.Body.Consent)
			key, believed = r.Body.Key, r.Body.Key == trusted || believed && consent
		}
		if !part && r.N != count {
			return "", fmt.Errorf("record %d stands where %d should", r.N, count)
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
	case part && (int(count) != len(proofs.Records) || len(kept) > 0):
		return "", fmt.Errorf("there are %d records with %d proofs; and what is in heads can be held against all records alone", count, len(proofs.Records))
	case part && !signedBy(key, newest.note):
		return "", fmt.Errorf("head.txt is not well signed by the key %s", key)
	case !part && (len(heads) > 0 || count != newest.size):
		return "", fmt.Errorf("there are %d records, and a head of another number", count)
	}
	for _, folder := range []string{"plans", "raw"} {
		files, _ := filepath.Glob(filepath.Join(dir, folder, "*"))
		for _, file := range files {
			if b, err := os.ReadFile(file); err != nil || !digests[fmt.Sprintf("sha256:%x", sha256.Sum256(b))] {
				return "", fmt.Errorf("no record names what is in %s", file)
			}
		}
	}
	return fmt.Sprintf("%d of %d records are what was signed, by the key %s", count, newest.size, key), nil
}

func main() {
	key := flag.String("key", "", "the public key, as it was given to you")
	flag.Parse()
	if b, err := os.ReadFile(filepath.Join(flag.Arg(0), "key.pub")); err == nil && *key == "" {
		*key = strings.TrimSpace(string(b))
		fmt.Println("NOTE: the key is that of the bundle itself; -key tells whether it is the right one")
	}
	found, err := check(flag.Arg(0), *key)
	if err != nil {
		fmt.Println("NOT AS IT WAS SIGNED:", err)
		os.Exit(1)
	}
	fmt.Println("ok:", found)
}
