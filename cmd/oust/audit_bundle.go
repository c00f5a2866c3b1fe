package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"oust/docs"
	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/ledger"
)

// bundleIndex is what records name that goes into a bundle.
type bundleIndex struct {
	options auditOptions
	plans   map[string]string // digest -> id
	raw     map[string]bool   // digests
}

func newBundleIndex(o auditOptions) bundleIndex {
	return bundleIndex{options: o, plans: map[string]string{}, raw: map[string]bool{}}
}

func (x *bundleIndex) add(r remediate.Record) {
	switch b := r.Body.(type) {
	case remediate.PlanSaved:
		x.plans[b.Digest] = b.Plan
	case remediate.LookTaken:
		if x.options.raw && b.Raw != "" && (x.options.host == "" || x.options.host == r.Host) {
			x.raw[b.Raw] = true
		}
	}
}

// writeBundle writes the archive.
func (u *audit) writeBundle(ctx context.Context) error {
	files := []ledger.BundleFile{
		{Name: "ledger.md", Write: writes(docs.Ledger)},
		{Name: "verify/main.go", Write: writes(docs.Verify)},
	}
	for digest := range u.evidence.raw {
		name := "raw/" + strings.TrimPrefix(digest, "sha256:") + ".txt"
		files = append(files, ledger.BundleFile{Name: name, Write: func(w io.Writer) error {
			text, err := u.store.Raw(ctx, digest)
			if err == nil {
				_, err = w.Write(text)
			}
			return err
		}})
	}
	if u.options.host == "" {
		reports, err := u.reports(ctx)
		if err != nil {
			return err
		}
		files = append(append(files, reports...), u.planFiles()...)
	} else if err := u.knowsHost(ctx); err != nil {
		return err
	}
	b := ledger.Bundle{Source: u.store, Report: u.report, Host: u.options.host, Files: files, Version: version()}
	return writeFileNew(u.options.bundle, func(w io.Writer) error { return b.Write(ctx, w) })
}

// knowsHost refuses a bundle of a host that no record names.
func (u *audit) knowsHost(ctx context.Context) error {
	for _, err := range u.store.HostLedger(ctx, u.options.host) {
		return err
	}
	return fmt.Errorf("--host: no record is about a host %q", u.options.host)
}

// planFiles are the plans in the campaign folder that records name.
func (u *audit) planFiles() []ledger.BundleFile {
	entries, _ := os.ReadDir(u.a.dir) // what can be read of it
	var out []ledger.BundleFile
	for _, e := range entries {
		path := filepath.Join(u.a.dir, e.Name())
		if !e.Type().IsRegular() || filepath.Ext(path) != ".json" {
			continue
		}
		plan, err := readPlanFile(path)
		if err != nil || u.evidence.plans[plan.Digest] != plan.ID {
			continue // no plan, or none of this campaign
		}
		delete(u.evidence.plans, plan.Digest) // once is enough
		out = append(out, ledger.BundleFile{Name: "plans/" + plan.ID + ".json", Write: func(w io.Writer) error {
			plan, err := readPlanFile(path)
			if err != nil {
				return err
			}
			text, err := engine.PlanText(plan)
			if err == nil {
				_, err = w.Write(text)
			}
			return err
		}})
	}
	return out
}

// reports are those that can be made of what is being audited.
func (u *audit) reports(ctx context.Context) ([]ledger.BundleFile, error) {
	w, err := u.a.openCampaign()
	if err != nil {
		return nil, fmt.Errorf("the reports of the bundle: %w", err)
	}
	w.store = u.store
	files, err := w.reportFiles(ctx)
	if err != nil {
		return nil, fmt.Errorf("the reports of the bundle: %w", err)
	}
	return files, nil
}

// mustBeNew refuses a file that is there.
func mustBeNew(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s is there already; it is not written over", path), err)
	}
	return nil
}

// writeFileNew writes a file whole or not at all, readable by its owner, and
// never over another.
func writeFileNew(path string, write func(io.Writer) error) error {
	return writeFileAtomic(path, func(w io.Writer) error {
		if err := write(w); err != nil {
			return err
		}
		return mustBeNew(path) // a file that came meanwhile, but for the moment of the renaming
	})
}
