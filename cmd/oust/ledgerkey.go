package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"oust/remediate/campaign"
	"oust/remediate/ledger"
	"oust/remediate/sqlite"
	"oust/transports/creds"
)

// The files of the key that signs the ledger, in the campaign folder; the first
// may be elsewhere.
const (
	keyName    = "oust.key"
	publicName = "oust.pub"
)

func (w *workspace) keyPath() string {
	return cmp.Or(w.campaign.Ledger.Key, filepath.Join(w.campaign.Dir, keyName))
}

func (w *workspace) publicPath() string { return filepath.Join(w.campaign.Dir, publicName) }

// passphrase resolves the passphrase of the key; empty if it has none.
func (w *workspace) passphrase() (string, error) {
	secret, err := creds.Resolver{Dir: w.campaign.Dir}.Resolve(w.campaign.Ledger.Passphrase)
	if err != nil {
		return "", fmt.Errorf("%s: %w", campaign.Place(w.campaign.Dir, "ledger.passphrase"), err)
	}
	return secret.Reveal(), nil
}

// loadKey reads the key. The error wraps fs.ErrNotExist if it is not there.
func (w *workspace) loadKey(path string) (*ledger.Signer, error) {
	return ledger.LoadSigner(path, ledger.Unlock{Passphrase: w.passphrase, Identity: w.campaign.Ledger.Identity})
}

// saveKey writes a new key, encrypted as the campaign says.
func (w *workspace) saveKey(path string, s *ledger.Signer) error {
	word, err := w.passphrase()
	if err != nil {
		return err
	}
	return s.Save(path, ledger.Lock{Passphrase: word, Identity: w.campaign.Ledger.Identity})
}

// signer is the key of the ledger. A campaign that has recorded nothing yet and
// has no key gets one.
func (w *workspace) signer(ctx context.Context) (*ledger.Signer, error) {
	if w.key != nil {
		return w.key, nil
	}
	path := w.keyPath()
	var err error
	if _, missing := os.Lstat(path); errors.Is(missing, fs.ErrNotExist) {
		w.key, err = w.firstKey(ctx, path)
	} else if w.key, err = w.loadKey(path); err == nil {
		err = w.keepPublic(w.key)
	}
	return w.key, err
}

// keepPublic writes the public key where there is none.
func (w *workspace) keepPublic(s *ledger.Signer) error {
	if _, err := os.Lstat(w.publicPath()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return w.writePublic(s)
}

// firstKey makes the key of a campaign whose ledger has none.
func (w *workspace) firstKey(ctx context.Context, path string) (*ledger.Signer, error) {
	inForce, err := w.keyInForce(ctx)
	if err != nil {
		return nil, err
	}
	if inForce != "" {
		return nil, fmt.Errorf("the ledger is signed by the key %s, and %s is not there: put it back from your copy; if it is lost for good, "+
			"'oust%s audit --rotate' makes another, and records that", inForce, path, w.a.dirFlag())
	}
	if s, err := w.lostKey(path); s != nil || err != nil {
		return s, err
	}
	s, err := w.makeKey(path)
	if errors.Is(err, fs.ErrExist) { // another command was quicker
		return w.loadKey(path)
	}
	if err != nil {
		return nil, err
	}
	w.a.logger.Info("made the key of the ledger", "file", path, "key", s.Public())
	if !w.a.json {
		fmt.Fprintf(w.a.Err, "oust: note: made %s, which signs the ledger, and %s to check it with; keep a copy of both elsewhere\n", path, w.publicPath())
	}
	return s, nil
}

// lostKey refuses to make a key where the public half of one is there: whoever
// was given that would not believe what another signs.
func (w *workspace) lostKey(path string) (*ledger.Signer, error) {
	if _, err := os.Lstat(w.publicPath()); errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // nothing is lost
	}
	if _, err := os.Lstat(path); err == nil { // another command was quicker
		return w.loadKey(path)
	}
	return nil, fmt.Errorf("%s is there, and %s, which signs the ledger, is not: put it back from your copy; "+
		"if it is lost for good, remove %s, and another is made", w.publicPath(), path, w.publicPath())
}

// makeKey makes both files of a new key.
func (w *workspace) makeKey(path string) (*ledger.Signer, error) {
	s, err := ledger.NewSigner(ledger.Origin(w.campaign.Name))
	if err != nil {
		return nil, err
	}
	if err := w.saveKey(path, s); err != nil {
		return nil, err
	}
	return s, w.writePublic(s)
}

// writePublic writes the public key into the campaign folder.
func (w *workspace) writePublic(s *ledger.Signer) error {
	return writePublicKey(w.publicPath(), s)
}

func writePublicKey(path string, s *ledger.Signer) error {
	text := s.Public() + "\n"
	if old, err := os.ReadFile(path); err == nil && string(old) == text {
		return nil
	}
	return writeFileAtomic(path, writes(text))
}

// keyInForce is the public key that signs the ledger now, empty if there is
// nothing that was signed.
func (w *workspace) keyInForce(ctx context.Context) (string, error) {
	path := filepath.Join(w.campaign.Dir, storeName)
	store, err := sqlite.OpenReadOnly(ctx, path, sqlite.Options{Logger: w.a.logger.Named("store"), Now: w.a.now})
	if errors.Is(err, sqlite.ErrNoStore) {
		return "", nil
	}
	if errors.Is(err, sqlite.ErrOlder) {
		return sqlite.OlderKey(ctx, path)
	}
	if err != nil {
		return "", err
	}
	key, err := store.LedgerKey(ctx)
	return key, errors.Join(err, store.Close())
}

// otherKey explains that the key in its place is not that of the ledger.
func (w *workspace) otherKey(err error) error {
	if !errors.Is(err, sqlite.ErrOtherKey) {
		return err
	}
	return fmt.Errorf("%w; put the right key at %s, or, if it is lost for good, have this campaign go on with a new one: 'oust%s audit --rotate'",
		err, w.keyPath(), w.a.dirFlag())
}

// readPublicKey reads a public key: itself, or the file that has it.
func readPublicKey(given string) (string, error) {
	if _, err := ledger.CheckPublic(given); err == nil {
		return given, nil
	}
	text, err := readSmall(given)
	if err != nil {
		return "", fmt.Errorf("%q is neither a public key nor a file that has one: %w", given, err)
	}
	key := strings.TrimSpace(string(text))
	if _, err := ledger.CheckPublic(key); err != nil {
		return "", fmt.Errorf("%s: %w", given, err)
	}
	return key, nil
}
