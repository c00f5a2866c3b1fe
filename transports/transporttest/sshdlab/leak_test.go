package sshdlab

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func readUntilReady(t *testing.T, stdout io.Reader) (endpoints []string) {
	t.Helper()
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if host, ok := strings.CutPrefix(lines.Text(), "host "); ok {
			endpoints = append(endpoints, host)
		}
		if lines.Text() == "ready" {
			return endpoints
		}
	}
	t.Fatal("the child ended before its hosts were ready")
	return nil
}

// awaitRefused waits until nothing listens at an address any more.
func awaitRefused(t *testing.T, endpoint string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		conn, err := net.DialTimeout("tcp", endpoint, time.Second)
		if err != nil {
			return
		}
		conn.Close()
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s still listens", endpoint)
		}
	}
}
