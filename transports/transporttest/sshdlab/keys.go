package sshdlab

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// makeKeys makes the client's key and the authority for user certificates.
func (f *Fleet) makeKeys() error {
	f.KnownHosts = filepath.Join(f.slot.dir, "known_hosts")
	f.KeyFile = filepath.Join(f.slot.dir, "id_ed25519")
	f.UserCAFile = filepath.Join(f.slot.dir, "user_ca")
	for _, path := range []string{f.KeyFile, f.UserCAFile} {
		if _, err := writeKey(path); err != nil {
			return err
		}
	}
	return nil
}

// newHostKey gives a host a new key; known says whether known_hosts learns it.
func (f *Fleet) newHostKey(i int, known bool) error {
	h := f.Hosts[i]
	public, err := writeKey(filepath.Join(h.Root, "etc/ssh/ssh_host_ed25519_key"))
	if err != nil || !known {
		return err
	}
	name := h.Addr
	if h.Port != 22 {
		name = fmt.Sprintf("[%s]:%d", h.Addr, h.Port)
	}
	file, err := os.OpenFile(f.KnownHosts, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = fmt.Fprintf(file, "%s %s\n", name, public)
	return err
}

// ChangeHostKey gives a host another key; see Lab.ChangeHostKey.
func (f *Fleet) ChangeHostKey(i int) error {
	if err := f.newHostKey(i, false); err != nil {
		return err
	}
	return f.Restart(i)
}

// writeKey writes a new ed25519 key and its public half, which it returns as
// a line of authorized_keys.
func writeKey(path string) (public string, err error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	block, err := ssh.MarshalPrivateKey(priv, "oust test lab")
	if err != nil {
		return "", err
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		return "", err
	}
	line := ssh.MarshalAuthorizedKey(sshPub)
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return "", err
	}
	return strings.TrimSpace(string(line)), os.WriteFile(path+".pub", line, 0o644)
}
