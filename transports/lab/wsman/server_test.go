package wsman

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oust/transports"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	logins := testLogins
	for name, config := range map[string]Config{
		"no backend":           {Basic: true, Logins: logins},
		"no login":             {Backend: Func(toy)},
		"no accounts":          {Backend: Func(toy), NTLM: true},
		"certificates, no TLS": {Backend: Func(toy), Certificate: func(*x509.Certificate) (string, bool) { return "", false }},
		"bindings":             {Backend: Func(toy), Basic: true, Logins: logins, Bindings: "tight"},
		"envelope":             {Backend: Func(toy), Basic: true, Logins: logins, EnvelopeLimit: 100},
		"shells":               {Backend: Func(toy), Basic: true, Logins: logins, Shells: -1},
		"time":                 {Backend: Func(toy), Basic: true, Logins: logins, Grace: -1},
		"NTLM, TLS, no key":    {Backend: Func(toy), NTLM: true, Logins: logins, TLS: &tls.Config{}},
		"NTLM, TLS, not a key": {Backend: Func(toy), NTLM: true, Logins: logins, TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{{1}}}}}},
	} {
		if _, err := New(config); err == nil || !strings.HasPrefix(err.Error(), "wsman: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBasic(t *testing.T) {
	t.Parallel()
	r := newRig(t, basicTLS(t))
	raw := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, c := range map[string]struct {
		auth string
		want int
	}{
		"right":           {basicAuth(testUser, testPassword), 200},
		"a domain":        {basicAuth(`corp\administrator`, testPassword), 200},
		"wrong domain":    {basicAuth(`other\`+testUser, testPassword), 401},
		"wrong password":  {basicAuth(testUser, "wrong"), 401},
		"no password":     {basicAuth(testUser, ""), 401},
		"nobody":          {basicAuth("nobody", testPassword), 401},
		"nothing":         {"", 401},
		"no colon":        {raw(testUser), 401},
		"no base64":       {"Basic %%%", 401},
		"another scheme":  {"Digest x", 401},
		"NTLM, not there": {"Negotiate TlRMTVNTUAABAAAAt4II4gAAAAAAAAAAAAAAAAAAAAA=", 401},
		"no certificate":  {mutualTLS, 401},
	} {
		client := r.client(t)
		client.auth = c.auth
		res, _, err := client.post("")
		if err != nil || res.StatusCode != c.want {
			t.Errorf("%s: %v, %v; want %d", name, res, err, c.want)
		}
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	mine, other := newCertificate(t, "oust"), newCertificate(t, "oust")
	users := make(chan string, 1)
	config := Config{
		TLS: serverTLS(t),
		Certificate: func(c *x509.Certificate) (string, bool) {
			return testUser, string(c.Raw) == string(mine.Certificate[0])
		},
		OnRequest: func(s Seen) { users <- s.User },
	}
	r := newRig(t, config)
	for name, test := range map[string]struct {
		certificates []tls.Certificate
		want         int
	}{"right": {[]tls.Certificate{mine}, 200}, "another": {[]tls.Certificate{other}, 401}, "none": {nil, 401}} {
		c := r.client(t)
		c.auth = mutualTLS
		c.http.Transport.(*http.Transport).TLSClientConfig.Certificates = test.certificates
		res, text, err := c.post(c.envelopeOf(actionCreate, "<r:Shell/>"))
		if err != nil || res.StatusCode != test.want {
			t.Errorf("%s: %v, %v, %s; want %d", name, res, err, text, test.want)
		}
	}
	if got := <-users; got != testUser {
		t.Errorf("the user is %q", got)
	}
}

// TestServeConn: a caller may bring connections itself, with TLS and without.
func TestServeConn(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]Config{"tls": basicTLS(t), "plain": {Basic: true, AllowUnencrypted: true}} {
		config.Backend, config.Logins = Func(toy), testLogins
		s, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		var served atomic.Int32
		done := make(chan struct{}, 8)
		transport := &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // of this very test
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				served.Add(1)
				go func() {
					s.ServeConn(theirs)
					done <- struct{}{}
				}()
				return ours, nil
			},
		}
		url := "http://windows/wsman"
		if config.TLS != nil {
			url = "https://windows/wsman"
		}
		c := &client{t: t, rig: &rig{Server: s, url: url}, http: &http.Client{Transport: transport, Timeout: 20 * time.Second}, auth: basicAuth(testUser, testPassword), timeout: "PT20S", envelope: 153600}
		if got := c.open().receive(c.start("both")); got.exit != 3 {
			t.Errorf("%s: %+v", name, got)
		}
		transport.CloseIdleConnections()
		<-done
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, _, err := c.post(""); err == nil {
			t.Errorf("%s: a closed server answers", name)
		}
		<-done
		if n := served.Load(); n != 2 {
			t.Errorf("%s: %d connections", name, n)
		}
		transport.CloseIdleConnections()
	}
}

// TestClose: it ends what runs and what waits, and comes back.
func TestClose(t *testing.T) {
	t.Parallel()
	clock := newHandClock()
	ended := make(chan error, 1)
	config := basicTLS(t)
	config.Clock = clock
	config.Backend = Func(func(ctx context.Context, _ Command) int {
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return 1
	})
	r := newRig(t, config)
	c := r.client(t).open()
	id := c.start("x")
	failed := make(chan bool, 1)
	go func() {
		res, _, err := c.post(c.envelopeOf(actionReceive, receiveXML(id)))
		failed <- err != nil || res.StatusCode != http.StatusOK
	}()
	<-clock.sleeping
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if why := <-ended; !errors.Is(why, ErrShellGone) {
		t.Errorf("the command ended of %v", why)
	}
	if !<-failed {
		t.Error("the Receive ended well")
	}
	if err := r.Close(); err != nil {
		t.Errorf("again: %v", err)
	}
}

// TestHandler: the server is also an http.Handler, for one that others serve.
func TestHandler(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Backend: Func(toy), Logins: testLogins, NTLM: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h := httptest.NewUnstartedServer(s)
	h.Config.ConnContext = s.ConnContext
	h.Start()
	defer h.Close()
	sealed, err := newSealing(t, &rig{Server: s, url: h.URL + "/wsman"}, testPassword, nil)
	if err != nil {
		t.Fatal(err)
	}
	if status, text, _ := sealed.send(sealed.request(sealed.envelopeOf(actionCreate, "<r:Shell/>"))); status != http.StatusOK {
		t.Errorf("status %d: %s", status, text)
	}
	sealed.http.CloseIdleConnections()
}

// TestSilentPeer: a peer that stops in the middle of a request is cut off.
func TestSilentPeer(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]string{
		"nothing":       "",
		"half a header": "POST /wsman HTTP/1.1\r\nHost: x\r\n",
		"half a body":   "POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<e:Envelope",
	} {
		r := newRig(t, Config{Basic: true, AllowUnencrypted: true, Grace: 50 * time.Millisecond, Idle: 50 * time.Millisecond})
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.WriteString(c, start); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadAll(c); err != nil {
			t.Errorf("%s: %v, want the end of the connection", name, err)
		}
		_ = c.Close()
	}
}

// TestKeptConnection: a deadline of one answer does not spoil a later one.
func TestKeptConnection(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{Basic: true, AllowUnencrypted: true, Grace: time.Millisecond * 100})
	c := r.client(t).open()
	id := c.start("wait")
	c.timeout = "PT0.5S" // longer than the grace
	for range 2 {
		c.fault(CodeOperationTimeout, actionReceive, receiveXML(id))
	}
	auth := c.auth
	c.auth = ""
	if res, _, err := c.post(""); err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("%v, %v", res, err)
	}
	c.auth = auth
	c.ask(http.StatusOK, actionDelete, "")
}

// TestManyIdle: a server that nobody uses is no goroutine, and small.
func TestManyIdle(t *testing.T) {
	const servers, most = 5000, 4096 // bytes for each
	var before, after runtime.MemStats
	config := basicTLS(t)
	config.Backend, config.Logins, config.NTLM = Func(toy), testLogins, true
	all := make([]*Server, servers)
	goroutines := runtime.NumGoroutine()
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range all {
		var err error
		if all[i], err = New(config); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / servers; each > most {
		t.Errorf("a server has %d bytes, want at most %d", each, most)
	}
	if n := runtime.NumGoroutine() - goroutines; n > 10 {
		t.Errorf("%d goroutines more", n)
	}
	for _, s := range all {
		_ = s.Close()
	}
}

// TestNoSecret: what the server logs and answers holds no password.
func TestNoSecret(t *testing.T) {
	t.Parallel()
	var log logBuffer
	config := Config{Basic: true, NTLM: true, AllowUnencrypted: true, Logger: log.logger(), Logins: func(string, string) (transports.Secret, bool) {
		return transports.NewSecret("Sesame-7"), true
	}}
	r := newRig(t, config)
	c := r.client(t)
	for _, password := range []string{"Sesame-7", "Sesame-8"} {
		c.auth = basicAuth(testUser, password)
		res, text, err := c.post("not XML")
		if err != nil || strings.Contains(text, "Sesame") {
			t.Errorf("%v, %v, %s", res, err, text)
		}
		_, _ = newSealing(t, r, password, nil)
	}
	if text := log.String(); text == "" || strings.Contains(text, "Sesame") {
		t.Errorf("the log: %s", text)
	}
}
