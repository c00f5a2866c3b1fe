package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// auditOptions are the flags of audit.
type auditOptions struct {
	keys      []string // trusted public keys, or files of them
	known     []string // files of heads that were kept elsewhere
	witnesses []string // public keys, or files of them, that must have signed those
	bundle    string
	host      string
	raw       bool

	head        bool
	countersign string
	with        string
	newKey      string
	name        string
	passphrase  string
	rotate      bool
}

func (a *app) auditCommand() *cobra.Command {
	var o auditOptions
	c := &cobra.Command{
		Use:   "audit",
		Short: "Check the ledger, offline; export evidence with proofs",
		Long: `Checks everything that is recorded, offline and beside a running command: each
record, the Merkle tree over all of them, the signed heads, and every row of the
store against its record. Names the first record that does not fit.

The key to trust is --key, else oust.pub in the campaign folder, else the one
that the ledger itself begins with; which it was is said.

--bundle writes an archive for an auditor, with a small check that does not need
oust. --head prints the newest signed head: keep it where nobody can reach it
who can reach this machine, and give it to --known later. --countersign has
somebody else sign a head, with a key that --new-key has made; neither needs a
campaign. --rotate has another key sign from now on. See docs/ledger.md.

Exit codes:
  0    everything is as it was written
  1    usage, configuration or internal error
  2    something is not as it was written, or nothing is recorded
  130  interrupted`,
		Example: `  oust audit
  oust audit --key auditor/oust.pub --known posted/2026-11-01.txt
  oust audit --bundle evidence.zip
  oust audit --bundle db01.zip --host db01 --raw
  oust audit --head > head.txt
  oust audit --new-key witness.key --name auditor.example
  oust audit --countersign head.txt --with witness.key > countersigned.txt`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return a.runAudit(c.Context(), o)
		},
	}
	f := c.Flags()
	f.StringArrayVar(&o.keys, "key", nil, "trust this public `KEY`, or the one in this file; may be repeated")
	f.StringArrayVar(&o.known, "known", nil, "a `FILE` with a head that was kept elsewhere; may be repeated")
	f.StringArrayVar(&o.witnesses, "witness", nil, "a public `KEY`, or the file of one, that must have signed every --known; may be repeated")
	f.StringVar(&o.bundle, "bundle", "", "write an archive for an auditor to this `FILE`")
	f.StringVar(&o.host, "host", "", "with --bundle: only the records of this `HOST`, with their proofs")
	f.BoolVar(&o.raw, "raw", false, "with --bundle: also what the hosts printed")
	f.BoolVar(&o.head, "head", false, "print the newest signed head")
	f.StringVar(&o.countersign, "countersign", "", "print the signed head in this `FILE` with one more signature")
	f.StringVar(&o.with, "with", "", "with --countersign: the `FILE` of the key that signs")
	f.StringVar(&o.newKey, "new-key", "", "make a key to countersign with, in this `FILE`, and print its public key")
	f.StringVar(&o.name, "name", "", "with --new-key: the `NAME` of the key, such as auditor.example")
	f.StringVar(&o.passphrase, "key-passphrase", "", "with --new-key and --countersign: the passphrase of the key, env:NAME or file:PATH")
	f.BoolVar(&o.rotate, "rotate", false, "make a new key for the ledger, which signs from now on, and record that")
	return c
}

// check refuses flags that do not go together.
func (o auditOptions) check() error {
	modes := 0
	for _, is := range []bool{o.bundle != "", o.head, o.countersign != "", o.newKey != "", o.rotate} {
		if is {
			modes++
		}
	}
	for _, c := range []struct {
		wrong bool
		what  string
	}{
		{modes > 1, "of --bundle, --head, --countersign, --new-key and --rotate take one"},
		{(o.host != "" || o.raw) && o.bundle == "", "--host and --raw go with --bundle"},
		{(o.countersign == "") != (o.with == ""), "--countersign HEADFILE goes with --with KEYFILE"},
		{(o.newKey == "") != (o.name == ""), "--new-key FILE goes with --name NAME"},
		{o.passphrase != "" && o.newKey == "" && o.countersign == "", "--key-passphrase goes with --new-key and --countersign; that of the ledger's key stands in campaign.yaml"},
		{len(o.known) == 0 && len(o.witnesses) > 0, "--witness goes with --known"},
		{len(o.known) > 0 && modes > 0 && o.bundle == "", "--known goes with the check and with --bundle"},
		{len(o.keys) > 0 && (o.newKey != "" || o.rotate), "--key goes with the check, --bundle, --head and --countersign"},
	} {
		if c.wrong {
			return errors.New(c.what)
		}
	}
	return nil
}

func (a *app) runAudit(ctx context.Context, o auditOptions) error {
	switch {
	case o.newKey != "":
		return a.newWitness(o)
	case o.countersign != "":
		return a.countersign(o)
	case o.head:
		return a.printHead(ctx, o)
	case o.rotate:
		return a.rotateKey(ctx)
	}
	return a.auditLedger(ctx, o)
}

// keyLine is what stands before the first plus of a public key, and its sum.
func keyLine(key string) string {
	name, rest, _ := strings.Cut(key, "+")
	sum, _, _ := strings.Cut(rest, "+")
	return fmt.Sprintf("%s+%s", name, sum)
}
