package wsman

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
)

// newID is a new identifier as Windows writes it, upper case.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := strings.ToUpper(hex.EncodeToString(b[:]))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// openReply writes a reply up to its body.
func openReply(b *bytes.Buffer, action, relates string) {
	b.WriteString(`<s:Envelope xml:lang="en-US" xmlns:s="` + nsSOAP + `" xmlns:a="` + nsAddressing + `" xmlns:x="` + nsTransfer +
		`" xmlns:w="` + nsWSMan + `" xmlns:rsp="` + nsShell + `" xmlns:p="` + nsMicrosoft + `"><s:Header><a:Action>`)
	escape(b, action)
	b.WriteString("</a:Action><a:MessageID>uuid:" + newID() + "</a:MessageID><a:To>" + anonymous + "</a:To>")
	if relates != "" {
		b.WriteString("<a:RelatesTo>")
		escape(b, relates)
		b.WriteString("</a:RelatesTo>")
	}
	b.WriteString("</s:Header><s:Body>")
}

func closeReply(b *bytes.Buffer) { b.WriteString("</s:Body></s:Envelope>") }

// reply is the answer to a request; body is XML.
func reply(r *request, body string) []byte {
	var b bytes.Buffer
	openReply(&b, r.action+actionReply, r.id)
	b.WriteString(body)
	closeReply(&b)
	return b.Bytes()
}

// createdReply names the new shell twice, as Windows does: in the reference,
// and in the shell's own properties.
func createdReply(r *request, id, owner string) []byte {
	var b bytes.Buffer
	openReply(&b, r.action+actionReply, r.id)
	b.WriteString("<x:ResourceCreated><a:Address>http://localhost/wsman</a:Address><a:ReferenceParameters><w:ResourceURI>" + resourceCmd +
		`</w:ResourceURI><w:SelectorSet><w:Selector Name="ShellId">` + id + "</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>")
	b.WriteString("<rsp:Shell><rsp:ShellId>" + id + "</rsp:ShellId><rsp:ResourceUri>" + resourceCmd + "</rsp:ResourceUri><rsp:Owner>")
	escape(&b, owner)
	b.WriteString("</rsp:Owner><rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>")
	closeReply(&b)
	return b.Bytes()
}

// output is what one Receive brings.
type output struct {
	stdout, stderr       []byte
	stdoutEnd, stderrEnd bool
	done                 bool
	// exit is valid if done is set; noExit leaves it out.
	exit   int
	noExit bool
}

// outputReply is the answer to Receive (MS-WSMV 2.2.4.27).
func outputReply(r *request, o output) []byte {
	var b bytes.Buffer
	b.Grow(replyOverhead + base64.StdEncoding.EncodedLen(len(o.stdout)+len(o.stderr)))
	openReply(&b, r.action+actionReply, r.id)
	b.WriteString("<rsp:ReceiveResponse>")
	stream := func(name string, data []byte, end bool) {
		open := `<rsp:Stream Name="` + name + `" CommandId="` + r.commandID + `"`
		if len(data) > 0 {
			b.WriteString(open + ">")
			b.Write(base64.StdEncoding.AppendEncode(b.AvailableBuffer(), data))
			b.WriteString("</rsp:Stream>")
		}
		if end {
			b.WriteString(open + ` End="true"></rsp:Stream>`)
		}
	}
	stream("stdout", o.stdout, o.stdoutEnd)
	stream("stderr", o.stderr, o.stderrEnd)
	b.WriteString(`<rsp:CommandState CommandId="` + r.commandID + `" State="`)
	switch {
	case o.done && o.noExit:
		b.WriteString(stateDone + `"></rsp:CommandState>`)
	case o.done:
		b.WriteString(stateDone + `"><rsp:ExitCode>` + strconv.Itoa(o.exit) + "</rsp:ExitCode></rsp:CommandState>")
	default:
		b.WriteString(stateRunning + `"></rsp:CommandState>`)
	}
	b.WriteString("</rsp:ReceiveResponse>")
	closeReply(&b)
	return b.Bytes()
}

// identifyReply answers Identify (DSP0226, 11). To strangers Windows does not
// tell its version.
func identifyReply(known bool) []byte {
	version := "OS: 0.0.0 SP: 0.0 Stack: 3.0"
	if known {
		version = "OS: 10.0.20348 SP: 0.0 Stack: 3.0"
	}
	return []byte(`<s:Envelope xml:lang="en-US" xmlns:s="` + nsSOAP + `"><s:Header/><s:Body><wsmid:IdentifyResponse xmlns:wsmid="` + nsIdentity +
		`"><wsmid:ProtocolVersion>` + nsWSMan + `</wsmid:ProtocolVersion><wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>` +
		`<wsmid:ProductVersion>` + version + `</wsmid:ProductVersion></wsmid:IdentifyResponse></s:Body></s:Envelope>`)
}
