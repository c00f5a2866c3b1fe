package report_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// chromium is a browser without a window, spoken to over a pipe in the words
// of https://chromedevtools.github.io/devtools-protocol/.
type chromium struct {
	t       *testing.T
	to      *os.File
	out     *os.File
	from    *bufio.Reader // of out
	calls   int
	target  string // the tab that is open
	session string // of it; calls are about it
	events  []event
}

type event struct {
	Method string
	Params json.RawMessage
}

// unless skips the test, or fails it where skipping is forbidden.
func unless(t *testing.T, ok bool, reason string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv("OUST_NO_SKIP") == "1":
		t.Fatal(reason + " (and OUST_NO_SKIP=1 forbids to skip)")
	default:
		t.Skip(reason)
	}
}

// startChromium runs a browser until the test ends.
func startChromium(t *testing.T) *chromium {
	t.Helper()
	program, err := exec.LookPath("chromium")
	unless(t, err == nil, "chromium is not on this machine: run testdata/hosts/setup.sh")
	theirs, to := pipe(t)
	from, theirOut := pipe(t)
	cmd := exec.CommandContext(t.Context(), program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
		"--user-data-dir="+t.TempDir(), "about:blank")
	cmd.ExtraFiles = []*os.File{theirs, theirOut} // its descriptors 3 and 4
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	theirOut.Close()
	c := &chromium{t: t, to: to, out: from, from: bufio.NewReader(from)}
	t.Cleanup(func() {
		// Its processes still write to their folder; it is told to end, and waited for.
		fmt.Fprint(to, `{"id":0,"method":"Browser.close"}`+"\x00")
		cmd.Wait()
	})
	return c
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// call does what the method says, and waits for the answer; events that come
// before it are kept.
func (c *chromium) call(method string, params any, result any) {
	c.t.Helper()
	c.calls++
	ask, err := json.Marshal(map[string]any{"id": c.calls, "method": method, "params": params, "sessionId": c.session})
	if c.session == "" {
		ask, err = json.Marshal(map[string]any{"id": c.calls, "method": method, "params": params})
	}
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.to.Write(append(ask, 0)); err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	for {
		m := c.read(method)
		if m.ID != c.calls {
			continue
		}
		if m.Error.Message != "" {
			c.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				c.t.Fatalf("%s: %v", method, err)
			}
		}
		return
	}
}

type message struct {
	ID     int
	Result json.RawMessage
	Error  struct{ Message string }
	event
}

// read is the next message; an event is kept too.
func (c *chromium) read(why string) message {
	c.t.Helper()
	// An answer that does not come ends the test.
	if err := c.out.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		c.t.Fatal(err)
	}
	text, err := c.from.ReadBytes(0)
	if err != nil {
		c.t.Fatalf("%s: %v", why, err)
	}
	var m message
	if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
		c.t.Fatalf("%s: %v", why, err)
	}
	if m.Method != "" {
		c.events = append(c.events, m.event)
	}
	return m
}

// open shows the page in a new tab, of that width, once it is loaded.
func (c *chromium) open(file, scheme string, width int) {
	c.t.Helper()
	if c.target != "" {
		c.call("Target.closeTarget", map[string]any{"targetId": c.target}, nil)
	}
	c.session, c.events = "", nil
	var target struct{ TargetID string }
	c.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	c.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	c.target, c.session = target.TargetID, attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		c.call(domain+".enable", nil, nil)
	}
	c.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	c.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 860, "deviceScaleFactor": 1, "mobile": false}, nil)
	c.call("Page.navigate", map[string]any{"url": "file://" + file}, nil)
	for seen := 0; ; {
		for ; seen < len(c.events); seen++ {
			if c.events[seen].Method == "Page.loadEventFired" {
				return
			}
		}
		c.read("Page.loadEventFired")
	}
}

// run evaluates JavaScript in the page, and waits for its promise. The page's
// policy does not hold for it.
func (c *chromium) run(script string, result any) {
	c.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	c.call("Runtime.evaluate", map[string]any{"expression": script, "awaitPromise": true, "returnByValue": true}, &answer)
	if answer.ExceptionDetails != nil {
		c.t.Fatal(answer.ExceptionDetails.Exception.Description)
	}
	if result != nil {
		if err := json.Unmarshal(answer.Result.Value, result); err != nil {
			c.t.Fatal(err)
		}
	}
}

// axe is the text of axe-core, which judges pages by the WCAG.
func axe(t *testing.T) string {
	t.Helper()
	path, err := exec.CommandContext(t.Context(), "../../testdata/hosts/axe.sh", "--path").Output()
	unless(t, err == nil, "axe-core is not on this machine: run testdata/hosts/setup.sh")
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(path)), "node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
