package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"oust/remediate"
	"oust/remediate/ledger"
	"oust/remediate/report"
)

// reportOutput is a file to be written.
type reportOutput struct {
	path   string
	format reportFormat
	force  bool
}

// planOutputs says what is written where, before anything is read: a file that
// is there is refused, and a name without a format.
func planOutputs(opt reportOptions) ([]reportOutput, error) {
	if opt.format != "" {
		if _, err := formatNamed(opt.format); err != nil {
			return nil, err
		}
	}
	out := make([]reportOutput, 0, len(opt.outputs))
	seen := map[string]bool{}
	for _, path := range opt.outputs {
		f, err := formatOf(path)
		if opt.format != "" {
			f, err = formatNamed(opt.format)
		}
		if err != nil {
			return nil, err
		}
		clean := filepath.Clean(path)
		if seen[clean] {
			return nil, fmt.Errorf("-o %s is given twice", path)
		}
		seen[clean] = true
		o := reportOutput{path, f, opt.force}
		if err := o.free(); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// free refuses a file that is there.
func (o reportOutput) free() error {
	info, err := os.Lstat(o.path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("-o %s: %w", o.path, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("-o %s is not a regular file; a report is not written over it", o.path)
	case !o.force:
		return fmt.Errorf("-o %s is there already; a report that was handed in should stay as it was: choose another name, or --force", o.path)
	}
	return nil
}

// writeReports writes all files or, where one cannot be written, none.
func writeReports(outs []reportOutput, s report.Snapshot) (written []remediate.FileDigest, err error) {
	ready := make([]string, 0, len(outs))
	defer func() {
		for _, temporary := range ready {
			_ = os.Remove(temporary) // those that were not renamed
		}
	}()
	for _, o := range outs {
		temporary, digest, err := o.writeBeside(s)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", o.path, err)
		}
		ready = append(ready, temporary)
		written = append(written, remediate.FileDigest{Name: o.path, Digest: digest})
	}
	for i, o := range outs {
		if err := o.free(); err != nil {
			return nil, err
		}
		if err := os.Rename(ready[i], o.path); err != nil {
			return nil, fmt.Errorf("write %s: %w", o.path, err)
		}
	}
	return written, nil
}

// writeBeside writes to a new file beside the one that is meant. Its mode is
// that of any new file: a report is made to be handed on.
func (o reportOutput) writeBeside(s report.Snapshot) (temporary, digest string, err error) {
	temporary = filepath.Join(filepath.Dir(o.path), "."+filepath.Base(o.path)+"."+rand.Text())
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", "", err
	}
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<16)
	if err = o.format.write(out, s); err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", "", errors.Join(err, os.Remove(temporary))
	}
	return temporary, "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

type reportWritten struct {
	Type   string               `json:"type"`
	Report remediate.ReportKind `json:"report"`
	File   string               `json:"file"`
	Digest string               `json:"digest"`
}

// tellWritten says what was written, and what is missing in it.
func (a *app) tellWritten(s report.Snapshot, written []remediate.FileDigest) error {
	for _, f := range written {
		if a.json {
			if err := a.printJSON(reportWritten{"report_written", s.Report, f.Name, f.Digest}); err != nil {
				return err
			}
		} else if _, err := fmt.Fprintf(a.Out, "%s  %s\n", printable(f.Name), f.Digest); err != nil {
			return err
		}
	}
	if gaps := gapsOf(s); len(gaps) > 0 && !a.json {
		_, err := fmt.Fprintf(a.Err, "oust: note: %s in this report: %s\n", plural(len(gaps), "gap"), few(gaps, 200))
		return err
	}
	return nil
}

func gapsOf(s report.Snapshot) []string {
	var out []string
	for _, it := range s.Items {
		if it.State == report.ItemGap {
			out = append(out, strings.TrimSpace(it.Ref+" "+it.Title))
		}
	}
	return out
}

// reportFiles are all reports in all formats, for an audit's bundle. They are
// read from the store that is open: one that was opened with
// sqlite.OpenSnapshot is of one moment.
func (w *workspace) reportFiles(ctx context.Context) ([]ledger.BundleFile, error) {
	in, err := w.reportInput(ctx, "")
	if err != nil {
		return nil, err
	}
	var out []ledger.BundleFile
	for _, kind := range remediate.ReportKinds() {
		in.Report = kind
		s, err := report.Build(in)
		if err != nil {
			return nil, err
		}
		for _, f := range reportFormats() {
			out = append(out, ledger.BundleFile{
				Name:  "reports/" + string(kind) + f.endings[0],
				Write: func(w io.Writer) error { return f.write(w, s) },
			})
		}
	}
	return out, nil
}
