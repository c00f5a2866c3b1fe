package winrm

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oust/transports"
)

// scripted is a host over TLS whose answers a test writes.
type scripted struct {
	port  int
	conns atomic.Int32
	// closed gets one for each connection that has ended.
	closed chan struct{}
	// answer, if it says so, answers a request; others are answered well.
	answer func(w http.ResponseWriter, action, body string) bool
}

var actionPattern = regexp.MustCompile(`Action[^>]*>[^<]*/([A-Za-z]+)<`)

func newScripted(t testing.TB, answer func(w http.ResponseWriter, action, body string) bool) *scripted {
	t.Helper()
	s := &scripted{answer: answer, closed: make(chan struct{}, 100)}
	server := httptest.NewUnstartedServer(s)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.conns.Add(1)
		case http.StateClosed:
			s.closed <- struct{}{}
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	s.port = server.Listener.Addr().(*net.TCPAddr).Port
	return s
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	action := ""
	if m := actionPattern.FindStringSubmatch(string(body)); m != nil {
		action = m[1]
	}
	if s.answer != nil && s.answer(w, action, string(body)) {
		return
	}
	switch action {
	case "":
		fmt.Fprint(w, "<identified/>")
	case "Create":
		say(w, actionCreate, `<rsp:Shell><rsp:ShellId>S-1</rsp:ShellId></rsp:Shell>`)
	case "Command":
		say(w, actionCommand, `<rsp:CommandResponse><rsp:CommandId>C-1</rsp:CommandId></rsp:CommandResponse>`)
	case "Receive":
		say(w, actionReceive, received("", `Done"><rsp:ExitCode>0</rsp:ExitCode>`))
	case "Delete":
		say(w, actionDelete, "")
	default:
		say(w, nsShell+"/"+action, "")
	}
}

// envelope is a message of a host.
func envelope(action, body string) string {
	return `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" ` +
		`xmlns:x="` + nsTransfer + `" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:rsp="` + nsShell + `">` +
		`<s:Header><a:Action>` + action + `</a:Action></s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
}

func say(w http.ResponseWriter, action, body string) {
	fmt.Fprint(w, envelope(action+"Response", body))
}

// received is the body of a Receive's reply: output as it is on the wire, and
// the end of the state's name with what follows.
func received(stream, state string) string {
	if stream != "" {
		stream = `<rsp:Stream Name="stdout" CommandId="C-1">` + stream + `</rsp:Stream>`
	}
	return `<rsp:ReceiveResponse>` + stream + `<rsp:CommandState CommandId="C-1" State="` + nsShell + `/CommandState/` + state +
		`</rsp:CommandState></rsp:ReceiveResponse>`
}

func faultText(code uint32, subcode, text string) string {
	return envelope(actionFault, fmt.Sprintf(`<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:%s</s:Value></s:Subcode></s:Code>`+
		`<s:Reason><s:Text xml:lang="en-US">reason</s:Text></s:Reason><s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" `+
		`Code="%d"><f:Message>%s</f:Message></f:WSManFault></s:Detail></s:Fault>`, subcode, code, text))
}

func (s *scripted) dial(t testing.TB) (transports.Conn, error) {
	t.Helper()
	target := targetOf(s.port)
	target.Credential.Auth = authBasic
	d := newDialer(t, Config{Verify: VerifyNone, Operation: leastOperation, Grace: time.Second})
	conn, err := d.Dial(t.Context(), target)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

// TestAnswers: what a host may answer, to which request, and what comes of it.
func TestAnswers(t *testing.T) {
	t.Parallel()
	hello := base64.StdEncoding.EncodeToString([]byte("hello"))
	done := `Done"><rsp:ExitCode>`
	for _, test := range []struct {
		name, action string
		status       int
		body         string
		class        transports.Class // "" for none
		words        string
		exit         int
	}{
		{"output and end", "Receive", 200, envelope(actionReceive+"Response", received(hello, done+"5</rsp:ExitCode>")), "", "", 5},
		{"base64 in lines", "Receive", 200, envelope(actionReceive+"Response", received(" "+hello[:4]+"\r\n"+hello[4:], done+"-5</rsp:ExitCode>")), "", "", -5},
		{"unsigned exit code", "Receive", 200, envelope(actionReceive+"Response", received(hello, done+"3221225786</rsp:ExitCode>")), "", "", -1073741510},
		{"no exit code", "Receive", 200, envelope(actionReceive+"Response", received(hello, `Done">`)), transports.LostContact, "without an exit code", -1},
		{"empty exit code", "Receive", 200, envelope(actionReceive+"Response", received(hello, done+"</rsp:ExitCode>")), transports.LostContact, `exit code is ""`, -1},
		{"exit code of 33 bits", "Receive", 200, envelope(actionReceive+"Response", received(hello, done+"4294967296</rsp:ExitCode>")), transports.LostContact, "exit code", -1},
		{"broken base64", "Receive", 200, envelope(actionReceive+"Response", received("!!!", done+"0</rsp:ExitCode>")), transports.LostContact, "not base64", -1},
		{"another command's output", "Receive", 200, envelope(actionReceive+"Response", strings.ReplaceAll(received(hello, done+"0</rsp:ExitCode>"), "C-1", "C-2")), transports.LostContact, "another command", -1},
		{"answer to another request", "Receive", 200, envelope(actionSend+"Response", ""), transports.LostContact, "its action is", -1},
		{"a fault with status 200", "Receive", 200, faultText(1234, "InternalError", "broken"), transports.LostContact, "fault 1234: broken", -1},
		{"a fault without a code", "Receive", 500, envelope(actionFault, "<s:Fault/>"), transports.LostContact, "fault : it says no more", -1},
		{"empty", "Receive", 200, "", transports.LostContact, "not XML", -1},
		{"two elements", "Receive", 200, "<a/><b/>", transports.LostContact, "do not stand in one", -1},
		{"a document type", "Receive", 200, `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, transports.LostContact, "document type", -1},
		{"deep", "Receive", 200, strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100), transports.LostContact, "too deep", -1},
		{"text around", "Receive", 200, "OK " + envelope(actionReceive+"Response", ""), transports.LostContact, "text around", -1},
		{"too long", "Receive", 200, strings.Repeat(" ", 3*replyMost), transports.LostContact, "longer than 1048576 bytes", -1},
		{"too long by a little", "Receive", 200, strings.Repeat(" ", replyMost+1), transports.LostContact, "longer than 1048576 bytes", -1},
		{"no room", "Command", 503, "", transports.Busy, "503 Service Unavailable", -1},
		{"forbidden", "Command", 403, "", transports.Auth, "403 Forbidden", -1},
		{"not found", "Create", 404, "<html>", transports.Unsupported, "no WinRM on this port", -1},
		{"login forgotten", "Command", 401, "again", transports.LostContact, "password of credential windows", -1},
		{"a proxy's time is up", "Command", 504, "", transports.LostContact, "504 Gateway Timeout", -1},
		{"a refusal as an HRESULT", "Create", 500, faultText(0x80070005, "x", "no"), transports.Privilege, "no", -1},
		{"many small elements", "Create", 200, envelope(actionCreate+"Response", strings.Repeat("<a/>", 9000)), transports.LostContact, "more than 8192 elements", -1},
		{"a long reply without output", "Create", 200, envelope(actionCreate+"Response", strings.Repeat(" ", plainMost)), transports.LostContact, "longer than 65536", -1},
		{"a quota of another kind", "Create", 500, faultText(2150859120, "QuotaLimit", "full"), transports.Busy, "fault 2150859120: full", -1},
		{"no such resource", "Create", 500, faultText(2150858752, "DestinationUnreachable", "no cmd"), transports.Unsupported, "no cmd", -1},
		{"a shell without a name", "Create", 200, envelope(actionCreate+"Response", "<rsp:Shell/>"), transports.LostContact, "no name of a shell", -1},
		{"a shell with markup for a name", "Create", 200, envelope(actionCreate+"Response", "<rsp:ShellId>&lt;x/&gt;</rsp:ShellId>"), transports.LostContact, "no name of a shell", -1},
		{"a shell of WinRM 2.0", "Create", 200, envelope(actionCreate+"Response", `<x:ResourceCreated><a:ReferenceParameters><w:SelectorSet><w:Selector Name="ShellId">S-2</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>`), "", "", 0},
		{"a command without a name", "Command", 200, envelope(actionCommand+"Response", "<rsp:CommandResponse/>"), transports.LostContact, "no name of a shell", -1},
		{"sealed without a key", "Receive", 200, sealHead + "0" + sealMiddle, transports.LostContact, "text around", -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t, func(w http.ResponseWriter, action, _ string) bool {
				if action == test.action {
					w.WriteHeader(test.status)
					_, _ = io.WriteString(w, test.body)
				}
				return action == test.action
			})
			conn, err := s.dial(t)
			if err != nil {
				t.Fatal(err)
			}
			res, err := conn.Run(t.Context(), transports.Command{Line: "x", Timeout: time.Minute})
			if test.class != "" {
				wantError(t, err, test.class, test.words)
			} else if err != nil {
				t.Fatal(err)
			}
			if res.Exit != test.exit {
				t.Errorf("exit %d, want %d", res.Exit, test.exit)
			}
		})
	}
}

// TestEmptyAnswers: a host that answers at once that there is nothing is not
// asked again at once.
func TestEmptyAnswers(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(http.ResponseWriter){
		"nothing": func(w http.ResponseWriter) { say(w, actionReceive, received("", `Running">`)) },
		"time is up": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, faultText(codeOperationTimeout, "TimedOut", "time is up"))
		},
	} {
		var receives atomic.Int32
		s := newScripted(t, func(w http.ResponseWriter, action, _ string) bool {
			if action != "Receive" {
				return false
			}
			receives.Add(1)
			answer(w)
			return true
		})
		conn, err := s.dial(t)
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Run(t.Context(), transports.Command{Line: "x", Timeout: 500 * time.Millisecond})
		wantError(t, err, transports.Timeout, "no end in 500ms")
		if n := receives.Load(); n > 5 {
			t.Errorf("%s: %d Receives in half a second", name, n)
		}
	}
}

// TestInputClosed: a command that has closed its input goes on, for longer than
// one is waited for whose input was refused for another reason.
func TestInputClosed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code  uint32
		class transports.Class // "" for none
	}{{codeBrokenPipe, ""}, {codePipeClosing, ""}, {995, transports.LostContact}} {
		t.Run(fmt.Sprint(test.code), func(t *testing.T) {
			t.Parallel()
			var receives atomic.Int32
			s := newScripted(t, func(w http.ResponseWriter, action, _ string) bool {
				switch {
				case action == "Send":
					w.WriteHeader(http.StatusInternalServerError)
					_, _ = io.WriteString(w, faultText(test.code, "InternalError", "closed"))
				case action == "Receive" && receives.Add(1) < 6: // with the pauses between, 1.5 s
					say(w, actionReceive, received("", `Running">`))
				default:
					return false
				}
				return true
			})
			conn, err := s.dial(t)
			if err != nil {
				t.Fatal(err)
			}
			_, err = conn.Run(t.Context(), transports.Command{Line: "x", Stdin: []byte("in"), Timeout: time.Minute})
			switch {
			case test.class != "":
				wantError(t, err, test.class, "fault 995: closed")
			case err != nil:
				t.Error(err)
			}
		})
	}
}

// TestClosedInPassing: a host may close the connection after an answer, but
// not after the login each time, for the connection is what has logged in.
func TestClosedInPassing(t *testing.T) {
	t.Parallel()
	var atLogin atomic.Bool
	s := newScripted(t, func(w http.ResponseWriter, action, _ string) bool {
		if action == "Command" || action == "" && atLogin.Load() {
			w.Header().Set("Connection", "close")
		}
		return false
	})
	conn, err := s.dial(t)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		must(t, conn, "x", "in")
	}
	if n := s.conns.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
	atLogin.Store(true)
	if conn, err = s.dial(t); err != nil {
		t.Fatal(err)
	}
	_, err = conn.Run(t.Context(), transports.Command{Line: "x"})
	wantError(t, err, transports.Unsupported, "closes the connection after the login")
}

// TestRefusedLoginsLeaveNothing: a refused login closes its connection, also
// when the answer has a body, and is made once.
func TestRefusedLoginsLeaveNothing(t *testing.T) {
	t.Parallel()
	s := newScripted(t, func(w http.ResponseWriter, _, _ string) bool {
		w.Header().Set("WWW-Authenticate", `Negotiate`)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, strings.Repeat("no", 50_000))
		return true
	})
	for range 20 {
		_, err := s.dial(t)
		wantError(t, err, transports.Auth, "refused the login of Administrator by basic; it offers Negotiate", "check credential windows")
	}
	if n := s.conns.Load(); n != 20 {
		t.Errorf("%d connections for 20 dials", n)
	}
	for range 20 {
		<-s.closed
	}
}
