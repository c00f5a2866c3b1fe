package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"oust/remediate/ledger"
	"oust/remediate/sqlite"
)

// signed are the options of the tests; the other processes that they start
// have the same key, from a file that keyVar names.
var signed = sqlite.Options{By: "kim@desk"}

const keyVar = "OUST_STORE_KEY"

// runSigned runs the tests, with a key for their stores.
func runSigned(m *testing.M) error {
	dir, err := os.MkdirTemp("", "oust-key")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "oust.key")
	if signed.Signer, err = ledger.NewSigner("oust/test"); err == nil {
		err = signed.Signer.Save(path, ledger.Lock{})
	}
	if err == nil {
		err = os.Setenv(keyVar, path)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir) // what it leaves is small
		os.Exit(code)
	}))
	return nil
}

// loadSigned gives a child the key of its parent.
func loadSigned() (err error) {
	signed.Signer, err = ledger.LoadSigner(os.Getenv(keyVar), ledger.Unlock{})
	return err
}
