package ntlm

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/bodgit/ntlmssp"

	"oust/transports"
)

var testHost = Host{Name: "WINDOWS", Now: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)}

func check(user, domain string) (transports.Secret, bool) {
	return transports.NewSecret("Päss"), user == "Ädmin" && domain == "CORP"
}

// messages are a login of bodgit's client up to its last message.
func messages(t testing.TB, bindings *ntlmssp.ChannelBindings) (*Handshake, []byte, *ntlmssp.Client) {
	t.Helper()
	c, err := ntlmssp.NewClient(ntlmssp.SetUserInfo("Ädmin", "Päss"), ntlmssp.SetDomain("CORP"), ntlmssp.SetWorkstation("PC"), ntlmssp.SetVersion(ntlmssp.DefaultVersion()))
	if err != nil {
		t.Fatal(err)
	}
	first, err := c.Authenticate(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	h, challenge, err := testHost.Challenge(first)
	if err != nil {
		t.Fatal(err)
	}
	last, err := c.Authenticate(challenge, bindings)
	if err != nil {
		t.Fatal(err)
	}
	return h, last, c
}

func TestLogin(t *testing.T) {
	t.Parallel()
	h, last, c := messages(t, nil)
	s, err := h.Authenticate(last, Check{Password: check})
	if err != nil {
		t.Fatal(err)
	}
	if s.User != "Ädmin" || s.Domain != "CORP" || !s.Seals() {
		t.Errorf("%q %q %t", s.User, s.Domain, s.Seals())
	}
	for _, text := range []string{"first", "", "third"} {
		sealed, signature, err := c.SecuritySession().Wrap([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := s.Unseal(sealed, signature); err != nil || string(plain) != text {
			t.Errorf("to the server: %q, %v", plain, err)
		}
		sealed, signature = s.Seal([]byte(text))
		if plain, err := c.SecuritySession().Unwrap(sealed, signature); err != nil || string(plain) != text {
			t.Errorf("to the client: %q, %v", plain, err)
		}
	}
}

// TestChanged: whatever is changed in a login's messages is noticed.
func TestChanged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(h *Handshake, last []byte) []byte
		want   error
	}{
		"the first message": {func(h *Handshake, last []byte) []byte { h.negotiate[12] ^= 1; return last }, ErrMIC},
		"the challenge":     {func(h *Handshake, last []byte) []byte { h.challenge[0] ^= 1; return last }, ErrLogin},
		"flags of it":       {func(h *Handshake, last []byte) []byte { h.message[20] ^= flagSeal; return last }, ErrMIC},
		"the code":          {func(_ *Handshake, last []byte) []byte { last[micOffset] ^= 1; return last }, ErrMIC},
		"flags":             {func(_ *Handshake, last []byte) []byte { last[60] ^= flagSeal; return last }, ErrMIC},
		"the proof": {func(_ *Handshake, last []byte) []byte {
			last[binary.LittleEndian.Uint32(last[24:])] ^= 1
			return last
		}, ErrLogin},
		"the session key": {func(_ *Handshake, last []byte) []byte {
			last[binary.LittleEndian.Uint32(last[56:])] ^= 1
			return last
		}, ErrMIC},
		"the user": {func(_ *Handshake, last []byte) []byte {
			last[binary.LittleEndian.Uint32(last[40:])+2] ^= 1
			return last
		}, ErrLogin},
		"an offset":   {func(_ *Handshake, last []byte) []byte { last[24+2] = 0xff; return last }, ErrMessage},
		"the end":     {func(_ *Handshake, last []byte) []byte { return last[:len(last)-1] }, ErrMessage},
		"the kind":    {func(_ *Handshake, last []byte) []byte { last[8] = kindNegotiate; return last }, ErrMessage},
		"no proof":    {func(_ *Handshake, last []byte) []byte { clear(last[20:24]); return last }, ErrLogin},
		"version 1":   {func(_ *Handshake, last []byte) []byte { last[20], last[21] = 24, 0; return last }, ErrLogin},
		"no key":      {func(_ *Handshake, last []byte) []byte { clear(last[52:56]); return last }, ErrMessage},
		"old signing": {func(_ *Handshake, last []byte) []byte { last[62] &^= flagExtended >> 16; return last }, ErrLogin},
	} {
		h, last, _ := messages(t, nil)
		if _, err := h.Authenticate(c.change(h, last), Check{Password: check}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestChannelBindings(t *testing.T) {
	t.Parallel()
	certificate := &x509.Certificate{Raw: []byte("not looked into"), SignatureAlgorithm: x509.SHA256WithRSA}
	end := unhex(t, "1df3574bd57a2b1fa3ab1f3d5a0b8e3a")
	given := &ntlmssp.ChannelBindings{ApplicationData: append([]byte("tls-server-end-point:"), end...)}
	h, last, _ := messages(t, given)
	if _, err := h.Authenticate(last, Check{Password: check, Bindings: Bindings(certificate)}); !errors.Is(err, ErrBindings) {
		t.Errorf("of another server: %v", err)
	}
	h, last, _ = messages(t, nil)
	if s, err := h.Authenticate(last, Check{Password: check, Bindings: Bindings(certificate)}); err != nil || s.Bound {
		t.Errorf("none: %v", err)
	}
	h, last, _ = messages(t, nil)
	if _, err := h.Authenticate(last, Check{Password: check, Bindings: Bindings(certificate), NeedBindings: true}); !errors.Is(err, ErrBindings) {
		t.Errorf("none, and one is needed: %v", err)
	}
	if other := Bindings(&x509.Certificate{Raw: certificate.Raw, SignatureAlgorithm: x509.ECDSAWithSHA384}); bytes.Equal(other, Bindings(certificate)) {
		t.Error("the hash of the certificate does not follow its signature's")
	}
}

// TestOEM: a client that asks for no Unicode has its names read as ASCII.
func TestOEM(t *testing.T) {
	t.Parallel()
	negotiate := append([]byte(magic), 1, 0, 0, 0, flagOEM|flagRequestTarget, 0, 0, 0)
	_, challenge, err := testHost.Challenge(negotiate)
	if err != nil {
		t.Fatal(err)
	}
	flags := binary.LittleEndian.Uint32(challenge[20:])
	target, ok := field(challenge, 12)
	if flags&flagUnicode != 0 || flags&flagOEM == 0 || !ok || string(target) != "WINDOWS" {
		t.Errorf("flags %x, target %q", flags, target)
	}
	if name, ok := fromOEM([]byte("admin")); !ok || name != "admin" {
		t.Errorf("%q, %t", name, ok)
	}
	if _, ok := fromOEM([]byte("\xe4dmin")); ok {
		t.Error("a letter of an unknown code page was read")
	}
}

// FuzzChallenge: no first message makes the server panic.
func FuzzChallenge(f *testing.F) {
	f.Add(append([]byte(magic), 1, 0, 0, 0, 0xb7, 0x82, 8, 0xe2))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, answer, err := testHost.Challenge(data)
		if err == nil && (h == nil || !isKind(answer, kindChallenge, 56)) {
			t.Errorf("the answer is %x", answer)
		}
	})
}

// FuzzAuthenticate: no last message makes the server panic, or lets anybody in
// who does not know the password.
func FuzzAuthenticate(f *testing.F) {
	f.Add(unhex(f, vectorMessage))
	f.Add([]byte(magic + "\x03\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h := &Handshake{challenge: []byte("01234567"), flags: 0xffffffff}
		_, err := h.Authenticate(data, Check{Password: func(string, string) (transports.Secret, bool) { return transports.NewSecret("secret"), true }})
		if err == nil {
			t.Errorf("let in: %x", data)
		}
	})
}
