package wsman

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bodgit/ntlmssp"
	"github.com/masterzen/winrm"
)

// TestMasterzen runs commands with the Go client that the field uses, over
// Basic and TLS.
func TestMasterzen(t *testing.T) {
	t.Parallel()
	r := newRig(t, basicTLS(t))
	pem, err := os.ReadFile(r.caFile)
	if err != nil {
		t.Fatal(err)
	}
	host, portText, err := net.SplitHostPort(r.addr)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		line, stdin, stdout, stderr string
		exit                        int
	}{
		{"both", "", "out", "err", 3},
		{"cat", "one\r\ntwo\r\n", "one\r\ntwo\r\n", "", 0},
		{"fill 300000", "", string(filler(300000)), "", 0},
		{"echo a & <b>", "", "a & <b>\r\n", "", 0},
	} {
		client, err := winrm.NewClient(winrm.NewEndpoint(host, port, true, false, pem, nil, nil, 2*time.Minute), testUser, testPassword)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		var stdout, stderr bytes.Buffer
		exit, err := client.RunWithContextWithInput(ctx, test.line, &stdout, &stderr, strings.NewReader(test.stdin))
		cancel()
		if err != nil || exit != test.exit || stdout.String() != test.stdout || stderr.String() != test.stderr {
			t.Errorf("%s: exit %d, %v, %d bytes, stderr %q", test.line, exit, err, stdout.Len(), stderr.String())
		}
	}
}

// sealing is a client that logs in by NTLM with bodgit's library, once for its
// connection, and seals.
type sealing struct {
	*client
	session *ntlmssp.SecuritySession
}

// newSealing logs in. bindings go into the login.
func newSealing(t *testing.T, r *rig, password string, bindings *ntlmssp.ChannelBindings) (*sealing, error) {
	t.Helper()
	s := &sealing{client: r.client(t)}
	n, err := ntlmssp.NewClient(ntlmssp.SetUserInfo(testUser, password), ntlmssp.SetDomain("CORP"), ntlmssp.SetVersion(ntlmssp.DefaultVersion()))
	if err != nil {
		return nil, err
	}
	token, err := n.Authenticate(nil, nil)
	if err != nil {
		return nil, err
	}
	s.auth = "Negotiate " + base64.StdEncoding.EncodeToString(token)
	res, _, err := s.post("")
	if err != nil {
		return nil, err
	}
	answer, ok := strings.CutPrefix(res.Header.Get("WWW-Authenticate"), "Negotiate ")
	if !ok {
		return nil, errors.New("there is no challenge")
	}
	if token, err = base64.StdEncoding.DecodeString(answer); err != nil {
		return nil, err
	}
	if token, err = n.Authenticate(token, bindings); err != nil {
		return nil, err
	}
	s.auth = "Negotiate " + base64.StdEncoding.EncodeToString(token)
	if res, _, err = s.post(""); err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, errors.New(res.Status)
	}
	s.auth, s.session = "", n.SecuritySession()
	return s, nil
}

// request is a sealed message.
func (s *sealing) request(envelope string) []byte {
	s.t.Helper()
	return sealMessage(bodgit{s.session}, []byte(envelope))
}

// send posts a body as it is, and returns the answer, unsealed if it is sealed.
func (s *sealing) send(body []byte) (status int, text string, sealed bool) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.rig.url, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentSealed)
	res, err := s.http.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if !isSealed(res.Header.Get("Content-Type")) {
		return res.StatusCode, string(data), false
	}
	plain, err := unseal(bodgit{s.session}, data)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(plain), true
}

// bodgit seals with bodgit's session.
type bodgit struct{ *ntlmssp.SecuritySession }

func (b bodgit) Seal(plain []byte) (sealed, signature []byte) {
	sealed, signature, err := b.Wrap(plain)
	if err != nil {
		panic(err)
	}
	return sealed, signature
}

func (b bodgit) Unseal(sealed, signature []byte) ([]byte, error) { return b.Unwrap(sealed, signature) }

func TestSealing(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{NTLM: true})
	s, err := newSealing(t, r, testPassword, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		status, text, sealed := s.send(s.request(s.envelopeOf(actionCreate, "<r:Shell/>")))
		if status != http.StatusOK || !sealed || !strings.Contains(text, "<rsp:ShellId>") {
			t.Fatalf("status %d, sealed %t: %s", status, sealed, text)
		}
	}
	if status, text, sealed := s.send(s.request(s.envelopeOf(actionDelete, ""))); status != http.StatusInternalServerError || !sealed || !strings.Contains(text, "2150858843") {
		t.Errorf("a fault: status %d, sealed %t: %s", status, sealed, text)
	}
	if err := r.Inject(FaultStripSealing, 1); err != nil {
		t.Fatal(err)
	}
	if status, text, sealed := s.send(s.request(s.envelopeOf(actionCreate, "<r:Shell/>"))); status != http.StatusOK || sealed || !strings.Contains(text, "<rsp:ShellId>") {
		t.Errorf("strip-sealing: status %d, sealed %t: %s", status, sealed, text)
	}
	plain := s.client
	if res, text, err := plain.post(plain.envelopeOf(actionCreate, "<r:Shell/>")); err != nil || res.StatusCode != http.StatusInternalServerError || text != "" {
		t.Errorf("in the clear: %v, %v, %s", res, err, text)
	}
}

// TestSealingChanged: a message that was changed, repeated or that comes of
// another login ends the login.
func TestSealingChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{NTLM: true})
	for name, change := range map[string]func(s *sealing, body []byte) []byte{
		"changed": func(_ *sealing, body []byte) []byte {
			at := len(body) - len(sealBoundary) - 10
			body[at] ^= 1
			return body
		},
		"repeated": func(s *sealing, body []byte) []byte {
			if status, _, _ := s.send(body); status != http.StatusOK {
				t.Errorf("the first time: status %d", status)
			}
			return body
		},
		"of another": func(*sealing, []byte) []byte {
			other, err := newSealing(t, r, testPassword, nil)
			if err != nil {
				t.Fatal(err)
			}
			return other.request(other.envelopeOf(actionCreate, "<r:Shell/>"))
		},
		"not sealed at all": func(s *sealing, _ []byte) []byte { return []byte(s.envelopeOf(actionCreate, "<r:Shell/>")) },
		"another length": func(_ *sealing, body []byte) []byte {
			return bytes.Replace(body, []byte("Length="), []byte("Length=1"), 1)
		},
	} {
		s, err := newSealing(t, r, testPassword, nil)
		if err != nil {
			t.Fatal(err)
		}
		if status, _, _ := s.send(change(s, s.request(s.envelopeOf(actionCreate, "<r:Shell/>")))); status != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", name, status)
		}
		if status, _, _ := s.send(s.request(s.envelopeOf(actionCreate, "<r:Shell/>"))); status != http.StatusUnauthorized {
			t.Errorf("%s: afterwards status %d, want 401", name, status)
		}
	}
}

// TestBindings: a channel binding token of another connection is refused, also
// where none is needed.
func TestBindings(t *testing.T) {
	t.Parallel()
	wrong := &ntlmssp.ChannelBindings{ApplicationData: []byte("tls-server-end-point:of another server, in the middle")}
	for _, c := range []struct {
		level    string
		bindings *ntlmssp.ChannelBindings
		well     bool
	}{
		{BindingsRelaxed, nil, true}, {BindingsRelaxed, wrong, false},
		{BindingsStrict, nil, false}, {BindingsStrict, wrong, false},
		{BindingsIgnored, nil, true}, {BindingsIgnored, wrong, true},
	} {
		r := newRig(t, Config{NTLM: true, TLS: serverTLS(t), Bindings: c.level})
		if _, err := newSealing(t, r, testPassword, c.bindings); (err == nil) != c.well {
			t.Errorf("%s, token %t: %v", c.level, c.bindings != nil, err)
		}
	}
}
