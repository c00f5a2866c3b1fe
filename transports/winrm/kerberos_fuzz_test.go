package winrm

import (
	"bytes"
	"context"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"oust/transports"
)

// spnegoAnswer is a host's answer with a token in it.
func spnegoAnswer(token []byte) []byte {
	b, _ := asn1.MarshalWithParams(negTokenResp{Mechanism: oidKerberos, Token: token}, "explicit,tag:1")
	return b
}

func mustDER(t testing.TB, v any) []byte {
	t.Helper()
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func testSession(t testing.TB) *kerberosSession {
	t.Helper()
	kind, err := crypto.GetEtype(etypeID.AES256_CTS_HMAC_SHA1_96)
	if err != nil {
		t.Fatal(err)
	}
	return &kerberosSession{key: types.EncryptionKey{KeyType: etypeID.AES256_CTS_HMAC_SHA1_96, KeyValue: bytes.Repeat([]byte{7}, 32)}, kind: kind}
}

// hostWrap is a token as a host makes it, with bytes between text and head.
func hostWrap(t testing.TB, s *kerberosSession, number uint64, text string, extra, turn int) []byte {
	t.Helper()
	head := binary.BigEndian.AppendUint64([]byte{5, 4, fromAcceptor | isWrapped | s.flags, 0xff, byte(extra >> 8), byte(extra), 0, 0}, number)
	plain := append(append([]byte(text), make([]byte, extra)...), head...)
	_, body, err := s.kind.EncryptMessage(s.key.KeyValue, plain, 22)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint16(head[6:], uint16(turn))
	cut := len(body) - turn
	return append(head, append(bytes.Clone(body[cut:]), body[:cut]...)...)
}

// TestWrapTokens: tokens open however they are turned and filled, once, in
// order, and unchanged.
func TestWrapTokens(t *testing.T) {
	t.Parallel()
	s := testSession(t)
	for i, f := range [][2]int{{0, 0}, {0, 28}, {0, 1}, {16, 44}, {3, 28}} {
		got, err := s.open(hostWrap(t, s, uint64(i), "text", f[0], f[1]))
		if err != nil || string(got) != "text" {
			t.Errorf("filler %d, rotation %d: %q, %v", f[0], f[1], got, err)
		}
	}
	good := hostWrap(t, s, s.received, "text", 0, 28)
	for i := range good {
		if i == 6 || i == 7 {
			continue // how far it is turned, which no checksum covers; the rest does not open then
		}
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if text, err := s.open(bad); err == nil {
			t.Errorf("a changed byte %d: %q", i, text)
		}
	}
	for _, number := range []uint64{s.received - 1, s.received + 1} {
		if _, err := s.open(hostWrap(t, s, number, "text", 0, 28)); err == nil {
			t.Errorf("message %d was taken for %d", number, s.received)
		}
	}
	if text, err := s.open(good); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := s.open(good); err == nil {
		t.Error("a message was taken twice")
	}
	// One of our own comes back.
	sealed, err := s.seal([]byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.unseal(sealed); err == nil {
		t.Error("a message of our own was taken for the host's")
	}
}

// FuzzWrap opens any bytes as a sealed message.
func FuzzWrap(f *testing.F) {
	s := testSession(f)
	good := hostWrap(f, s, 0, "text", 0, 28)
	f.Add(good)
	f.Add(good[:20])
	f.Add(wrapSealed(good[60:], good[:60], 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, open := range []func([]byte) ([]byte, error){testSession(t).open, testSession(t).unseal} {
			text, err := open(b)
			if err != nil {
				checkWords(t, err)
			} else if string(text) != "text" { // the seed's; no other one can be made
				t.Fatalf("%q", text)
			}
		}
	})
}

// FuzzKerberosAnswer takes any bytes for a host's proof and its refusal.
func FuzzKerberosAnswer(f *testing.F) {
	f.Add(spnegoAnswer(frame(oidKerberos, tokenAPRep, []byte{0x6f, 0})))
	f.Add(spnegoAnswer(frame(oidKerberos, tokenError, []byte{0x7e, 0})))
	refused := messages.NewKRBError(types.NewPrincipalName(3, "HTTP/host"), "R", 37, "clock\nskew")
	if b, err := refused.Marshal(); err == nil {
		f.Add(spnegoAnswer(frame(oidKerberos, tokenError, b)))
		f.Add(frame(oidKerberos, tokenError, b))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		key := testSession(t).key
		a := &attempt{ticket: key, subkey: key, time: time.Unix(1, 0)}
		if _, err := a.accept(b); err == nil {
			t.Fatal("a proof without the key")
		} else {
			checkWords(t, err)
		}
		if e := refusalIn(b); e != nil {
			checkWords(t, e)
		}
	})
}

// FuzzKDC takes any bytes for what a KDC answers.
func FuzzKDC(f *testing.F) {
	refused := messages.NewKRBError(types.NewPrincipalName(2, "krbtgt/R"), "R", 25, "")
	refused.EData = []byte{0x30, 0}
	if b, err := refused.Marshal(); err == nil {
		f.Add(b)
	}
	f.Add([]byte{0x6b, 0})
	f.Add([]byte{0x6d, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || len(b) > kdcReplyMost {
			return
		}
		k := newKerberos(Config{}.WithDefaults())
		defer k.close()
		conf := newKerberosConf()
		conf.kdcs = map[string][]string{"R": {"kdc:88"}}
		k.kdcs.dial = func(context.Context, string, string) (net.Conn, error) { return &cannedKDC{answer: b}, nil }
		c := &kerberosClient{kerberos: k, conf: conf, name: types.NewPrincipalName(1, "u"), realm: "R", password: transports.NewSecret("p")}
		own := ticket{key: testSession(t).key, ticket: messages.Ticket{TktVNO: 5, Realm: "R", SName: types.NewPrincipalName(2, "krbtgt/R")}}
		_, err := c.authenticate(t.Context())
		_, more := c.askTicket(t.Context(), own, types.NewPrincipalName(3, "HTTP/h"))
		for _, err := range []error{err, more} {
			if _, ok := errors.AsType[*kerberosError](err); !ok {
				t.Fatalf("%v", err)
			}
			checkWords(t, err)
		}
	})
}

// cannedKDC answers every question alike.
type cannedKDC struct {
	net.Conn
	answer []byte
	rest   *bytes.Reader
}

func (c *cannedKDC) Write(p []byte) (int, error) {
	c.rest = bytes.NewReader(append(binary.BigEndian.AppendUint32(nil, uint32(len(c.answer))), c.answer...))
	return len(p), nil
}
func (c *cannedKDC) Read(p []byte) (int, error) { return c.rest.Read(p) }
func (c *cannedKDC) Close() error               { return nil }

// FuzzProfile reads any text as settings.
func FuzzProfile(f *testing.F) {
	f.Add([]byte(fedora))
	f.Add([]byte("[realms]\nA={\nkdc=b\n}\n[domain_realm]\n.=A\n.. = A\n"))
	f.Add([]byte("}\n[a\n=\n{"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := newKerberosConf()
		if err := c.parse(b, func(string) error { return nil }); err != nil {
			return
		}
		for domain := range c.domains {
			_ = c.realmOf(domain)
		}
		if len(c.kdcs)+len(c.domains) > len(b) {
			t.Fatal("more than there is")
		}
	})
}

// FuzzCache reads any bytes as a credential cache and a keytab.
func FuzzCache(f *testing.F) {
	f.Add([]byte{5, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 'R', 0, 0, 0, 1, 'u'})
	f.Add([]byte{5, 3, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{5, 2, 0, 0, 0, 9, 0, 1, 0, 1, 'R', 0, 1, 'u'})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCache(b)
		if err == nil && len(c.entries)*40 > len(b) {
			t.Fatalf("%d tickets in %d bytes", len(c.entries), len(b))
		}
		_, _ = parseKeytab(b)
	})
}
