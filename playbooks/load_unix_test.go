//go:build unix

package playbooks

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestLoadPipe: what is no file is refused, and nobody waits for its writer.
func TestLoadPipe(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"./pipe.yaml", "."} {
		if _, err := mustThree(t).Select(dir, []string{name}); err == nil || !strings.Contains(err.Error(), "pipe.yaml is not a regular file") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
