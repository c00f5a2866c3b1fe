package ledger

import (
	"archive/zip"
	"bufio"
	"cmp"
	"compress/flate"
	"context"
	_ "embed" // the README of a bundle
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"text/template"
	"time"

	"oust/remediate"
)

// BundleSource is what a bundle is made of: a part of remediate.Store.
type BundleSource interface {
	Source
	HostLedger(ctx context.Context, host string) iter.Seq2[remediate.LedgerEntry, error]
}

// Bundle is what an auditor is given: records, the signed heads, and what is
// needed to check them without oust. See docs/ledger.md for its files.
type Bundle struct {
	Source BundleSource
	// Report is that of a check that has found nothing wrong; the bundle is of
	// the records that its head covers.
	Report Report
	// Host chooses the records of one host, each with its proof, and those that
	// tell which key signs; "" means all records.
	Host string
	// Files are others that go with it, by name.
	Files []BundleFile
	// Version is that of the program, for the README.
	Version string
}

// BundleFile is a file of a bundle. Its name has slashes.
type BundleFile struct {
	Name  string
	Write func(io.Writer) error
}

// Write writes the bundle as a zip archive. The same ledger and the same files
// give the same bytes: files stand in the order of their names, and all times
// are that of the head.
func (b Bundle) Write(ctx context.Context, w io.Writer) error {
	if b.Report.HeadText == "" || b.Report.Misfits > 0 {
		return errors.New("bundle: the ledger must be well, and have a signed head")
	}
	files, err := b.files(ctx)
	if err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	files = append(files, b.Files...)
	slices.SortFunc(files, func(x, y BundleFile) int { return cmp.Compare(x.Name, y.Name) })
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.DefaultCompression)
	})
	for i, f := range files {
		if i > 0 && f.Name == files[i-1].Name {
			return fmt.Errorf("bundle: there are two files named %s", f.Name)
		}
		if !fs.ValidPath(f.Name) {
			return fmt.Errorf("bundle: %q is no name of a file in it", f.Name)
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("bundle: %w", err)
		}
		if err := addFile(z, f, b.Report.Head.At); err != nil {
			return fmt.Errorf("bundle: %s: %w", f.Name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	return nil
}

func addFile(z *zip.Writer, f BundleFile, at time.Time) error {
	h := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: at.UTC()}
	h.SetMode(0o644)
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	return f.Write(w)
}

// files are those that every bundle has.
func (b Bundle) files(ctx context.Context) ([]BundleFile, error) {
	heads, err := b.Source.Heads(ctx)
	if err != nil {
		return nil, err
	}
	proofs, err := b.proofs(ctx, heads)
	if err != nil {
		return nil, err
	}
	files := []BundleFile{
		{"README.md", b.readme},
		{"head.txt", text(b.Report.HeadText)},
		{"key.pub", text(b.Report.Trusted + "\n")},
		{"records.jsonl", func(w io.Writer) error { return b.records(ctx, w) }},
		{"proofs.json", proofs},
	}
	if b.Host != "" {
		return files, nil
	}
	for _, t := range heads {
		if h, err := peekHead(t); err == nil && h.Size < b.Report.Head.Size {
			files = append(files, BundleFile{fmt.Sprintf("heads/%012d.txt", h.Size), text(t)})
		}
	}
	return files, nil
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// entries yields the records of the bundle, in order.
func (b Bundle) entries(ctx context.Context) iter.Seq2[remediate.LedgerEntry, error] {
	if b.Host != "" {
		return b.hostEntries(ctx)
	}
	return func(yield func(remediate.LedgerEntry, error) bool) {
		for e, err := range b.Source.Ledger(ctx, 0) {
			if err == nil && e.Number >= b.Report.Head.Size || !yield(e, err) {
				return
			}
		}
	}
}

// hostEntries yields the records that brought keys and those of the host.
func (b Bundle) hostEntries(ctx context.Context) iter.Seq2[remediate.LedgerEntry, error] {
	return func(yield func(remediate.LedgerEntry, error) bool) {
		keys := b.Report.Keys
		for e, err := range b.Source.HostLedger(ctx, b.Host) {
			for len(keys) > 0 && err == nil && keys[0].From < e.Number {
				key, err := b.entry(ctx, keys[0].From)
				if keys = keys[1:]; !yield(key, err) {
					return
				}
			}
			if err == nil && e.Number >= b.Report.Head.Size {
				break
			}
			if !yield(e, err) {
				return
			}
		}
		for _, span := range keys {
			if !yield(b.entry(ctx, span.From)) {
				return
			}
		}
	}
}

// entry reads one record.
func (b Bundle) entry(ctx context.Context, number int64) (remediate.LedgerEntry, error) {
	for e, err := range b.Source.Ledger(ctx, number) {
		return e, err
	}
	return remediate.LedgerEntry{}, fmt.Errorf("record %d: %w", number, remediate.ErrNotFound)
}

func (b Bundle) records(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	for e, err := range b.entries(ctx) {
		if err != nil {
			return err
		}
		if _, err := out.Write(append(e.Text, '\n')); err != nil {
			return err
		}
	}
	return out.Flush()
}

// bundleProofs is proofs.json.
type bundleProofs struct {
	Size int64 `json:"size"` // of head.txt
	// Records has the path of each record of records.jsonl, in its order; it is
	// left out where all records are there, for they prove themselves.
	Records [][]string `json:"records,omitempty"`
	// Growth shows that each kept head is the beginning of head.txt.
	Growth []GrowthProof `json:"growth"`
}

// proofs makes proofs.json.
func (b Bundle) proofs(ctx context.Context, heads []string) (func(io.Writer) error, error) {
	read := func(indexes []int64) ([][32]byte, error) { return b.Source.LedgerHashes(ctx, indexes) }
	size := b.Report.Head.Size
	p := bundleProofs{Size: size, Growth: []GrowthProof{}}
	for _, t := range heads {
		h, err := peekHead(t)
		if err != nil || h.Size >= size || b.Host != "" {
			continue
		}
		g, err := ProveGrowth(size, h.Size, read)
		if err != nil {
			return nil, err
		}
		p.Growth = append(p.Growth, g)
	}
	if b.Host != "" {
		for e, err := range b.entries(ctx) {
			if err != nil {
				return nil, err
			}
			r, err := ProveRecord(size, e.Number, read)
			if err != nil {
				return nil, err
			}
			p.Records = append(p.Records, r.Path)
		}
	}
	return func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(p)
	}, nil
}

//go:embed bundle.md.tmpl
var readmeText string

var readmeTemplate = template.Must(template.New("README.md").Parse(readmeText))

func (b Bundle) readme(w io.Writer) error {
	return readmeTemplate.Execute(w, struct {
		Bundle
		At string
	}{b, b.Report.Head.At.UTC().Format(time.RFC3339)})
}
