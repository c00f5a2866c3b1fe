package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"oust/remediate"
)

// runSubmit records that files which are there were handed in.
func (a *app) runSubmit(ctx context.Context, kind remediate.ReportKind, to string, files []string) error {
	w, err := a.openMandate()
	if err != nil {
		return err
	}
	digests := make([]remediate.FileDigest, len(files))
	for i, file := range files {
		if digests[i], err = fileDigest(file); err != nil {
			return err
		}
	}
	return a.submit(ctx, w, kind, to, digests)
}

func fileDigest(file string) (remediate.FileDigest, error) {
	f, err := os.Open(file)
	if err != nil {
		return remediate.FileDigest{}, fmt.Errorf("open what was handed in: %w", err)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return remediate.FileDigest{}, fmt.Errorf("%s is not a regular file", file)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return remediate.FileDigest{}, fmt.Errorf("read %s: %w", file, err)
	}
	return remediate.FileDigest{Name: file, Digest: "sha256:" + hex.EncodeToString(sum.Sum(nil))}, nil
}

type submissionMessage struct {
	Type string `json:"type"`
	remediate.Submission
}

// submit records that a report was handed in. Files go by their own names,
// without folders.
func (a *app) submit(ctx context.Context, w *workspace, kind remediate.ReportKind, to string, files []remediate.FileDigest) error {
	to = strings.TrimSpace(to)
	if to == "" {
		return fmt.Errorf("--submit: say to whom the %s report was given", kind)
	}
	s := remediate.Submission{Report: kind, At: a.now().UTC(), By: operator(), To: to}
	names := make([]string, len(files))
	for i, f := range files {
		f.Name = filepath.Base(f.Name)
		names[i] = f.Name
		s.Files = append(s.Files, f)
	}
	err := w.openStoreBeside(ctx)
	if err == nil {
		err = w.store.SaveSubmission(ctx, s)
	}
	if err != nil {
		return fmt.Errorf("the files are there, but it is not recorded that they were handed in; once this is mended, run 'oust report %s --submit TO FILE...': %w", kind, err)
	}
	return a.said(nil, submissionMessage{"submission", s}, "recorded: the %s report was handed in to %s (%s)\n", kind, printable(to), few(names, 200))
}
