package wsman

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestInjectedFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t, basicTLS(t))
	c := r.client(t)
	inject := func(name string) {
		t.Helper()
		if err := r.Inject(name, 1); err != nil {
			t.Fatal(err)
		}
	}
	const shell = `<r:Shell/>`
	inject(FaultShellsQuota)
	c.fault(CodeShellsQuota, actionCreate, shell)
	inject(FaultAccessDenied)
	c.fault(CodeAccessDenied, actionCreate, shell)
	c.open()
	inject(FaultOperationsQuota)
	c.fault(CodeOperationsQuota, actionCommand, commandXML("both"))
	id := c.start("cat")
	inject(FaultSend)
	c.fault(CodeAborted, actionSend, sendXML(id, "lost", false))
	c.ask(http.StatusOK, actionSend, sendXML(id, "kept", true))
	inject(FaultReceive)
	c.fault(CodeAborted, actionReceive, receiveXML(id))
	inject(FaultNotXML)
	if text := c.ask(http.StatusOK, actionReceive, receiveXML(id)); !strings.Contains(text, "<br></body>") {
		t.Errorf("that is XML: %s", text)
	}
	inject(FaultNoExitCode)
	text := c.ask(http.StatusOK, actionReceive, receiveXML(id))
	for !strings.Contains(text, stateDone) {
		if got := streamOf(t, text, "stdout"); got != "kept" {
			t.Errorf("output is %q", got)
		}
		text = c.ask(http.StatusOK, actionReceive, receiveXML(id))
	}
	if strings.Contains(text, "ExitCode") {
		t.Errorf("there is an exit code: %s", text)
	}
	inject(FaultSignal)
	c.fault(CodeAborted, actionSignal, signalXML(id, "terminate"))
	c.ask(http.StatusOK, actionSignal, signalXML(id, "terminate"))

	id = c.start("wait")
	inject(FaultShellKilled)
	c.fault(CodeShellNotFound, actionReceive, receiveXML(id))
	c.fault(CodeShellNotFound, actionReceive, receiveXML(id))
}

// TestInjectedSilence: a peer that stalls or says nothing does so until the
// client gives up.
func TestInjectedSilence(t *testing.T) {
	t.Parallel()
	r := newRig(t, basicTLS(t))
	c := r.client(t).open()
	id := c.start("both")
	for _, name := range []string{FaultStall, FaultDead} {
		if err := r.Inject(name, 1); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, strings.NewReader(c.envelopeOf(actionReceive, receiveXML(id))))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", c.auth)
		if name == FaultDead {
			met := r.meets(FaultDead)
			go func() { <-met; cancel() }()
		}
		res, err := c.http.Do(req)
		switch {
		case name == FaultDead && !errors.Is(err, context.Canceled):
			t.Errorf("%s: %v, want to wait until the end", name, err)
		case name == FaultStall && err != nil:
			t.Errorf("%s: %v", name, err)
		case name == FaultStall:
			first := make([]byte, 12)
			if _, err := io.ReadFull(res.Body, first); err != nil || string(first) != "<s:Envelope " {
				t.Errorf("%s: %q, %v", name, first, err)
			}
			cancel()
			if _, err := io.ReadAll(res.Body); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v, want to wait until the end", name, err)
			}
			_ = res.Body.Close()
		}
		cancel()
	}
	if got := c.receive(id); got.stdout != "out" || got.exit != 3 {
		t.Errorf("the command is lost: %+v", got)
	}
}

// meets is closed when a fault that is due has been taken.
func (r *rig) meets(name string) <-chan struct{} {
	met := make(chan struct{})
	go func() {
		defer close(met)
		for r.faults.is(name) {
			runtime.Gosched() // the request is on its way; it has a deadline of its own
		}
	}()
	return met
}

func TestInjectedReset(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]Config{"tls": basicTLS(t), "plain": {Basic: true, AllowUnencrypted: true}} {
		r := newRig(t, config)
		c := r.client(t).open()
		id := c.start("both")
		if err := r.Inject(FaultReset, 1); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.post(c.envelopeOf(actionReceive, receiveXML(id))); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: %v, want a reset", name, err)
		}
	}
}

func TestBasicOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{NTLM: true})
	c := r.client(t)
	c.auth = ""
	if res, _, err := c.post(""); err != nil || !strings.Contains(strings.Join(res.Header.Values("WWW-Authenticate"), ","), "Negotiate") {
		t.Fatalf("%v, %v", res, err)
	}
	if err := r.Inject(FaultBasicOnly, 0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		res, _, err := c.post("")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(res.Header.Values("WWW-Authenticate"), ","); res.StatusCode != http.StatusUnauthorized || got != `Basic realm="WSMAN"` {
			t.Errorf("status %d, offered %s", res.StatusCode, got)
		}
	}
	r.Heal()
	if res, _, err := c.post(""); err != nil || len(res.Header.Values("WWW-Authenticate")) != 2 {
		t.Errorf("healed: %v, %v", res, err)
	}
}

func TestInjectNames(t *testing.T) {
	t.Parallel()
	r := newRig(t, basicTLS(t))
	seen := make(map[string]bool)
	for _, i := range Injections() {
		if err := r.Inject(i.Name, 1); err != nil || i.Meaning == "" || seen[i.Name] {
			t.Errorf("%+v: %v", i, err)
		}
		seen[i.Name] = true
	}
	if err := r.Inject("gremlins", 1); err == nil || !strings.Contains(err.Error(), FaultShellsQuota) {
		t.Errorf("an unknown name: %v", err)
	}
}
