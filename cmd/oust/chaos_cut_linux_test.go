package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"oust/transports/transporttest/sshdlab"
)

// wire is a network of its own for oust: a namespace that one cable, which can
// be cut, joins to this machine. It ends with the process that holds it.
type wire struct {
	t      *testing.T
	holder *exec.Cmd
	device string
}

func newWire(t *testing.T, here, there string) *wire {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		if os.Getenv("OUST_NO_SKIP") == "1" {
			t.Fatal("a network of its own needs ip(8), of iproute2")
		}
		t.Skip("a network of its own needs ip(8), of iproute2")
	}
	w := &wire{t: t, holder: exec.Command("unshare", "--net", "sh", "-c", "echo ready; cat"), device: fmt.Sprintf("oust%d", os.Getpid()%1_000_000)}
	in, err := w.holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = w.holder.Wait()
		_ = exec.Command("ip", "link", "del", w.device).Run() // gone with the namespace, as a rule
	})
	if _, err := out.Read(make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	pid := strconv.Itoa(w.holder.Process.Pid)
	w.run("ip", "link", "add", w.device, "type", "veth", "peer", "name", "eth0", "netns", pid)
	w.run("ip", "addr", "add", here+"/24", "dev", w.device)
	w.run("ip", "link", "set", w.device, "up")
	for _, args := range [][]string{{"addr", "add", there + "/24", "dev", "eth0"}, {"link", "set", "eth0", "up"}, {"link", "set", "lo", "up"}} {
		w.run("nsenter", append([]string{"--target", pid, "--net", "ip"}, args...)...)
	}
	return w
}

func (w *wire) run(name string, args ...string) {
	w.t.Helper()
	if out, err := exec.CommandContext(w.t.Context(), name, args...).CombinedOutput(); err != nil {
		w.t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

// cut takes the cable away for a time: packets are lost, and nobody on the
// other side is told.
func (w *wire) cut(d time.Duration) {
	w.t.Helper()
	w.run("ip", "link", "set", w.device, "down")
	<-time.After(d)
	w.run("ip", "link", "set", w.device, "up")
}

// forward lets what comes to one address through to another.
func forward(t *testing.T, from, to string) {
	t.Helper()
	l, err := net.Listen("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	pipe := func(in net.Conn) {
		defer func() { _ = in.Close() }()
		out, err := net.DialTimeout("tcp", to, 10*time.Second)
		if err != nil {
			return
		}
		defer func() { _ = out.Close() }()
		defer context.AfterFunc(ctx, func() { _, _ = in.Close(), out.Close() })()
		all.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
		_, _ = io.Copy(in, out)
	}
	all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { pipe(in) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		all.Wait()
	})
}

// TestNetworkCut cuts the network of all hosts, for seconds to more than a
// minute, while removals run that take longer or end meanwhile: all are
// removed, each once, in one apply.
func TestNetworkCut(t *testing.T) {
	t.Parallel()
	const here, there = "10.213.77.1", "10.213.77.2"
	l := sshdlab.Start(t, sshdlab.Options{Hosts: 4, RPM: 2})
	w := newWire(t, here, there)
	known, err := os.ReadFile(l.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	dir := realCampaign(t, l, rootCredential)
	for i, h := range l.Hosts {
		port := 3000 + i
		forward(t, net.JoinHostPort(here, strconv.Itoa(port)), net.JoinHostPort(h.Addr, strconv.Itoa(h.Port)))
		edit(t, filepath.Join(dir, "hosts.csv"), fmt.Sprintf("%s,%s,%d", h.Name, h.Addr, h.Port), fmt.Sprintf("%s,%s,%d", h.Name, here, port))
		for line := range strings.Lines(string(known)) {
			name, key, _ := strings.Cut(line, " ")
			if strings.Contains(name, h.Addr+"]") || name == h.Addr {
				known = fmt.Appendf(known, "[%s]:%d %s", here, port, key)
			}
		}
		l.SetFault(i, fmt.Sprintf("slow:%d", 4+8*i))
	}
	if err := os.WriteFile(filepath.Join(dir, "known"), known, 0o600); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, "campaign.yaml"), l.KnownHosts, "known")
	edit(t, filepath.Join(dir, "campaign.yaml"), "waves: [1, 5, 100%]", "waves: [100%]")
	within := func(args ...string) *exec.Cmd {
		c := command(t, dir, args...)
		path, err := exec.LookPath("oust")
		if err != nil {
			t.Fatal(err)
		}
		nsenter, err := exec.LookPath("nsenter")
		if err != nil {
			t.Fatal(err)
		}
		c.Path, c.Args = nsenter, append([]string{"nsenter", "--target", strconv.Itoa(w.holder.Process.Pid), "--net", path}, c.Args[1:]...)
		return c
	}
	plan := filepath.Join(dir, "plan.json")
	for _, args := range [][]string{{"scan"}, {"plan", "-o", plan}} {
		if out, err := within(args...).CombinedOutput(); err != nil {
			t.Fatalf("oust %v: %v\n%s", args, err, out)
		}
	}
	apply := within("apply", plan)
	var out strings.Builder
	apply.Stdout, apply.Stderr = &out, &out
	if err := apply.Start(); err != nil {
		t.Fatal(err)
	}
	cuts := []time.Duration{2 * time.Second, 9 * time.Second, 62 * time.Second}
	for _, d := range cuts {
		<-time.After(2 * time.Second)
		w.cut(d)
	}
	if err := apply.Wait(); err != nil {
		t.Errorf("apply: %v\n%s", err, out.String())
	}
	// A cut between an outcome and the removal of its folder leaves the folder
	// for the next apply.
	if out, err := within("apply", plan).CombinedOutput(); err != nil {
		t.Errorf("the second apply: %v\n%s", err, out)
	}
	starts := 0
	for i, h := range l.Hosts {
		n := l.Uninstalls(i)
		starts += n
		if n != 1 || l.Installed(i, "kesl") {
			t.Errorf("%s: %d uninstallers ran, kesl is there: %t", h.Name, n, l.Installed(i, "kesl"))
		}
	}
	_, attempts := records(t, dir)
	t.Logf("%d cuts %v, %d attempts, %d uninstallers started", len(cuts), cuts, attempts, starts)
}
