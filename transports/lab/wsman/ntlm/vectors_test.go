package ntlm

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"oust/transports"
)

// The numbers in this file are those of MS-NLMP 4.2.1 and 4.2.4: user "User"
// of domain "Domain", password "Password".

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	vectorChallenge = "0123456789abcdef"
	vectorTemp      = `0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000
		02000c00 44006f006d00610069006e00 01000c00 530065007200760065007200 00000000 00000000`
	vectorProof       = "68cd0ab851e51c96aabc927bebef6a1c"
	vectorSessionBase = "8de40ccadbc14a82f15cb0ad0de95ca3"
	vectorRandomKey   = "55555555555555555555555555555555"
	vectorSealedKey   = "c5dad2544fc9799094ce1ce90bc9d03e"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	key := ntowfv2("Password", "User", "Domain")
	proof, base := proof(key, unhex(t, vectorChallenge), unhex(t, vectorTemp))
	session := unhex(t, vectorRandomKey)
	for name, c := range map[string]struct {
		got  []byte
		want string
	}{
		"NTOWFv2 (4.2.4.1.1)":               {key, "0c868a403bfd7a93a3001ef22ef02e3f"},
		"NTProofStr (4.2.4.2.2)":            {proof, vectorProof},
		"session base key (4.2.4.1.2)":      {base, vectorSessionBase},
		"encrypted session key (4.2.4.2.3)": {rc4Once(base, session), vectorSealedKey},
		"SIGNKEY (4.2.4.4)":                 {derived(session, clientSigning), "4788dc861b4782f35d43fd98fe1a2d39"},
		"SEALKEY (4.2.4.4)":                 {derived(session, clientSealing), "59f600973cc4960a25480a7c196e4c58"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s is %s, want %s", name, got, c.want)
		}
	}
}

// TestSealedMessage is 4.2.4.4: "Plaintext" from the client, with sequence
// number 0.
func TestSealedMessage(t *testing.T) {
	t.Parallel()
	session := newSession(unhex(t, vectorRandomKey), flagSign|flagSeal|flagExtended|flag128|flagKeyExchange)
	sealed, signature := unhex(t, "54e50165bf1936dc996020c1811b0f06fb5f"), unhex(t, "010000007fb38ec5c55d497600000000")
	plain, err := session.Unseal(sealed, signature)
	if err != nil {
		t.Fatal(err)
	}
	if want := utf16LE("Plaintext"); !bytes.Equal(plain, want) {
		t.Errorf("plain is %x, want %x", plain, want)
	}
	if _, err := session.Unseal(sealed, signature); err == nil {
		t.Error("a message was taken twice")
	}
}

// vectorMessage is the AUTHENTICATE_MESSAGE of 4.2.4.3.
const vectorMessage = `4e544c4d53535000 03000000 18001800 6c000000 54005400 84000000 0c000c00 48000000 08000800 54000000
	10001000 5c000000 10001000 d8000000 358288e2 0501280a0000000f
	44006f006d00610069006e00 5500730065007200 43004f004d0050005500540045005200
	86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa
	68cd0ab851e51c96aabc927bebef6a1c
	` + vectorTemp + `
	c5dad2544fc9799094ce1ce90bc9d03e`

func TestAuthenticateMessage(t *testing.T) {
	t.Parallel()
	handshake := &Handshake{challenge: unhex(t, vectorChallenge), flags: 0xe28a8233 | flagSeal}
	login := func(password string) (*Session, error) {
		return handshake.Authenticate(unhex(t, vectorMessage), Check{Password: func(user, domain string) (transports.Secret, bool) {
			return transports.NewSecret(password), user == "User" && domain == "Domain"
		}})
	}
	session, err := login("Password")
	if err != nil {
		t.Fatal(err)
	}
	if session.User != "User" || session.Domain != "Domain" || !session.Seals() || session.Bound {
		t.Errorf("session %q %q, seals %t, bound %t", session.User, session.Domain, session.Seals(), session.Bound)
	}
	if _, err := session.Unseal(unhex(t, "54e50165bf1936dc996020c1811b0f06fb5f"), unhex(t, "010000007fb38ec5c55d497600000000")); err != nil {
		t.Errorf("the session key is another one: %v", err)
	}
	if _, err := login("password"); !errors.Is(err, ErrLogin) {
		t.Errorf("wrong password: %v, want %v", err, ErrLogin)
	}
}
