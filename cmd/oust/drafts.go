package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-hclog"

	"oust/remediate/engine"
)

// draftsName is the file in the campaign folder with what 'oust status' has
// drafted. It may be deleted at any time.
const draftsName = "oust.drafts"

const (
	draftsMagic = "oust drafts 1\n"
	// fewDrafts are made anew sooner than a file is written.
	fewDrafts = 50
	// mostDrafts bounds the file.
	mostDrafts = 250_000
	draftSize  = 2 * sha256.Size
)

// digest is a SHA-256 sum.
type digest [sha256.Size]byte

// draftFile keeps drafts in a file, for the processes of one build of this
// program that have the same basis. One that was made on another basis, or is
// damaged, is no file.
type draftFile struct {
	path   string
	basis  digest
	logger hclog.Logger

	loaded bool
	known  map[digest]digest // script by facts
	used   map[digest]digest // those that were asked for, and new ones
	fresh  int
}

var _ engine.Drafts = (*draftFile)(nil)

// newDraftFile reads nothing yet. basis is engine.DraftBasis.
func newDraftFile(dir, basis string, logger hclog.Logger) *draftFile {
	return &draftFile{
		path: filepath.Join(dir, draftsName), basis: sha256.Sum256([]byte(basis + "\n" + programBuild())), logger: logger,
		used: map[digest]digest{},
	}
}

// programBuild tells builds of this program apart: by the head of its file,
// where the linker has put the build's id, its size and its time.
func programBuild() string {
	const head = 64 << 10
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	text, err := io.ReadAll(io.LimitReader(f, head))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%x %d %d", sha256.Sum256(text), info.Size(), info.ModTime().UnixNano())
}

// Script implements engine.Drafts.
func (d *draftFile) Script(facts string) (string, bool) {
	if !d.loaded {
		d.loaded = true
		d.load()
	}
	key, ok := parseDigest(facts)
	if !ok {
		return "", false
	}
	script, ok := d.known[key]
	if !ok {
		return "", false
	}
	d.used[key] = script
	return formatDigest(script), true
}

// Keep implements engine.Drafts.
func (d *draftFile) Keep(facts, script string) {
	key, ok := parseDigest(facts)
	value, ok2 := parseDigest(script)
	if ok && ok2 && len(d.used) < mostDrafts {
		d.used[key] = value
		d.fresh++
	}
}

// Close writes the file if there is enough to be written. Where that fails
// nothing is lost but time.
func (d *draftFile) Close() error {
	if d.fresh < fewDrafts {
		return nil
	}
	d.fresh = 0
	if err := d.save(); err != nil {
		d.logger.Debug("drafts are not kept", "path", d.path, "error", err)
	}
	return nil
}

func (d *draftFile) load() {
	f, err := os.Open(d.path)
	if err != nil {
		return
	}
	defer f.Close()
	head := draftsMagic + string(d.basis[:])
	text, err := io.ReadAll(io.LimitReader(f, int64(len(head)+mostDrafts*draftSize+sha256.Size+1)))
	if err != nil || len(text) < len(head)+sha256.Size || !bytes.HasPrefix(text, []byte(head)) {
		return
	}
	body, sum := text[:len(text)-sha256.Size], text[len(text)-sha256.Size:]
	entries := body[len(head):]
	if digest(sum) != sha256.Sum256(body) || len(entries)%draftSize != 0 {
		return
	}
	d.known = make(map[digest]digest, len(entries)/draftSize)
	for ; len(entries) > 0; entries = entries[draftSize:] {
		d.known[digest(entries[:sha256.Size])] = digest(entries[sha256.Size:draftSize])
	}
}

// save puts a whole file in the place of the one before.
func (d *draftFile) save() error {
	text := append([]byte(draftsMagic), d.basis[:]...)
	for facts, script := range d.used {
		text = append(append(text, facts[:]...), script[:]...)
	}
	sum := sha256.Sum256(text)
	f, err := os.CreateTemp(filepath.Dir(d.path), "."+draftsName+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, sum[:]...))
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), d.path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

const sha256Prefix = "sha256:"

func parseDigest(s string) (d digest, ok bool) {
	text, ok := strings.CutPrefix(s, sha256Prefix)
	if !ok || len(text) != hex.EncodedLen(len(d)) {
		return d, false
	}
	_, err := hex.Decode(d[:], []byte(text))
	return d, err == nil
}

func formatDigest(d digest) string { return sha256Prefix + hex.EncodeToString(d[:]) }
