package wsman

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzRequest: no bytes make the parser panic, and whatever it says, the
// fault is XML.
func FuzzRequest(f *testing.F) {
	c := &client{shell: "A", timeout: "PT20S", envelope: 153600}
	for action, body := range map[string]string{
		actionCreate: `<r:Shell><r:Environment><r:Variable Name="A">b</r:Variable></r:Environment></r:Shell>`, actionCommand: commandXML("x"),
		actionSend: sendXML("X", "data", true), actionReceive: receiveXML("X"), actionSignal: signalXML("X", "terminate"), actionDelete: "",
	} {
		f.Add([]byte(c.envelopeOf(action, body, "WINRS_CODEPAGE=65001")))
	}
	f.Add([]byte(`<!DOCTYPE x><x/>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, fault := parseRequest(data, 512_000)
		if r == nil {
			t.Fatal("there is no request")
		}
		if r.envelope < leastEnvelope || r.envelope > 512_000 || r.timeout < 0 || r.timeout > mostDuration {
			t.Errorf("envelope %d, timeout %v", r.envelope, r.timeout)
		}
		if fault == nil {
			fault = faultNoShell(r.shellID)
		}
		var m message
		if err := xml.Unmarshal(fault.envelope("WINDOWS", r.id), &m); err != nil {
			t.Errorf("the fault is not XML: %v", err)
		}
	})
}

// FuzzServe: no request makes the server panic, or answer with what is not
// XML.
func FuzzServe(f *testing.F) {
	s, err := New(Config{Backend: Func(toy), Logins: testLogins, Basic: true, AllowUnencrypted: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	c := &client{timeout: "PT0.5S", envelope: 8192}
	f.Add([]byte(c.envelopeOf(actionCreate, "<r:Shell/>", "WINRS_CODEPAGE=437")))
	c.shell = "A"
	f.Add([]byte(c.envelopeOf(actionCommand, commandXML("both"))))
	f.Fuzz(func(t *testing.T, data []byte) {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/wsman", bytes.NewReader(data))
		r.Header.Set("Authorization", basicAuth(testUser, testPassword))
		s.ServeHTTP(w, r)
		if w.Body.Len() == 0 {
			return // the login alone, or too long
		}
		if err := xml.Unmarshal(w.Body.Bytes(), new(struct{})); err != nil {
			t.Errorf("status %d, and the answer is not XML: %v: %s", w.Code, err, w.Body)
		}
	})
}

// clear is a sealer that does nothing.
type clearSealer struct{}

func (clearSealer) Seal(plain []byte) (sealed, signature []byte) { return plain, make([]byte, 16) }

func (clearSealer) Unseal(sealed, _ []byte) ([]byte, error) { return sealed, nil }

// FuzzSealed: no bytes make the parser panic, and what was sealed comes out
// as it was, whatever it holds.
func FuzzSealed(f *testing.F) {
	f.Add([]byte("<e:Envelope/>"))
	f.Add([]byte(sealBoundary + "--\r\n"))
	f.Add([]byte(sealBoundary + "\r\n\tContent-Type: application/octet-stream\r\n"))
	f.Add(sealMessage(clearSealer{}, []byte("x")))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := parseSealed(data); err == nil && len(p.signature)+len(p.sealed) > len(data) {
			t.Errorf("%d bytes were found in %d", len(p.signature)+len(p.sealed), len(data))
		}
		plain, err := unseal(clearSealer{}, sealMessage(clearSealer{}, data))
		if err != nil || !bytes.Equal(plain, data) {
			t.Errorf("%q comes out as %q, %v", data, plain, err)
		}
	})
}

func TestParseSealed(t *testing.T) {
	t.Parallel()
	good := string(sealMessage(clearSealer{}, []byte("hello")))
	for name, data := range map[string]string{
		"nothing":           "",
		"one boundary":      sealBoundary + "\r\n",
		"no end":            strings.TrimSuffix(good, sealBoundary+"--\r\n"),
		"another type":      strings.Replace(good, "octet-stream", "text", 1),
		"another protocol":  strings.Replace(good, sealProtocol, "application/HTTP-Kerberos-session-encrypted", 1),
		"no length":         strings.Replace(good, ";Length=5", "", 1),
		"a negative length": strings.Replace(good, "Length=5", "Length=-5", 1),
		"a long signature":  strings.Replace(good, "\x10\x00\x00\x00", "\xff\xff\xff\xff", 1),
		"a long head":       strings.Replace(good, "Length=5", "Length=5;"+strings.Repeat("x", 600), 1),
	} {
		if data == good {
			t.Errorf("%s: nothing was changed", name)
		}
		if p, err := parseSealed([]byte(data)); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if p, err := parseSealed([]byte(strings.TrimSuffix(good, "\r\n"))); err != nil || string(p.sealed) != "hello" || p.length != 5 {
		t.Errorf("without the last line's end: %+v, %v", p, err)
	}
}
