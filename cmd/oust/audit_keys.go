package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"oust/remediate"
	"oust/remediate/ledger"
	"oust/transports/creds"
)

// newWitness makes a key that countersigns heads.
func (a *app) newWitness(o auditOptions) error {
	s, err := ledger.NewSigner(o.name)
	if err != nil {
		return fmt.Errorf("--name: %w", err)
	}
	word, err := creds.Resolver{}.Resolve(o.passphrase)
	if err != nil {
		return fmt.Errorf("--key-passphrase: %w", err)
	}
	if err := s.Save(o.newKey, ledger.Lock{Passphrase: word.Reveal()}); err != nil {
		return err
	}
	return a.said(nil, keyMessage{Type: "key", File: o.newKey, Public: s.Public()}, "Made the key %s. Its public key, for those who are to know who signs:\n%s\n", o.newKey, s.Public())
}

// keyMessage tells of a key that was made.
type keyMessage struct {
	Type   string `json:"type"`
	File   string `json:"file"`
	Public string `json:"public"`
	// Before is the key in whose place it is, Consent that it has signed so.
	Before  string `json:"before,omitempty"`
	Consent bool   `json:"consent,omitempty"`
}

// countersign prints a head with one more signature.
func (a *app) countersign(o auditOptions) error {
	text, err := readHead(o.countersign)
	if err != nil {
		return err
	}
	if err := a.vouch(o, text); err != nil {
		return err
	}
	s, err := ledger.LoadSigner(o.with, ledger.Unlock{Passphrase: func() (string, error) {
		word, err := creds.Resolver{}.Resolve(o.passphrase)
		return word.Reveal(), err
	}})
	if err != nil {
		return err
	}
	signed, err := s.Countersign(text)
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.Out, signed)
	return err
}

// vouch checks whose head is about to be countersigned, if it can be told.
func (a *app) vouch(o auditOptions, text string) error {
	if len(o.keys) == 0 {
		fmt.Fprintln(a.Err, "oust: note: who has signed the head is not checked; --key KEY checks it")
		return nil
	}
	var keys []string
	for _, given := range o.keys {
		key, err := readPublicKey(given)
		if err != nil {
			return fmt.Errorf("--key: %w", err)
		}
		keys = append(keys, key)
	}
	_, err := ledger.OpenHead(text, keys...)
	return err
}

// readHead reads the file of a signed head. Line ends that mail or an editor has
// changed are put right.
func readHead(path string) (string, error) {
	text, err := readSmall(path)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n") + "\n", nil
}

// readSmall reads a file with a head or a public key.
func readSmall(path string) ([]byte, error) { return readAtMost(path, ledger.MaxHead) }

// readAtMost reads a file that may have so many bytes.
func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s: more than %d bytes", path, most)
	}
	return text, err
}

// writes gives what writes a text.
func writes(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

// rotateKey makes a new key for the ledger and records that it follows the one
// before, which consents if it is there.
func (a *app) rotateKey(ctx context.Context) error {
	w, err := a.openCampaign()
	if err != nil {
		return err
	}
	before, err := w.keyInForce(ctx)
	if err != nil {
		return err
	}
	if before == "" {
		return errors.New("nothing is signed yet: the key is made with the first record")
	}
	next, consent, err := w.nextKey(before)
	if err != nil {
		return err
	}
	w.key = next
	w.rotate = &remediate.KeyChanged{Key: next.Public(), Before: before, Consent: consent}
	if next.Public() == before { // the change is recorded already
		w.rotate = nil
	}
	if err := w.openStoreBeside(ctx); err != nil {
		return err
	}
	if err := w.takeUpKey(next); err != nil {
		return err
	}
	how := "the key before has signed its consent"
	if consent == "" {
		how = "the key before is not there to consent: give the new public key to those who check"
	}
	return a.said(nil, keyMessage{"key", w.keyPath(), next.Public(), before, consent != ""},
		"From now on the ledger is signed by\n%s\n(%s). Keep a copy of %s elsewhere.\n", next.Public(), how, w.keyPath())
}

// nextKey makes the key that follows, beside the one in its place, or takes up
// one that an interrupted rotation has left there. Where the key before is
// there and does not open, nothing is made.
func (w *workspace) nextKey(before string) (next *ledger.Signer, consent string, err error) {
	next, err = w.leftKey()
	if err != nil || next != nil && next.Public() == before {
		return next, "", err
	}
	old, err := w.loadKey(w.keyPath())
	lost := errors.Is(err, fs.ErrNotExist)
	if err != nil && !lost {
		return nil, "", fmt.Errorf("%w; move it away to rotate without its consent", err)
	}
	if next == nil {
		if next, err = ledger.NewSigner(nameOf(before)); err == nil {
			err = w.saveKey(w.newKeyPath(), next)
		}
		if err != nil {
			return nil, "", err
		}
	}
	if lost || old.Public() != before {
		return next, "", nil
	}
	consent, err = old.Consent(next.Public())
	return next, consent, err
}

// newKeyPath is where a key stands until it signs.
func (w *workspace) newKeyPath() string { return w.keyPath() + ".new" }

// leftKey is the key that an interrupted rotation has left, nil if none has.
func (w *workspace) leftKey() (*ledger.Signer, error) {
	if _, err := os.Lstat(w.newKeyPath()); errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // none is left
	}
	s, err := w.loadKey(w.newKeyPath())
	if err != nil {
		return nil, fmt.Errorf("an earlier --rotate, which was cut short, has left a key that may sign the ledger already: %w", err)
	}
	return s, nil
}

// nameOf is the name of a public key.
func nameOf(key string) string {
	name, _, _ := strings.Cut(key, "+")
	return name
}

// takeUpKey puts the new key in its place, and the one before beside it.
func (w *workspace) takeUpKey(next *ledger.Signer) error {
	path := w.keyPath()
	if old, err := w.loadKey(path); err == nil && old.Public() == next.Public() {
		return w.writePublic(next)
	}
	if err := putAside(path); err != nil {
		return fmt.Errorf("put the key before aside: %w", err)
	}
	if err := os.Rename(w.newKeyPath(), path); err != nil {
		return fmt.Errorf("put the new key in its place: %w", err)
	}
	return w.writePublic(next)
}

// putAside renames a file to the first name that nothing has.
func putAside(path string) error {
	const most = 1000
	for n := 1; n <= most; n++ {
		aside := fmt.Sprintf("%s.%d", path, n)
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			if err := os.Rename(path, aside); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		}
	}
	return fmt.Errorf("there are %d keys beside %s already", most, path)
}
