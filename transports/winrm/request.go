package winrm

import (
	"bytes"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/masterzen/winrm"
	"github.com/masterzen/winrm/soap"

	"oust/transports"
)

// Names on the wire (DSP0226, MS-WSMV 2.2).
const (
	nsTransfer = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
	nsShell    = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"

	resourceCmd   = nsShell + "/cmd"
	actionCreate  = nsTransfer + "/Create"
	actionDelete  = nsTransfer + "/Delete"
	actionCommand = nsShell + "/Command"
	actionSend    = nsShell + "/Send"
	actionReceive = nsShell + "/Receive"
	actionSignal  = nsShell + "/Signal"
	actionFault   = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
)

const (
	// envelopeMost is the size of replies that hosts are asked for, in bytes:
	// what WinRM 2.0 allows. They may exceed it, and replyMost holds.
	envelopeMost = 153_600
	// chunkMost is how much input one Send carries, in bytes. As base64 it
	// stays well below envelopeMost.
	chunkMost = 32 << 10
	// lineMost is the longest line that cmd takes, in UTF-16 units.
	lineMost = 8191
)

// request is a message to the host, and what its reply must be.
type request struct {
	action string
	text   []byte
	// wait is how long the host may take before it answers that its time is
	// up.
	wait time.Duration
}

// requests makes messages to one host.
type requests struct{ url *url.URL }

func (r requests) make(action string, wait time.Duration, build func(to string, p *winrm.Parameters) *soap.SoapMessage) request {
	seconds := fmt.Sprintf("PT%.3fS", wait.Seconds())
	message := build(r.url.String(), winrm.NewParameters(seconds, "en-US", envelopeMost))
	return request{action: action, text: []byte(message.String()), wait: wait}
}

func (r requests) create(wait time.Duration) request {
	return r.make(actionCreate, wait, winrm.NewOpenShellRequest)
}

func (r requests) delete(wait time.Duration, shell string) request {
	return r.make(actionDelete, wait, func(to string, p *winrm.Parameters) *soap.SoapMessage {
		return winrm.NewDeleteShellRequest(to, shell, p)
	})
}

// command is built here and not by the library, which has cmd take its input
// for a console's (WINRS_CONSOLEMODE_STDIN, MS-WSMV 3.1.4.11): a script on
// stdin would be echoed, edited and waited for. It also writes the line as
// CDATA, which a line can end.
func (r requests) command(wait time.Duration, shell, line string) request {
	return r.make(actionCommand, wait, func(to string, p *winrm.Parameters) *soap.SoapMessage {
		m := soap.NewMessage()
		m.Header().To(to).ReplyTo(soap.NS_ADDRESSING + "/role/anonymous").
			MaxEnvelopeSize(p.EnvelopeSize).Id(newMessageID()).Locale(p.Locale).Timeout(p.Timeout).
			Action(actionCommand).ResourceURI(resourceCmd).ShellId(shell).
			AddOption(soap.NewHeaderOption("WINRS_CONSOLEMODE_STDIN", "FALSE")).
			AddOption(soap.NewHeaderOption("WINRS_SKIP_CMD_SHELL", "FALSE")).
			Build()
		body := m.CreateBodyElement("CommandLine", soap.DOM_NS_WIN_SHELL)
		var escaped bytes.Buffer
		_ = xml.EscapeText(&escaped, []byte(line)) // a buffer takes all
		m.CreateElement(body, "Command", soap.DOM_NS_WIN_SHELL).SetContent(escaped.String())
		return m
	})
}

func (r requests) send(wait time.Duration, shell, command string, data []byte, end bool) request {
	return r.make(actionSend, wait, func(to string, p *winrm.Parameters) *soap.SoapMessage {
		return winrm.NewSendInputRequest(to, shell, command, data, end, p)
	})
}

func (r requests) receive(wait time.Duration, shell, command string) request {
	return r.make(actionReceive, wait, func(to string, p *winrm.Parameters) *soap.SoapMessage {
		return winrm.NewGetOutputRequest(to, shell, command, "stdout stderr", p)
	})
}

func (r requests) terminate(wait time.Duration, shell, command string) request {
	return r.make(actionSignal, wait, func(to string, p *winrm.Parameters) *soap.SoapMessage {
		return winrm.NewSignalRequest(to, shell, command, p)
	})
}

// newMessageID is a random UUID (RFC 9562 section 5.4), as a URI.
func newMessageID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand.Read
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// checkLine refuses what cmd cannot be handed as one line.
func checkLine(line string) error {
	if strings.TrimSpace(line) == "" {
		return errors.New("the command is empty")
	}
	if !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) || strings.ContainsAny(line, "\ufffe\uffff") {
		return errors.New("the command holds a control character, or is not UTF-8")
	}
	if n := len(utf16.Encode([]rune(line))); n > lineMost {
		return fmt.Errorf("the command is %d characters long, and cmd takes %d", n, lineMost)
	}
	return nil
}

// idMost bounds the names of shells and commands, in bytes. Windows' have 36.
const idMost = 128

// checkID refuses a name that could be anything but a name where it is put
// into a request, for the library does not escape it.
func checkID(id string) error {
	plain := func(r rune) bool {
		return r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.:{}", r))
	}
	if id == "" || len(id) > idMost || strings.ContainsFunc(id, func(r rune) bool { return !plain(r) }) {
		return fmt.Errorf("%w: %q is no name of a shell or a command", errReply, transports.Clean(id))
	}
	return nil
}
