package ssh

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// keyFileMost bounds a private key or certificate file, in bytes.
const keyFileMost = 1 << 20

// keyring loads each private key once, whatever the number of hosts: reading
// an encrypted key takes a tenth of a second of bcrypt.
type keyring struct {
	notes *notes
	mu    sync.Mutex
	keys  map[keyID]*loadedKey
}

// keyID names a loaded key. The passphrase stands in it as a digest only.
type keyID struct {
	file, certificate string
	passphrase        [sha256.Size]byte
}

type loadedKey struct {
	once    sync.Once
	signers []xssh.Signer
	err     error
}

// load returns the key of a file, with its certificate first if there is one.
func (k *keyring) load(file, certificate string, passphrase transports.Secret) ([]xssh.Signer, error) {
	id := keyID{file, certificate, sha256.Sum256([]byte(passphrase.Reveal()))}
	k.mu.Lock()
	if k.keys == nil {
		k.keys = make(map[keyID]*loadedKey)
	}
	entry, ok := k.keys[id]
	if !ok {
		entry = new(loadedKey)
		k.keys[id] = entry
	}
	k.mu.Unlock()
	entry.once.Do(func() {
		k.warnIfOpen(file)
		entry.signers, entry.err = loadKey(file, certificate, passphrase)
	})
	return entry.signers, entry.err
}

// warnIfOpen says that others can read a private key; OpenSSH refuses such a
// one, and whoever put it there should know.
func (k *keyring) warnIfOpen(file string) {
	info, err := os.Stat(file)
	if err != nil || runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0 {
		return
	}
	k.notes.once("mode "+file, "others can read a private key; run chmod 600 on it", keyFile, file, keyMode, info.Mode().Perm().String())
}

func loadKey(file, certificate string, passphrase transports.Secret) ([]xssh.Signer, error) {
	raw, err := readBounded(file, keyFileMost)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	signer, err := parseKey(raw, passphrase)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", file, err)
	}
	if certificate == "" {
		return []xssh.Signer{signer}, nil
	}
	withCert, err := certify(signer, certificate)
	if err != nil {
		return nil, err
	}
	return []xssh.Signer{withCert, signer}, nil
}

func parseKey(raw []byte, passphrase transports.Secret) (xssh.Signer, error) {
	signer, err := xssh.ParsePrivateKey(raw)
	var locked *xssh.PassphraseMissingError
	switch {
	case err == nil:
		return signer, nil
	case !errors.As(err, &locked):
		return nil, errors.New("not a private key that can be read")
	case passphrase.Empty():
		return nil, errors.New("it is encrypted, and the credential has no key_passphrase")
	}
	signer, err = xssh.ParsePrivateKeyWithPassphrase(raw, []byte(passphrase.Reveal()))
	if err != nil {
		return nil, errors.New("the passphrase does not open it")
	}
	return signer, nil
}

// certify joins a key with its OpenSSH user certificate.
func certify(signer xssh.Signer, certificate string) (xssh.Signer, error) {
	raw, err := readBounded(certificate, keyFileMost)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	public, _, _, _, err := xssh.ParseAuthorizedKey(raw)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: not an OpenSSH certificate", certificate)
	}
	cert, ok := public.(*xssh.Certificate)
	if !ok || cert.CertType != xssh.UserCert {
		return nil, fmt.Errorf("certificate %s: not an OpenSSH user certificate", certificate)
	}
	if !bytes.Equal(cert.Key.Marshal(), signer.PublicKey().Marshal()) {
		return nil, fmt.Errorf("certificate %s: it belongs to another key", certificate)
	}
	joined, err := xssh.NewCertSigner(cert, signer)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", certificate, err)
	}
	return joined, nil
}

// readBounded reads a whole file, and refuses one above most bytes.
func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only
	raw, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > most {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, most)
	}
	return raw, nil
}
