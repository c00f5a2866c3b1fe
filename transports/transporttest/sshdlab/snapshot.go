package sshdlab

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Snapshot is how a host's file tree differs from the read-only image below
// it: for each path (without a leading slash) its type, mode, owner, size,
// time of change and SHA-256 or link target, or "gone". As the image never
// changes, two equal snapshots mean two equal trees, and taking one costs
// only what changed.
//
// Left out are /proc, /sys, /dev, /run and what logging in leaves by itself:
// lastlog, wtmp, btmp, faillog and sudo's note that it has lectured somebody;
// and the index in shared memory that any query by root makes beside rpm's
// database (https://sqlite.org/tempfiles.html, "shared-memory files").
type Snapshot map[string]string

// Diff lists what differs in other, sorted: "+ path ...", "- path ...".
func (s Snapshot) Diff(other Snapshot) []string {
	var out []string
	for _, path := range slices.Sorted(maps.Keys(s)) {
		if s[path] != other[path] {
			out = append(out, "- "+path+" "+s[path])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(other)) {
		if s[path] != other[path] {
			out = append(out, "+ "+path+" "+other[path])
		}
	}
	return out
}

var notOurs = []string{
	"proc", "sys", "dev", "run", "var/log/lastlog", "var/log/wtmp", "var/log/btmp", "var/log/faillog",
	"var/lib/sudo/lectured", "var/lib/rpm/rpmdb.sqlite-shm",
}

// Snapshot compares a host's tree with its image; see Lab.Snapshot.
func (f *Fleet) Snapshot(i int) (Snapshot, error) {
	h := f.Hosts[i]
	upper := filepath.Join(filepath.Dir(h.Root), "upper")
	image := filepath.Join(f.keeper.dir, "base", string(h.Kind))
	out := Snapshot{}
	err := filepath.WalkDir(upper, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(upper, path)
		if slices.Contains(notOurs, rel) {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		return out.compare(rel, image, h.Root, entry.IsDir())
	})
	if err != nil {
		return nil, fmt.Errorf("%s: snapshot: %w", h.Name, err)
	}
	return out, nil
}

// compare records a path of the upper layer if the host sees it otherwise than
// the image has it, and for a folder the names that are gone from it.
func (s Snapshot) compare(rel, image, root string, isDir bool) error {
	now, err := describe(filepath.Join(root, rel))
	if err != nil {
		return err
	}
	was, err := describe(filepath.Join(image, rel))
	if err != nil {
		return err
	}
	if now != was {
		s[rel] = now
	}
	if !isDir || !strings.HasPrefix(was, "d") {
		return nil
	}
	names, err := os.ReadDir(filepath.Join(image, rel))
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(root, rel, name.Name())); errors.Is(err, fs.ErrNotExist) {
			s[filepath.Join(rel, name.Name())] = gone
		}
	}
	return nil
}

const gone = "gone"

// describe is one entry of a tree in words; gone if there is none.
func describe(path string) (string, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return gone, nil
	}
	if err != nil {
		return "", err
	}
	stat := info.Sys().(*syscall.Stat_t)
	text := fmt.Sprintf("%v %d:%d %s", info.Mode(), stat.Uid, stat.Gid, info.ModTime().UTC().Format("2006-01-02T15:04:05.000000000Z"))
	switch {
	case info.Mode().IsRegular():
		sum, err := hashFile(path)
		return fmt.Sprintf("%s %d %s", text, info.Size(), sum), err
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return text + " -> " + target, err
	}
	return text, nil
}

func hashFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
