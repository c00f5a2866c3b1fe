package wsman

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Bounds of a request.
const (
	// leastEnvelope is the smallest envelope that a peer may ask for
	// (DSP0226, 6.2).
	leastEnvelope = 8192
	// replyOverhead is more than a Receive's reply has around its output.
	replyOverhead = 4096
	// leastTimeout is the shortest OperationTimeout that Windows takes.
	leastTimeout = 500 * time.Millisecond
	// mostDepth bounds the nesting of elements.
	mostDepth = 32
	// mostName bounds names and identifiers, in bytes.
	mostName = 256
	// mostEnv bounds the variables of a shell.
	mostEnv = 256
)

// request is a message as the server works with it.
type request struct {
	action, id, resource string
	shellID, commandID   string
	// envelope bounds the reply in bytes; timeout is what the client waits,
	// 0 if it did not say.
	envelope int
	timeout  time.Duration
	options  map[string]string
	body     body
}

// message is an envelope as encoding/xml reads it.
type message struct {
	XMLName xml.Name  `xml:"http://www.w3.org/2003/05/soap-envelope Envelope"`
	Headers []headers `xml:"http://www.w3.org/2003/05/soap-envelope Header"`
	Bodies  []body    `xml:"http://www.w3.org/2003/05/soap-envelope Body"`
}

type headers struct {
	Action    []string `xml:"http://schemas.xmlsoap.org/ws/2004/08/addressing Action"`
	MessageID []string `xml:"http://schemas.xmlsoap.org/ws/2004/08/addressing MessageID"`
	Resource  string   `xml:"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd ResourceURI"`
	Envelope  string   `xml:"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd MaxEnvelopeSize"`
	Timeout   string   `xml:"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd OperationTimeout"`
	Selectors []named  `xml:"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd SelectorSet>Selector"`
	Options   []named  `xml:"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd OptionSet>Option"`
}

type named struct {
	Name  string `xml:"Name,attr"`
	Value string `xml:",chardata"`
}

// body is what may stand in a message's body; the action says what must.
type body struct {
	Identify *struct{}    `xml:"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd Identify"`
	Shell    *shellBody   `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Shell"`
	Command  *commandBody `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell CommandLine"`
	Send     *sendBody    `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Send"`
	Receive  *receiveBody `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Receive"`
	Signal   *signalBody  `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Signal"`
}

type shellBody struct {
	Dir         string  `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell WorkingDirectory"`
	Environment []named `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Environment>Variable"`
}

type commandBody struct {
	Command   string   `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Command"`
	Arguments []string `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Arguments"`
}

type sendBody struct {
	Streams []struct {
		Name      string `xml:"Name,attr"`
		CommandID string `xml:"CommandId,attr"`
		End       string `xml:"End,attr"`
		Data      string `xml:",chardata"`
	} `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Stream"`
}

type receiveBody struct {
	Desired struct {
		CommandID string `xml:"CommandId,attr"`
		Streams   string `xml:",chardata"`
	} `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell DesiredStream"`
}

type signalBody struct {
	CommandID string `xml:"CommandId,attr"`
	Code      string `xml:"http://schemas.microsoft.com/wbem/wsman/1/windows/shell Code"`
}

// parseRequest reads an envelope. Its error is the fault to answer with. The
// request is never nil, so that the answer can say what it relates to.
func parseRequest(data []byte, limit int) (*request, *Fault) {
	r := &request{envelope: limit}
	m, err := parseMessage(data)
	if err != nil || len(m.Headers) > 1 || len(m.Bodies) != 1 {
		return r, faultInvalidXML()
	}
	r.body = m.Bodies[0]
	if r.body.Identify != nil {
		return r, nil
	}
	if len(m.Headers) == 0 || len(m.Headers[0].Action) != 1 || len(m.Headers[0].MessageID) != 1 {
		return r, &Fault{
			Code: CodeMissingHeader, Subcode: "a:MessageInformationHeaderRequired",
			Reason: "The WS-Management service cannot process the request. The request does not have all the expected SOAP headers. ",
		}
	}
	return r, r.readHeaders(m.Headers[0])
}

// parseMessage reads exactly one element, of no great depth, with no document
// type.
func parseMessage(data []byte) (*message, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	for depth := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth++; depth > mostDepth {
				return nil, errors.New("elements are nested too deep")
			}
		case xml.EndElement:
			depth--
		case xml.Directive:
			return nil, errors.New("a document type is not allowed")
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(bytes.TrimPrefix(token, []byte("\ufeff")))) > 0 {
				return nil, errors.New("text outside the envelope")
			}
		}
	}
	var m message
	d = xml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return &m, nil
		}
		if _, second := token.(xml.StartElement); err != nil || second {
			return nil, fmt.Errorf("more than one element: %w", err)
		}
	}
}

func (r *request) readHeaders(h headers) *Fault {
	r.action, r.id, r.resource = strings.TrimSpace(h.Action[0]), strings.TrimSpace(h.MessageID[0]), strings.TrimSpace(h.Resource)
	if len(r.id) > mostName {
		r.id = ""
		return faultHeader("MessageID", "it is too long")
	}
	for _, s := range h.Selectors {
		if s.Name == "ShellId" {
			r.shellID = strings.ToUpper(strings.TrimSpace(s.Value))
		}
	}
	r.options = make(map[string]string, len(h.Options))
	for _, o := range h.Options {
		r.options[strings.ToUpper(o.Name)] = strings.TrimSpace(o.Value)
	}
	if text := strings.TrimSpace(h.Envelope); text != "" {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return faultHeader("MaxEnvelopeSize", text)
		}
		if n < leastEnvelope {
			return &Fault{
				Code: CodeEnvelopeTooSmall, Subcode: "w:EncodingLimit", Detail: "MinimumEnvelopeLimit",
				Reason: "The WS-Management service cannot process the request because the envelope size in the request is too small. ",
			}
		}
		r.envelope = min(r.envelope, int(n))
	}
	if text := strings.TrimSpace(h.Timeout); text != "" {
		var ok bool
		if r.timeout, ok = parseDuration(text); !ok {
			return faultHeader("timeout", text)
		}
		if r.timeout < leastTimeout {
			return &Fault{
				Code: CodeTimeoutTooShort, Subcode: "w:UnsupportedFeature", Detail: "OperationTimeout",
				Reason: "The WS-Management service does not support the specified timeout. The value specified is smaller than the minimum allowed value " +
					"for this setting. Change the timeout value and try the request again. ",
			}
		}
	}
	return nil
}

// option is a yes or no that the client has given.
func (r *request) option(name string) bool {
	value := r.options[name]
	return strings.EqualFold(value, "TRUE") || value == "1"
}

// decodeStream reads the base64 of a stream, which may be broken into lines.
func decodeStream(text string) ([]byte, error) {
	text = strings.Map(func(c rune) rune {
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			return -1
		}
		return c
	}, text)
	return base64.StdEncoding.DecodeString(text)
}
