package winrm

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/masterzen/winrm"

	"oust/transports"
)

// errReply: the host's answer is not what WS-Management says it should be.
var errReply = errors.New("the host's answer is no answer of WinRM")

const (
	// depthMost bounds the nesting of a reply's elements; real ones have 8.
	depthMost = 32
	// partsMost bounds its elements and attributes together: small ones would
	// take a hundred times the room of their text.
	partsMost = 8192
	// plainMost bounds a reply that brings no output, in bytes.
	plainMost = 64 << 10
)

// reply is a message of the host.
type reply struct {
	XMLName xml.Name `xml:"http://www.w3.org/2003/05/soap-envelope Envelope"`
	Action  string   `xml:"Header>Action"`
	Body    struct {
		Fault     *faultBody   `xml:"http://www.w3.org/2003/05/soap-envelope Fault"`
		Receive   *receiveBody `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell ReceiveResponse"`
		Selectors []struct {
			Name  string `xml:"Name,attr"`
			Value string `xml:",chardata"`
		} `xml:"ResourceCreated>ReferenceParameters>SelectorSet>Selector"`
	} `xml:"http://www.w3.org/2003/05/soap-envelope Body"`

	text []byte
}

type faultBody struct {
	Value   string `xml:"Code>Value"`
	Subcode string `xml:"Code>Subcode>Value"`
	Reason  string `xml:"Reason>Text"`
	Windows struct {
		Code    string `xml:"Code,attr"`
		Message string `xml:"Message"`
	} `xml:"Detail>WSManFault"`
}

type receiveBody struct {
	Streams []struct {
		Name      string `xml:"Name,attr"`
		CommandID string `xml:"CommandId,attr"`
		Data      string `xml:",chardata"`
	} `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Stream"`
	States []struct {
		CommandID string  `xml:"CommandId,attr"`
		State     string  `xml:"State,attr"`
		ExitCode  *string `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell ExitCode"`
	} `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell CommandState"`
}

// parseReply reads the answer to a request. A *fault is an error, and so is
// the answer to another request; all other errors are errReply.
func parseReply(text []byte, action string) (*reply, error) {
	if action != actionReceive && len(text) > plainMost {
		return nil, fmt.Errorf("%w: it is longer than %d bytes", errReply, plainMost)
	}
	if err := wellFormed(text); err != nil {
		return nil, err
	}
	r := &reply{text: text}
	if err := xml.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%w: %s", errReply, transports.Clean(err.Error()))
	}
	got := strings.TrimSpace(r.Action)
	switch {
	case r.Body.Fault != nil || got == actionFault:
		return nil, r.fault()
	case got != action+"Response":
		return nil, fmt.Errorf("%w: its action is %q", errReply, transports.Clean(got))
	}
	return r, nil
}

// wellFormed wants exactly one element, of no great depth, and no document
// type. The library's parsers do not survive all that is less.
func wellFormed(text []byte) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	parts := 0
	for depth, roots := 0, 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && roots == 1 && depth == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: it is not XML: %s", errReply, transports.Clean(err.Error()))
		}
		switch token := token.(type) {
		case xml.StartElement:
			if parts += 1 + len(token.Attr); parts > partsMost {
				return fmt.Errorf("%w: it has more than %d elements and attributes", errReply, partsMost)
			}
			if depth == 0 {
				roots++
			}
			if depth++; depth > depthMost || roots > 1 {
				return fmt.Errorf("%w: its elements are nested too deep, or do not stand in one", errReply)
			}
		case xml.EndElement:
			depth--
		case xml.Directive:
			return fmt.Errorf("%w: it has a document type", errReply)
		case xml.CharData:
			if depth == 0 && len(bytes.Trim(token, "\ufeff \t\r\n")) > 0 {
				return fmt.Errorf("%w: it has text around its element", errReply)
			}
		}
	}
}

// fault is an answer that says why a request was refused.
type fault struct {
	// code is a Win32 error or an HRESULT of wsmerror.h; 0 if there is none.
	code    uint32
	subcode string // without its prefix, such as TimedOut
	text    string
}

func (f *fault) Error() string {
	if f.code == 0 {
		return fmt.Sprintf("the host answers with fault %s: %s", f.subcode, f.text)
	}
	return fmt.Sprintf("the host answers with fault %d: %s", f.code, f.text)
}

// fault reads a fault; without a body it is one without a code.
func (r *reply) fault() *fault {
	b := r.Body.Fault
	if b == nil {
		b = &faultBody{}
	}
	f := &fault{text: transports.Clean(b.Windows.Message)}
	if f.text == "" {
		f.text = transports.Clean(b.Reason)
	}
	if f.text == "" {
		f.text = "it says no more"
	}
	_, f.subcode, _ = strings.Cut(strings.TrimSpace(b.Subcode), ":")
	f.subcode = transports.Clean(f.subcode)
	if n, err := strconv.ParseUint(strings.TrimSpace(b.Windows.Code), 10, 32); err == nil {
		f.code = uint32(n)
	}
	return f
}

// shellID reads the answer to Create. WinRM 2.0 names the shell among the
// selectors alone.
func (r *reply) shellID() (string, error) {
	id, err := winrm.ParseOpenShellResponse(string(r.text))
	if err != nil {
		return "", fmt.Errorf("%w: %s", errReply, transports.Clean(err.Error()))
	}
	for _, s := range r.Body.Selectors {
		if id == "" && s.Name == "ShellId" {
			id = s.Value
		}
	}
	id = strings.TrimSpace(id)
	return id, checkID(id)
}

// commandID reads the answer to Command.
func (r *reply) commandID() (string, error) {
	id, err := winrm.ParseExecuteCommandResponse(string(r.text))
	if err != nil {
		return "", fmt.Errorf("%w: %s", errReply, transports.Clean(err.Error()))
	}
	id = strings.TrimSpace(id)
	return id, checkID(id)
}

// output is what one Receive brought.
type output struct {
	pieces []piece
	bytes  int
	done   bool
	exit   int // valid if done
}

// piece is output of one stream.
type piece struct {
	stream int
	data   []byte
}

// output reads the answer to Receive (MS-WSMV 2.2.4.27) about a command. An
// end without an exit code is an error, never code 0.
func (r *reply) output(command string) (output, error) {
	var out output
	b := r.Body.Receive
	if b == nil {
		return out, fmt.Errorf("%w: a Receive brings nothing", errReply)
	}
	for _, s := range b.Streams {
		if !sameID(s.CommandID, command) {
			return out, fmt.Errorf("%w: it has output of another command", errReply)
		}
		p := piece{stream: stdout}
		switch s.Name {
		case "stdout":
		case "stderr":
			p.stream = stderr
		default:
			return out, fmt.Errorf("%w: it has output on a stream called %q", errReply, transports.Clean(s.Name))
		}
		var err error
		if p.data, err = decode(s.Data); err != nil {
			return out, err
		}
		out.pieces, out.bytes = append(out.pieces, p), out.bytes+len(p.data)
	}
	for _, s := range b.States {
		if !sameID(s.CommandID, command) || !strings.HasSuffix(s.State, "/CommandState/Done") {
			continue
		}
		if s.ExitCode == nil {
			return out, fmt.Errorf("%w: the command's end comes without an exit code", errReply)
		}
		var err error
		if out.exit, err = exitCode(*s.ExitCode); err != nil {
			return out, err
		}
		out.done = true
	}
	return out, nil
}

func sameID(a, b string) bool { return a == "" || strings.EqualFold(a, b) }

// exitCode reads an exit code as the signed number of 32 bits that cmd shows.
// Some hosts write it unsigned.
func exitCode(text string) (int, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < -1<<31 || n >= 1<<32 {
		return 0, fmt.Errorf("%w: the exit code is %q", errReply, transports.Clean(text))
	}
	return int(int32(uint32(n))), nil
}

// decode reads base64, which may be broken into lines.
func decode(text string) ([]byte, error) {
	text = strings.Map(func(c rune) rune {
		if strings.ContainsRune(" \t\r\n", c) {
			return -1
		}
		return c
	}, text)
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: output is not base64", errReply)
	}
	return data, nil
}
