package winrm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/transports"
)

// cleaned is to how many bytes transports.Clean cuts a text.
const cleaned = 400

// FuzzReply reads any bytes as the answer to each request.
func FuzzReply(f *testing.F) {
	for _, s := range []string{
		"", "<a/>", envelope(actionReceive+"Response", received("aGVsbG8=", `Done"><rsp:ExitCode>0</rsp:ExitCode>`)),
		envelope(actionReceive+"Response", received("", `Running">`)), envelope(actionCreate+"Response", "<rsp:ShellId>S</rsp:ShellId>"),
		envelope(actionCommand+"Response", "<rsp:CommandId>C</rsp:CommandId>"), faultText(5, "AccessDenied", "no"),
		envelope(actionFault, "<s:Fault/>"), `<?xml version="1.0" encoding="utf-16"?><a/>`, "<a:b/>", "<a b:c=''/>", "<?x?><!-- --><a/>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, action := range []string{actionCreate, actionCommand, actionReceive, actionSignal} {
			r, err := parseReply(text, action)
			if err != nil {
				_, isFault := errors.AsType[*fault](err)
				if isFault == errors.Is(err, errReply) {
					t.Fatalf("%v is neither a fault nor a broken reply, or both", err)
				}
				checkWords(t, err)
				continue
			}
			if id, err := r.shellID(); err == nil && strings.ContainsAny(id, "<>&\"' \n") {
				t.Fatalf("shell %q", id)
			}
			if id, err := r.commandID(); err == nil && strings.ContainsAny(id, "<>&\"' \n") {
				t.Fatalf("command %q", id)
			}
			if out, err := r.output("C-1"); err == nil && out.done && !bytes.Contains(text, []byte("ExitCode")) {
				t.Fatal("an end without an exit code")
			}
		}
	})
}

// checkWords fails for an error that is not fit for one line of a log.
func checkWords(t *testing.T, err error) {
	t.Helper()
	if text := err.Error(); len(text) > 4*cleaned || strings.ContainsAny(text, "\n\r\x00\x1b") {
		t.Fatalf("the error %q", text)
	}
}

// FuzzChallenge answers any bytes as the challenge of a login by NTLM.
func FuzzChallenge(f *testing.F) {
	f.Add(challenge(nil))
	f.Add(challenge([]byte{2, 0, 4, 0, 'D', 0, 'O', 0, 7, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0}))
	f.Add(challenge([]byte{6, 0, 2, 0, 1, 1, 0, 0, 0, 0}))
	f.Add([]byte("NTLMSSP\x00"))
	f.Fuzz(func(t *testing.T, m []byte) {
		n, err := newNTLMLogin(account{user: "u", domain: "d"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.negotiate(); err != nil {
			t.Fatal(err)
		}
		if _, err := n.answer(m, nil); err != nil {
			checkWords(t, err)
			return
		}
		sealed, err := n.seal([]byte("text"))
		if err != nil || bytes.Contains(sealed, []byte("text")) {
			t.Fatalf("a challenge that was taken does not seal: %q, %v", sealed, err)
		}
	})
}

// challenge is one that is answered if the pairs are well.
func challenge(pairs []byte) []byte {
	if pairs == nil {
		pairs = make([]byte, 4+8+4) // a timestamp, and their end
		pairs[0], pairs[2] = pairTimestamp, 8
	}
	m := make([]byte, 56)
	copy(m, "NTLMSSP\x00\x02")
	binary.LittleEndian.PutUint32(m[20:], flagsNeeded)
	copy(m[24:], "12345678")
	binary.LittleEndian.PutUint16(m[40:], uint16(len(pairs)))
	binary.LittleEndian.PutUint16(m[42:], uint16(len(pairs)))
	binary.LittleEndian.PutUint32(m[44:], 56)
	return slices.Concat(m, pairs)
}

// TestChallenge: what is refused of a challenge, for the library would fail on
// it, or log in without a seal.
func TestChallenge(t *testing.T) {
	t.Parallel()
	flags := func(set, clear uint32) []byte {
		m := challenge(nil)
		binary.LittleEndian.PutUint32(m[20:], (flagsNeeded|set)&^clear)
		return m
	}
	for _, test := range []struct {
		name, words string
		message     []byte
	}{
		{"well", "", challenge(nil)},
		{"short", "no challenge", []byte("NTLMSSP\x00\x02")},
		{"another message", "no challenge", bytes.Replace(challenge(nil), []byte{2}, []byte{3}, 1)},
		{"no seal", "no NTLMv2 with 128-bit sealing", flags(0, flagSeal)},
		{"no 128 bit", "no NTLMv2 with 128-bit sealing", flags(0, flag128)},
		{"anonymous", "no NTLMv2 with 128-bit sealing", flags(flagAnonymous, 0)},
		{"cut off", "cut off", challenge(nil)[:57]},
		{"no timestamp", "no timestamp", challenge(make([]byte, 4))},
		{"no end of pairs", "broken", challenge([]byte{2, 0, 0, 0})},
		{"flags of two bytes", "broken", challenge([]byte{6, 0, 2, 0, 1, 1, 0, 0, 0, 0})},
		{"a pair past the end", "broken", challenge([]byte{2, 0, 99, 0, 1, 1, 0, 0, 0, 0})},
	} {
		err := checkChallenge(test.message)
		if test.words == "" && err != nil || test.words != "" && (err == nil || !strings.Contains(err.Error(), test.words)) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// FuzzSealed takes any bytes apart as a sealed message; what it takes comes
// out as it went in.
func FuzzSealed(f *testing.F) {
	f.Add([]byte(""))
	f.Add(wrapSealed([]byte("sealed"), make([]byte, signatureSize), 6))
	f.Add(wrapSealed([]byte(sealEnd+"\r\n"), make([]byte, signatureSize), len(sealEnd)+2))
	f.Fuzz(func(t *testing.T, data []byte) {
		sealed, signature, length, err := parseSealed(data)
		if err != nil {
			checkWords(t, err)
			return
		}
		if len(signature) == 0 || len(signature) > signatureMost || len(sealed) != length {
			t.Fatalf("%d bytes of signature, %d sealed, said to be %d", len(signature), len(sealed), length)
		}
		again, sign, n, err := parseSealed(wrapSealed(sealed, signature, length))
		if err != nil || n != length || !bytes.Equal(again, sealed) || !bytes.Equal(sign, signature) {
			t.Fatalf("there and back: %v", err)
		}
	})
}

func TestSchemeToken(t *testing.T) {
	t.Parallel()
	h := http.Header{"Www-Authenticate": {"Negotiate abc=", " ntlm", `Basic realm="WSMAN"`}}
	type found struct {
		Token   string
		Offered bool
	}
	got := map[string]found{}
	for _, name := range []string{"Negotiate", "NTLM", "Kerberos"} {
		token, offered := schemeToken(h, name)
		got[name] = found{token, offered}
	}
	if diff := cmp.Diff(map[string]found{"Negotiate": {"abc=", true}, "NTLM": {"", true}, "Kerberos": {}}, got); diff != "" {
		t.Error(diff)
	}
	if text := offers(h); text != "Negotiate, ntlm, Basic" {
		t.Errorf("offers %q", text)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a\r\n\tb": "a b", "esc\x1b[31m": "esc [31m", "\xff": "?", "pw hunter2": "pw [redacted]",
		strings.Repeat("é", cleaned): strings.Repeat("é", cleaned/2) + "...",
	} {
		if got := transports.Clean(in, transports.NewSecret("hunter2")); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
