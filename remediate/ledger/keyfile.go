package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// Lock says how the file of a key is encrypted, with age; the zero value means
// that it is not.
type Lock struct {
	Passphrase string
	// Identity is the path of a file with age identities, any of which opens the
	// key, in place of a passphrase.
	Identity string
}

// Unlock opens the file of a key that is encrypted.
type Unlock struct {
	// Passphrase gives the passphrase. It is called only if the file asks for
	// one; nil means that there is none.
	Passphrase func() (string, error)
	// Identity is the path of a file with age identities; "" for none.
	Identity string
}

// scryptWork is the work of a passphrase, as a power of two: that of the
// program age. Opening a key takes about a second and 256 MiB.
const scryptWork = 18

// maxKeyFile bounds files of keys, in bytes.
const maxKeyFile = 64 << 10

// Save writes the key to a new file that its owner alone can read; what is
// there already stays as it is, and is an error that wraps fs.ErrExist.
func (s *Signer) Save(path string, lock Lock) error {
	return s.save(path, lock, scryptWork)
}

func (s *Signer) save(path string, lock Lock, work int) error {
	text, err := lock.seal(s.secret+"\n", work)
	if err != nil {
		return fmt.Errorf("the ledger's key: %w", err)
	}
	if err := writeNew(path, text); err != nil {
		return fmt.Errorf("write the ledger's key: %w", err)
	}
	return nil
}

// seal encrypts the text of a key.
func (l Lock) seal(text string, work int) ([]byte, error) {
	var to []age.Recipient
	switch {
	case l.Passphrase != "" && l.Identity != "":
		return nil, errors.New("it is encrypted with a passphrase or for an identity, not both")
	case l.Passphrase != "":
		r, err := age.NewScryptRecipient(l.Passphrase)
		if err != nil {
			return nil, err
		}
		r.SetWorkFactor(work)
		to = append(to, r)
	case l.Identity != "":
		ids, err := readIdentities(l.Identity)
		if err != nil {
			return nil, err
		}
		if to = recipients(ids); len(to) == 0 {
			return nil, fmt.Errorf("the identity %s: nothing can be encrypted for its kind", l.Identity)
		}
	default:
		return []byte(text), nil
	}
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, to...)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(w, text); err != nil {
		return nil, err
	}
	if err := errors.Join(w.Close(), a.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// recipients are the public halves of identities.
func recipients(ids []age.Identity) (to []age.Recipient) {
	for _, id := range ids {
		switch id := id.(type) {
		case *age.X25519Identity:
			to = append(to, id.Recipient())
		case *age.HybridIdentity:
			to = append(to, id.Recipient())
		}
	}
	return to
}

// writeNew makes a file that its owner alone can read, whole or not at all,
// and has it on the disk before it returns.
func writeNew(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := nameNew(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// nameNew gives a file a name that nothing has. Where there are no links it
// looks first, and a name that is taken in that moment is lost.
func nameNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s: %w", to, fs.ErrExist)
	}
	return os.Rename(from, to)
}

// syncFolder has a folder's entries on the disk, where the system can say so.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// LoadSigner reads the file of a key. An error wraps fs.ErrNotExist if there is
// none; no error has a secret in it.
func LoadSigner(path string, unlock Unlock) (*Signer, error) {
	s, err := loadSigner(path, unlock)
	if err != nil {
		return nil, fmt.Errorf("the ledger's key %s: %w", path, err)
	}
	return s, nil
}

func loadSigner(path string, unlock Unlock) (*Signer, error) {
	text, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	if sealed, open := sealedText(text); sealed {
		if text, err = unlock.open(open); err != nil {
			return nil, err
		}
	}
	return parseSigner(strings.TrimSpace(string(text)))
}

// readPrivate reads a file that nobody but its owner may be able to read.
func readPrivate(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("it is not there: %w", fs.ErrNotExist)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("others can read it (mode %04o); take that from them: chmod 600 %s", info.Mode().Perm(), path)
	case info.Size() > maxKeyFile:
		return nil, fmt.Errorf("%w: it is %d bytes long", errNoKey, info.Size())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxKeyFile))
}

// sealedText reports whether a text is encrypted with age, and gives what age
// reads of it.
func sealedText(text []byte) (sealed bool, open io.Reader) {
	switch {
	case bytes.HasPrefix(text, []byte(armor.Header)):
		return true, armor.NewReader(bytes.NewReader(text))
	case bytes.HasPrefix(text, []byte("age-encryption.org/")):
		return true, bytes.NewReader(text)
	}
	return false, nil
}

func (u Unlock) open(sealed io.Reader) ([]byte, error) {
	ids, err := u.identities()
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, errors.New("it is encrypted; say in campaign.yaml how it opens: ledger: {passphrase: env:NAME}, or identity: FILE")
	}
	r, err := age.Decrypt(sealed, ids...)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return nil, errors.New("neither the passphrase nor an identity that was given opens it")
	}
	if err != nil {
		return nil, fmt.Errorf("open it: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("open it: %w", err)
	}
	return text, nil
}

func readIdentities(path string) ([]age.Identity, error) {
	text, err := readPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("the identity %s: %w", path, err)
	}
	ids, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("the identity %s is not one of age", path) // age's own words may quote it
	}
	return ids, nil
}

func (u Unlock) identities() (ids []age.Identity, err error) {
	if u.Identity != "" {
		if ids, err = readIdentities(u.Identity); err != nil {
			return nil, err
		}
	}
	if u.Passphrase == nil {
		return ids, nil
	}
	word, err := u.Passphrase()
	if err != nil {
		return nil, fmt.Errorf("its passphrase: %w", err)
	}
	if word == "" {
		return ids, nil
	}
	id, err := age.NewScryptIdentity(word)
	if err != nil {
		return nil, fmt.Errorf("its passphrase: %w", err)
	}
	return append(ids, id), nil
}
