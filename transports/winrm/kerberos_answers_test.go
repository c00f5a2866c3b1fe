package winrm

import (
	"context"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"oust/transports"
)

// testTicket is a ticket that nobody can open.
func testTicket(t testing.TB, realm, service string) messages.Ticket {
	t.Helper()
	return messages.Ticket{TktVNO: 5, Realm: realm, SName: types.NewPrincipalName(2, service), EncPart: types.EncryptedData{EType: 18, Cipher: []byte("sealed")}}
}

// TestServicePrincipal: a host is known by a name of the domain.
func TestServicePrincipal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ host, address, want string }{
		{"win1", "Win1.corp.test.", "HTTP/win1.corp.test"},
		{"x", "win1", "HTTP/win1"},
		{"win1.Corp.test", "10.0.0.5", "HTTP/win1.corp.test"},
		{"win1.corp.test", "fe80::1%eth0", "HTTP/win1.corp.test"},
		{"win1", "10.0.0.5", ""},
		{"10.0.0.5", "10.0.0.5", ""},
		{"the first one", "::1", ""},
		{"a/b.c@d", "10.0.0.5", ""},
	} {
		got, err := servicePrincipal(transports.Target{Host: test.host, Address: test.address})
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s at %s: %q, %v", test.host, test.address, got, err)
		}
	}
}

// proofPart is what a host seals into its proof.
type proofPart struct {
	CTime  time.Time           `asn1:"generalized,explicit,tag:0"`
	Cusec  int                 `asn1:"explicit,tag:1"`
	Subkey types.EncryptionKey `asn1:"explicit,optional,tag:2"`
	Number int64               `asn1:"explicit,optional,tag:3"`
}

// hostProof is the answer of a host that has a key.
func hostProof(t testing.TB, key types.EncryptionKey, part proofPart) []byte {
	t.Helper()
	text, err := asn1.MarshalWithParams(part, "application,explicit,tag:27")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := crypto.GetEncryptedData(text, key, keyusage.AP_REP_ENCPART, 0)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := asn1.MarshalWithParams(messages.APRep{PVNO: 5, MsgType: 15, EncPart: sealed}, "application,explicit,tag:15")
	if err != nil {
		t.Fatal(err)
	}
	return spnegoAnswer(frame(oidKerberos, tokenAPRep, rep))
}

// TestHostProof: only the proof of this login is taken, and its keys used.
func TestHostProof(t *testing.T) {
	t.Parallel()
	key := testSession(t).key
	now := time.Date(2026, 11, 24, 12, 0, 0, 123456000, time.UTC)
	a, err := newAttempt(types.NewPrincipalName(1, "u"), "R", ticket{ticket: testTicket(t, "R", "HTTP/h"), key: key}, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	other := types.EncryptionKey{KeyType: key.KeyType, KeyValue: make([]byte, 32)}
	good := proofPart{now, 123456, other, 7}
	for _, test := range []struct {
		name string
		key  types.EncryptionKey
		part proofPart
		want string // "" for a proof that is good
	}{
		{"good", key, good, ""},
		{"without a key of its own", key, proofPart{now, 123456, types.EncryptionKey{}, 7}, ""},
		{"another key", other, good, "does not open"},
		{"another second", key, proofPart{now.Add(time.Second), 123456, other, 7}, "of another login"},
		{"another microsecond", key, proofPart{now, 123457, other, 7}, "of another login"},
		{"RC4", key, proofPart{now, 123456, types.EncryptionKey{KeyType: etypeID.RC4_HMAC, KeyValue: make([]byte, 16)}, 7}, "not AES"},
		{"a short key", key, proofPart{now, 123456, types.EncryptionKey{KeyType: key.KeyType, KeyValue: make([]byte, 31)}, 7}, "not AES"},
	} {
		s, err := a.accept(hostProof(t, test.key, test.part))
		if test.want != "" {
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		want, flag := other.KeyValue, byte(acceptorKey)
		if test.part.Subkey.KeyType == 0 {
			want, flag = a.subkey.KeyValue, 0
		}
		if string(s.key.KeyValue) != string(want) || s.flags != flag || s.received != 7 || s.sent != uint64(a.counter) {
			t.Errorf("%s: %+v", test.name, s)
		}
	}
}

// TestAttempt: a login asks the host for its proof, and no two are alike.
func TestAttempt(t *testing.T) {
	t.Parallel()
	k := newKerberos(Config{}.WithDefaults())
	defer k.close()
	k.now = func() time.Time { return time.Unix(1_800_000_000, 999) }
	first, second := k.stamp(), k.stamp()
	if !second.After(first) || first.Nanosecond()%1000 != 0 || second.Sub(first) != time.Microsecond {
		t.Errorf("%v, then %v", first, second)
	}
	key := testSession(t).key
	a, err := newAttempt(types.NewPrincipalName(1, "u"), "R", ticket{ticket: testTicket(t, "R", "HTTP/h"), key: key}, []byte("channel"), second)
	if err != nil {
		t.Fatal(err)
	}
	var whole asn1.RawValue
	if _, err := asn1.Unmarshal(a.token, &whole); err != nil {
		t.Fatal(err)
	}
	var oid asn1.ObjectIdentifier
	rest, err := asn1.Unmarshal(whole.Bytes, &oid)
	if err != nil || !oid.Equal(oidSPNEGO) {
		t.Fatal(oid, err)
	}
	var init negTokenInit
	if _, err := asn1.UnmarshalWithParams(rest, &init, "explicit,tag:0"); err != nil || len(init.Mechanisms) != 1 {
		t.Fatal(init, err)
	}
	body, err := unframe(init.Token, tokenAPReq)
	if err != nil {
		t.Fatal(err)
	}
	var req messages.APReq
	if err := req.Unmarshal(body); err != nil {
		t.Fatal(err)
	}
	if err := req.DecryptAuthenticator(key); err != nil {
		t.Fatal(err)
	}
	auth := req.Authenticator
	if !types.IsFlagSet(&req.APOptions, flags.APOptionMutualRequired) || auth.Cusec != second.Nanosecond()/1000 || uint32(auth.SeqNumber) != a.counter {
		t.Errorf("%+v", req)
	}
	sum := auth.Cksum.Checksum
	if auth.Cksum.CksumType != 0x8003 || len(sum) != 24 || binary.LittleEndian.Uint32(sum[20:]) != 0x3e || string(sum[4:20]) == string(make([]byte, 16)) {
		t.Errorf("checksum %x", sum)
	}
}

// kdcFunc answers a client's questions within the test.
type kdcFunc func(as messages.ASReq, tgs messages.TGSReq) []byte

// client is an account whose KDC is f.
func (f kdcFunc) client(t *testing.T) *kerberosClient {
	t.Helper()
	k := newKerberos(Config{}.WithDefaults())
	t.Cleanup(k.close)
	conf := newKerberosConf()
	conf.kdcs = map[string][]string{"R": {"kdc:88"}}
	k.kdcs.dial = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer theirs.Close()
			var head [4]byte
			if _, err := io.ReadFull(theirs, head[:]); err != nil {
				return
			}
			question := make([]byte, binary.BigEndian.Uint32(head[:]))
			if _, err := io.ReadFull(theirs, question); err != nil {
				return
			}
			var as messages.ASReq
			var tgs messages.TGSReq
			if as.Unmarshal(question) != nil && tgs.Unmarshal(question) != nil {
				t.Error("the KDC cannot read the question")
			}
			answer := f(as, tgs)
			_, _ = theirs.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...))
		}()
		t.Cleanup(func() { _ = theirs.Close(); <-done })
		return ours, nil
	}
	return &kerberosClient{
		kerberos: k, conf: conf, name: types.NewPrincipalName(1, "u"), realm: "R", password: transports.NewSecret("p"),
	}
}

// TestKDCAnswers: an answer is only taken for the question that was asked.
func TestKDCAnswers(t *testing.T) {
	t.Parallel()
	session := testSession(t).key
	own := ticket{key: session, ticket: testTicket(t, "R", "krbtgt/R")}
	service := types.NewPrincipalName(3, "HTTP/h")
	for _, test := range []struct {
		name   string
		change func(rep *messages.KDCRepFields)
		class  transports.Class // "" for an answer that is taken
		words  string
	}{
		{"good", func(*messages.KDCRepFields) {}, "", ""},
		{"to another question", func(r *messages.KDCRepFields) { r.DecryptedEncPart.Nonce++ }, transports.Untrusted, "another question"},
		{"another account", func(r *messages.KDCRepFields) { r.CName = types.NewPrincipalName(1, "v") }, transports.Untrusted, "another account"},
		{"another realm", func(r *messages.KDCRepFields) { r.DecryptedEncPart.SRealm = "S" }, transports.Untrusted, "another realm"},
		{"a ticket of another realm", func(r *messages.KDCRepFields) { r.Ticket.Realm = "S" }, transports.Untrusted, "another realm"},
		{"another service", func(r *messages.KDCRepFields) { r.Ticket.SName = types.NewPrincipalName(3, "HTTP/i") }, transports.Untrusted, "another account"},
		{"another service throughout", func(r *messages.KDCRepFields) {
			r.Ticket.SName = types.NewPrincipalName(3, "HTTP/i")
			r.DecryptedEncPart.SName = r.Ticket.SName
		}, transports.Untrusted, "another"},
		{"RC4", func(r *messages.KDCRepFields) { r.DecryptedEncPart.Key.KeyType = etypeID.RC4_HMAC }, transports.Unsupported, "no AES key"},
		{"in a circle", func(r *messages.KDCRepFields) {
			r.Ticket.SName = types.NewPrincipalName(2, "krbtgt/R")
			r.DecryptedEncPart.SName = r.Ticket.SName
		}, transports.Untrusted, "in a circle"},
	} {
		answer := func(key types.EncryptionKey, usage uint32, nonce int, sname types.PrincipalName) messages.KDCRepFields {
			r := messages.KDCRepFields{PVNO: 5, CRealm: "R", CName: types.NewPrincipalName(1, "u"), Ticket: testTicket(t, "R", sname.PrincipalNameString())}
			r.DecryptedEncPart = messages.EncKDCRepPart{
				Key: session, Nonce: nonce, Flags: types.NewKrbFlags(), AuthTime: time.Now().UTC(), EndTime: time.Now().Add(time.Hour).UTC(), SRealm: "R", SName: sname,
			}
			test.change(&r)
			text, err := r.DecryptedEncPart.Marshal()
			if err == nil {
				r.EncPart, err = crypto.GetEncryptedData(text, key, usage, 0)
			}
			if err != nil {
				t.Error(err)
			}
			return r
		}
		c := kdcFunc(func(as messages.ASReq, tgs messages.TGSReq) []byte {
			var b []byte
			var err error
			if as.MsgType != 0 {
				key, _, _ := crypto.GetKeyFromPassword("p", as.ReqBody.CName, "R", etypeID.AES256_CTS_HMAC_SHA1_96, nil)
				rep := messages.ASRep{KDCRepFields: answer(key, keyusage.AS_REP_ENCPART, as.ReqBody.Nonce, as.ReqBody.SName)}
				rep.MsgType = 11
				b, err = rep.Marshal()
			} else {
				rep := messages.TGSRep{KDCRepFields: answer(session, keyusage.TGS_REP_ENCPART_SESSION_KEY, tgs.ReqBody.Nonce, tgs.ReqBody.SName)}
				rep.MsgType = 13
				b, err = rep.Marshal()
			}
			if err != nil {
				t.Error(err)
			}
			return b
		}).client(t)
		_, account := c.authenticate(t.Context())
		_, service := c.askTicket(t.Context(), own, service)
		if test.words == "in a circle" {
			account = service // which has no meaning for an account
		}
		for _, err := range []error{account, service} {
			e, _ := errors.AsType[*kerberosError](err)
			if test.class == "" && err != nil || test.class != "" && (e == nil || e.class != test.class || !strings.Contains(e.Error(), test.words)) {
				t.Errorf("%s: %v", test.name, err)
			}
		}
	}
}

// TestKDCQuestion: what a KDC wants computed for a key is bounded.
func TestKDCQuestion(t *testing.T) {
	t.Parallel()
	c := kdcFunc(nil).client(t)
	for params, good := range map[string]bool{"\x00\x00\x10\x00": true, "\x00\x00\x00\x00": false, "\x7f\xff\xff\xff": false} {
		_, err := c.passwordKey(types.ETypeInfo2Entry{EType: etypeID.AES256_CTS_HMAC_SHA1_96, Salt: "s", S2KParams: []byte(params)})
		if (err == nil) != good {
			t.Errorf("%x iterations: %v", params, err)
		}
	}
}
