package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"oust/remediate/ledger"
	"oust/remediate/sqlite"
)

// openEvidence opens the store as it stands at this moment; the campaign does
// not have to be readable for it.
func (a *app) openEvidence(ctx context.Context) (*sqlite.Store, error) {
	path, options := filepath.Join(a.dir, storeName), sqlite.Options{Logger: a.logger.Named("store"), Now: a.now}
	s, err := sqlite.OpenSnapshot(ctx, path, options)
	if errors.Is(err, sqlite.ErrOlder) {
		fmt.Fprintln(a.Err, "oust: note: an older oust has made the store; this is about a copy of it, brought up to date")
		s, err = sqlite.OpenCopy(ctx, path, options)
	}
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, s)
	return s, nil
}

// trusted are the public keys to hold a ledger against, and where they come
// from; none means that the ledger's own first record has to do.
func (a *app) trusted(given []string) (keys []string, from string, err error) {
	for _, g := range given {
		key, err := readPublicKey(g)
		if err != nil {
			return nil, "", fmt.Errorf("--key: %w", err)
		}
		keys = append(keys, key)
	}
	if len(keys) > 0 {
		return keys, "--key", nil
	}
	path := filepath.Join(a.dir, publicName)
	if _, err := os.Lstat(path); err != nil {
		return nil, "the ledger's first record", nil //nolint:nilerr // without the file there is no such key
	}
	key, err := readPublicKey(path)
	return []string{key}, path, err
}

// headMessage is a signed head.
type headMessage struct {
	Type string    `json:"type"`
	Size int64     `json:"size"`
	Root string    `json:"root"`
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// printHead prints the newest head, if it is well signed and fits the hashes.
func (a *app) printHead(ctx context.Context, o auditOptions) error {
	s, err := a.openEvidence(ctx)
	if err != nil {
		return err
	}
	heads, err := s.Heads(ctx)
	if err != nil {
		return err
	}
	if len(heads) == 0 {
		return errors.New("nothing is signed yet")
	}
	text := heads[len(heads)-1]
	h, err := a.openNewest(ctx, s, text, o.keys)
	if err != nil {
		return fmt.Errorf("%w; 'oust%s audit' tells more", err, a.dirFlag())
	}
	if a.json {
		return a.printJSON(headMessage{"head", h.Size, base64.StdEncoding.EncodeToString(h.Root[:]), h.At, text})
	}
	_, err = io.WriteString(a.Out, text)
	return err
}

func (a *app) openNewest(ctx context.Context, s *sqlite.Store, text string, given []string) (ledger.Head, error) {
	key, err := s.LedgerKey(ctx)
	if err != nil {
		return ledger.Head{}, err
	}
	keys := []string{key}
	if len(given) > 0 {
		if keys, _, err = a.trusted(given); err != nil {
			return ledger.Head{}, err
		}
	}
	h, err := ledger.OpenHead(text, keys...)
	if err != nil {
		return h, err
	}
	tree, err := ledger.NewTree(h.Size, func(indexes []int64) ([][32]byte, error) { return s.LedgerHashes(ctx, indexes) })
	if err != nil {
		return h, err
	}
	if tree.Root() != h.Root {
		return h, errors.New("the newest head does not fit the records")
	}
	return h, nil
}
