package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"oust/remediate"
	"oust/remediate/campaign"
	"oust/remediate/mandate"
	"oust/remediate/schedule"
)

func (a *app) initCommand() *cobra.Command {
	var name, issued string
	var key remediate.LedgerSettings
	c := &cobra.Command{
		Use:   "init DIR --mandate bod-17-01 --issued DATE",
		Short: "Write a commented campaign.yaml, an empty hosts.csv and the key of the ledger",
		Long: `Makes the folder of a new campaign: a commented campaign.yaml, an empty
hosts.csv, and the key that signs what is recorded: oust.key, and oust.pub to
check it with. Nothing that is there already is overwritten.`,
		Example: "  oust init kaspersky-2026 --mandate bod-17-01 --issued 2026-10-01",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.runInit(args[0], name, issued, key)
		},
	}
	c.SetHelpFunc(func(c *cobra.Command, args []string) {
		c.Long += "\n\nMandates that are built in:\n" + builtinLines() + "\nA mandate of your own is a YAML file; give its path (docs/mandates.md)."
		c.Parent().HelpFunc()(c, args)
	})
	c.Flags().StringVar(&name, "mandate", "bod-17-01", "the mandate whose milestones count: one that is built in, or a path")
	c.Flags().StringVar(&issued, "issued", "", "the day on which it was issued, YYYY-MM-DD: day 0 of the milestones (default: today; for a mandate with fixed days, the day of its own issue)")
	c.Flags().StringVar(&key.Key, "key", "", "the `FILE` of the key that signs what is recorded (default: oust.key in DIR)")
	c.Flags().StringVar(&key.Passphrase, "key-passphrase", "", "encrypt the key, with this passphrase: env:NAME or file:PATH")
	return c
}

// builtinLines names the mandates that are built in.
func builtinLines() string {
	var b strings.Builder
	for _, name := range mandate.Builtin() {
		m, err := mandate.Named(name)
		if err != nil {
			m.Title = err.Error() // not reached: all of them are tested
		}
		fmt.Fprintf(&b, "  %-14s %s\n", name, m.Title)
	}
	return b.String()
}

func (a *app) runInit(dir, name, issued string, key remediate.LedgerSettings) error {
	terms, name, err := chosenMandate(dir, name)
	if err != nil {
		return fmt.Errorf("--mandate: %w", err)
	}
	day := a.now().UTC().Truncate(24 * time.Hour)
	if !terms.Issued.IsZero() && slices.ContainsFunc(terms.Milestones, func(r remediate.MilestoneRule) bool { return !r.Due.Date.IsZero() }) {
		day = terms.Issued
	}
	if issued != "" {
		if day, err = time.Parse(time.DateOnly, issued); err != nil {
			return fmt.Errorf("--issued %q: want a date such as 2026-10-01", issued)
		}
	}
	if _, err := schedule.Milestones(terms, day, time.Time{}, time.Time{}); err != nil {
		return fmt.Errorf("--mandate: %w", err)
	}
	made, err := a.initFolder(dir, name, day, key)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Out, `Made the campaign folder %[1]s:
  campaign.yaml  what goes, how to log in, how fast
  hosts.csv      the hosts; only the column name is required
  oust.pub       the public key of the ledger: give it, by a way of its own, to whoever will check it:
                 %[2]s
The key itself, which signs what is recorded, is %[3]s: keep a copy of it elsewhere,
and keep it out of version control.
Next: fill both in, then
  oust -C %[1]s hosts    to see the inventory as oust reads it
  oust -C %[1]s scan     to look at every host
`, dir, made.key.Public(), made.keyPath())
	return err
}

// initFolder writes the files. It asks first whether the key can be made.
func (a *app) initFolder(dir, name string, day time.Time, key remediate.LedgerSettings) (*workspace, error) {
	if key.Key != "" {
		var err error
		if key.Key, err = filepath.Abs(key.Key); err != nil {
			return nil, fmt.Errorf("--key: %w", err)
		}
		if _, err := os.Stat(filepath.Dir(key.Key)); err != nil {
			return nil, fmt.Errorf("--key: its folder: %w", err)
		}
	}
	w := &workspace{a: a, campaign: remediate.Campaign{Dir: dir, Ledger: key}}
	if _, err := w.passphrase(); err != nil {
		return nil, fmt.Errorf("--key-passphrase: %w", err)
	}
	for _, path := range []string{w.keyPath(), w.publicPath()} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(fmt.Errorf("%s is there already; nothing was changed", path), err)
		}
	}
	if err := campaign.Init(dir, name, day, key); err != nil {
		return nil, err
	}
	var err error
	if w.campaign, err = campaign.Load(dir); err != nil {
		return nil, err
	}
	if w.key, err = w.makeKey(w.keyPath()); err != nil {
		return w, err
	}
	return w, ignoreSecrets(dir)
}

// ignoreSecrets keeps the key, and what the store holds, out of a repository that
// the folder is put into; a list that is there already stays as it is.
func ignoreSecrets(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, ".gitignore"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString("oust.key\n" + storeName + "*\n" + draftsName + "\n")
	return errors.Join(err, f.Close())
}

// chosenMandate reads the mandate of a new campaign, and says how its file names
// it: the path of a file is written as seen from the campaign folder.
func chosenMandate(dir, name string) (remediate.Mandate, string, error) {
	if !mandate.IsFile(name) {
		m, err := mandate.Named(name)
		return m, name, err
	}
	m, err := mandate.File(name)
	if err != nil || filepath.IsAbs(name) {
		return m, name, err
	}
	from, err := filepath.Abs(dir)
	if err != nil {
		return m, "", err
	}
	to, err := filepath.Abs(name)
	if err != nil {
		return m, "", err
	}
	rel, err := filepath.Rel(from, to)
	if err != nil {
		return m, to, nil //nolint:nilerr // on another drive: only the whole path leads there
	}
	if !strings.HasPrefix(rel, "..") {
		rel = "./" + rel
	}
	return m, filepath.ToSlash(rel), nil
}
