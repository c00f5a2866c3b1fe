package wsman

import (
	"net/http"
	"strings"
	"testing"
)

func basicTLS(t testing.TB) Config { return Config{Basic: true, TLS: serverTLS(t)} }

func TestCommand(t *testing.T) {
	t.Parallel()
	c := newRig(t, basicTLS(t)).client(t).open()
	id := c.start("both")
	got := c.receive(id)
	if got.stdout != "out" || got.stderr != "err" || got.exit != 3 {
		t.Errorf("got %+v", got)
	}
	c.fault(CodeShellNotFound, actionReceive, receiveXML(id)) // it is fetched
	c.ask(http.StatusOK, actionSignal, signalXML(id, "terminate"))
	c.fault(CodeShellNotFound, actionSignal, signalXML(id, "terminate"))
	if text := c.ask(http.StatusOK, actionDelete, ""); !strings.Contains(text, "<a:RelatesTo>uuid:11111111-2222-3333-4444-555555555555</a:RelatesTo>") {
		t.Errorf("Delete relates to something else: %s", text)
	}
	text := c.fault(CodeShellNotFound, actionCommand, commandXML("both"))
	if !strings.Contains(text, "ShellId "+c.shell+" failed because the shell was not found") {
		t.Errorf("other words: %s", text)
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	c := newRig(t, basicTLS(t)).client(t).open()
	for line, want := range map[string]int{"exit 0": 0, "exit 3010": 3010, "exit 1605": 1605, "exit -1073741510": -1073741510, "nonsense": 1} {
		if got := c.receive(c.start(line)); got.exit != want {
			t.Errorf("%s: exit %d, want %d", line, got.exit, want)
		}
	}
}

func TestLongOutput(t *testing.T) {
	t.Parallel()
	c := newRig(t, basicTLS(t)).client(t).open()
	for _, envelope := range []int{8192, 153600, 1 << 30} {
		c.envelope = envelope
		got := c.receive(c.start("fill 1000001"))
		if got.stdout != string(filler(1000001)) {
			t.Errorf("envelope %d: %d bytes came, and not the right ones", envelope, len(got.stdout))
		}
		if got.largest > envelope {
			t.Errorf("envelope %d: a reply had %d bytes", envelope, got.largest)
		}
	}
}

func TestInput(t *testing.T) {
	t.Parallel()
	c := newRig(t, basicTLS(t)).client(t).open()
	id := c.start("cat", "WINRS_CONSOLEMODE_STDIN=TRUE")
	c.ask(http.StatusOK, actionSend, sendXML(id, "one\r\n", false))
	c.ask(http.StatusOK, actionSend, sendXML(id, "two\r\n", false))
	c.ask(http.StatusOK, actionSend, sendXML(id, "", true))
	if got := c.receive(id); got.stdout != "one\r\ntwo\r\n" || got.exit != 0 {
		t.Errorf("got %+v", got)
	}
	c.fault(CodeShellNotFound, actionSend, sendXML(id, "three", false))
}

func TestArguments(t *testing.T) {
	t.Parallel()
	c := newRig(t, basicTLS(t)).client(t).open()
	text := c.ask(http.StatusOK, actionCommand, `<r:CommandLine><r:Command>echo</r:Command><r:Arguments>a&amp;b</r:Arguments><r:Arguments>"c d"</r:Arguments></r:CommandLine>`)
	if got := c.receive(find(text, `<rsp:CommandId>([^<]*)<`)); got.stdout != "a&b \"c d\"\r\n" {
		t.Errorf("got %+v", got)
	}
}
