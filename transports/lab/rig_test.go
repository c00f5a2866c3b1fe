package lab

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newFleet starts a fleet and closes it when the test ends.
func newFleet(t testing.TB, config Config) *Fleet {
	t.Helper()
	if config.Speed == 0 {
		config.Speed = 100
	}
	f, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// oneHost is a fleet of one host of a kind with products.
func oneHost(t testing.TB, kind string, products ...*product) (*Fleet, *host) {
	t.Helper()
	return oneHostWith(t, Config{}, lot{kind: kindNamed(t, kind), products: setOf(products...)})
}

func oneHostWith(t testing.TB, config Config, one lot) (*Fleet, *host) {
	t.Helper()
	config.Hosts = 1
	if config.Speed == 0 {
		config.Speed = 100
	}
	f, err := start(t.Context(), config.WithDefaults(), []lot{one})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, f.hosts[0]
}

func kindNamed(t testing.TB, id string) *osKind {
	t.Helper()
	for _, k := range kinds {
		if k.id == id {
			return k
		}
	}
	t.Fatalf("no kind %s", id)
	return nil
}

// dial logs in.
func dial(t testing.TB, f *Fleet, h *host, account string) *ssh.Client {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(f.clientKey)
	if err != nil {
		t.Fatal(err)
	}
	client, err := ssh.Dial("tcp", h.net.addr.String(), &ssh.ClientConfig{
		User: account, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.FixedHostKey(h.key.PublicKey()), Timeout: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

type answer struct {
	Out, Err string
	Exit     int
}

// remote runs a line on a connection.
func remote(t testing.TB, client *ssh.Client, line, stdin string) answer {
	t.Helper()
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var out, errOut bytes.Buffer
	s.Stdin, s.Stdout, s.Stderr = strings.NewReader(stdin), &out, &errOut
	err = s.Run(line)
	a := answer{Out: out.String(), Err: errOut.String()}
	if err != nil {
		e, ok := errors.AsType[*ssh.ExitError](err)
		if !ok {
			t.Fatalf("%s: %v (%+v)", line, err, a)
		}
		a.Exit = e.ExitStatus()
	}
	return a
}

const shLine = `/bin/sh -c 'eval "$(cat)"'`

// run runs a script as root in the host, without the network in between.
func run(t testing.TB, h *host, script string) answer {
	t.Helper()
	return runAs(t, h, "root", script)
}

func runAs(t testing.TB, h *host, account, script string) answer {
	t.Helper()
	ctx, cancel := context.WithCancel(h.context())
	defer cancel()
	u := userNamed(account)
	p := h.spawnAs(ctx, nil, []string{"sh"}, u)
	var out, errOut bytes.Buffer
	c := &call{ctx: p.context(), proc: p, args: []string{"sh"}, dir: "/", env: loginEnv(u), out: &out, err: &errOut}
	code := c.interpret(script, "sh", nil, nil)
	p.end(code, 0)
	code, _ = p.result()
	return answer{out.String(), errOut.String(), code}
}

// waitFor asks until the answer is yes; what it waits for has its own clock.
func waitFor(t testing.TB, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("it did not come")
		}
	}
}
