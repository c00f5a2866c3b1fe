package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestRequests: what one host costs oust in connections and requests, beside
// pywinrm and, where it is installed, Ansible, which do less. The number of
// requests for output depends on how fast it comes; the bounds leave room.
func TestRequests(t *testing.T) {
	t.Parallel()
	if err := exec.Command(python, "-c", "import winrm, requests_ntlm").Run(); err != nil {
		reason := "pywinrm is not on this machine (packages python3-winrm and python3-requests-ntlm)"
		if os.Getenv("OUST_NO_SKIP") == "1" {
			t.Fatal(reason + " (and OUST_NO_SKIP=1 forbids to skip)")
		}
		t.Skip(reason)
	}
	program := filepath.Join(t.TempDir(), "oust")
	if out, err := exec.Command("go", "build", "-o", program, "oust/cmd/oust").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	results, err := measureAll(t.Context(), settings{hosts: 1, forks: 1, speed: 1000, oust: program, timeout: 2 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]result{}
	for _, r := range results {
		t.Logf("%s: look %+v, removal %+v", r.tool.name, r.lookCounts, r.removeCounts)
		by[r.tool.name] = r
	}
	ours, script := by["oust"], by["pywinrm"]
	// Look and launch, the launch's long input, the second look; and one each
	// time that oust asks after a removal that takes longer.
	if ours.lookCounts.connections != 1 || ours.removeCounts.connections > 6 {
		t.Errorf("%d connections for a look, %d for a removal; want 1 and at most 6", ours.lookCounts.connections, ours.removeCounts.connections)
	}
	if most := 3 * script.lookCounts.requests; ours.lookCounts.requests > most {
		t.Errorf("%d requests for a look, want at most %d", ours.lookCounts.requests, most)
	}
	if most := 3 * script.removeCounts.requests; ours.removeCounts.requests > most {
		t.Errorf("%d requests for a removal, want at most %d", ours.removeCounts.requests, most)
	}
	if other, ok := by["ansible-playbook"]; ok && ours.removeCounts.requests > 2*other.removeCounts.requests {
		t.Errorf("%d requests for a removal, and Ansible's are %d", ours.removeCounts.requests, other.removeCounts.requests)
	}
}
