package ssh

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/skeema/knownhosts"
	xssh "golang.org/x/crypto/ssh"
)

// errKnownMeanwhile: while we waited for the file, somebody recorded a key of
// this host.
var errKnownMeanwhile = errors.New("the host has become known meanwhile")

// Bounds of the wait for another process that writes the file.
const (
	lockPause = 10 * time.Millisecond
	lockTries = 500
)

// accept records a host's first key in the first known_hosts file. Only one
// writer, here or in another process that locks the file, does so at a time;
// what others have added since is read first. recorded is false if the key
// turned out to be there.
func (k *knownHosts) accept(at hostPort, key xssh.PublicKey) (recorded bool, err error) {
	if len(k.files) == 0 {
		return false, errors.New("there is no known_hosts file to record it in")
	}
	k.record.Lock()
	defer k.record.Unlock()
	if done, err := k.acceptedNow(at, key); done || err != nil {
		return false, err
	}
	f, err := openKnown(k.files[0])
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := lockKnown(f); err != nil {
		return false, err
	}
	ended, err := k.catchUp(f)
	if err != nil {
		return false, err
	}
	if done, err := k.acceptedNow(at, key); done || err != nil {
		return false, err
	}
	return true, k.append(f, at, key, ended)
}

// acceptedNow looks again: true if the key is known by now, an error if
// another key is.
func (k *knownHosts) acceptedNow(at hostPort, key xssh.PublicKey) (bool, error) {
	switch k.judge(at, key).verdict {
	case trusted:
		return true, nil
	case unknownKey:
		return false, nil
	}
	return false, errKnownMeanwhile
}

// openKnown opens a known_hosts file to append to; it makes the file, and the
// folder that it is in.
func openKnown(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
}

func lockKnown(f *os.File) error {
	for range lockTries {
		taken, err := tryLock(f)
		if taken || err != nil {
			return err
		}
		time.Sleep(lockPause)
	}
	return fmt.Errorf("%s is locked by another process", f.Name())
}

// catchUp reads what was added to the file since it was last read. ended is
// false if its last line lacks its end.
func (k *knownHosts) catchUp(f *os.File) (ended bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if info.Size() < k.size { // written anew, as by ssh-keygen -R
		k.size, k.newlines = 0, 0
	}
	if info.Size() > knownMost {
		return false, fmt.Errorf("%s is larger than %d bytes", f.Name(), int64(knownMost))
	}
	tail := make([]byte, info.Size()-k.size)
	if _, err := f.ReadAt(tail, k.size); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	if len(tail) > 0 {
		k.read(f.Name(), tail, k.newlines+1)
		k.size, k.newlines = info.Size(), k.newlines+bytes.Count(tail, newline)
	}
	if k.size == 0 {
		return true, nil
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], k.size-1); err != nil {
		return false, err
	}
	return last[0] == '\n', nil
}

// append writes the line in one write, so that a reader never sees half.
func (k *knownHosts) append(f *os.File, at hostPort, key xssh.PublicKey, ended bool) error {
	text := knownhosts.Line([]string{at.normalized()}, key) + "\n"
	if cert, ok := key.(*xssh.Certificate); ok {
		text = knownhosts.Line([]string{at.normalized()}, cert.Key) + "\n"
	}
	written := text
	if !ended {
		written = "\n" + text
	}
	if _, err := f.WriteString(written); err != nil {
		return fmt.Errorf("write known_hosts: %w", err)
	}
	k.size, k.newlines = k.size+int64(len(written)), k.newlines+bytes.Count([]byte(written), newline)
	k.read(f.Name(), []byte(text), k.newlines)
	return nil
}
