package wsman

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Kerberos is what a server needs to take logins by Kerberos, under Negotiate.
// It keeps no record of the messages that it has seen, and so takes a replay.
type Kerberos struct {
	// Keytab is the content of a keytab with the keys of HTTP/host.
	Keytab []byte
	// Skew is how far a client's clock may be off; default 5 min.
	Skew time.Duration
	// Forget makes a login hold for the request that it came with alone.
	Forget bool
}

// Mechanisms (RFC 4178, RFC 4121), and how tokens of Kerberos begin.
var (
	oidSPNEGO    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 2}
	oidKerberos  = asn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2}
	oidMicrosoft = asn1.ObjectIdentifier{1, 2, 840, 48018, 1, 2, 2} // Kerberos too
)

var errToken = errors.New("malformed token")

// newKeytab reads a server's keys.
func newKeytab(data []byte) (*keytab.Keytab, error) {
	kt := keytab.New()
	if err := guarded(func() error { return kt.Unmarshal(data) }); err != nil {
		return nil, errors.New("wsman: the keytab cannot be read")
	}
	return kt, nil
}

// guarded turns a panic of the Kerberos library, on bytes of a peer, into an
// error.
func guarded(f func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errToken
		}
	}()
	return f()
}

// isKerberos tells a token that may be of Kerberos from one of NTLM.
func isKerberos(token string) bool {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(token))
	return err == nil && len(raw) > 0 && raw[0] == 0x60
}

// kerberos takes a login, which is one message, and answers it with the proof
// that this server has the key.
func (x *exchange) kerberos(token string) bool {
	c := x.connection()
	c.handshake, c.session = nil, nil
	raw, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(token)) // isKerberos did
	inner, wrapped, err := mechanismToken(raw)
	var session *kerberosSession
	var answer []byte
	if err == nil {
		session, answer, err = x.server.accept(inner, x.r.TLS != nil)
	}
	if err != nil {
		x.server.config.Logger.Debug("no login", "error", err)
		x.refuseKerberos(err, wrapped)
		return false
	}
	if wrapped {
		answer = negotiated(stateAccepted, answer)
	}
	x.w.Header().Set("WWW-Authenticate", "Negotiate "+base64.StdEncoding.EncodeToString(answer))
	if !x.server.config.Kerberos.Forget {
		c.session = session
	}
	return x.open(session)
}

// refuseKerberos answers 401, and says why if the protocol has a word for it.
func (x *exchange) refuseKerberos(err error, wrapped bool) {
	var refused messages.KRBError
	if !errors.As(err, &refused) {
		x.refuse()
		return
	}
	if len(refused.SName.NameString) == 0 {
		refused.SName = types.PrincipalName{NameType: 3, NameString: []string{"HTTP", "host"}}
	}
	body, err := refused.Marshal()
	if err != nil {
		x.refuse()
		return
	}
	answer := frame([]byte{3, 0}, body)
	if wrapped {
		answer = negotiated(stateRejected, answer)
	}
	x.w.Header().Add("WWW-Authenticate", "Negotiate "+base64.StdEncoding.EncodeToString(answer))
	x.status(http.StatusUnauthorized)
}

// mechanismToken takes the token of Kerberos out of SPNEGO, if it is wrapped.
func mechanismToken(token []byte) (inner []byte, wrapped bool, err error) {
	oid, rest, err := unframe(token)
	if err != nil || oid.Equal(oidKerberos) {
		return token, false, err
	}
	var init struct {
		Mechanisms []asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
		Flags      asn1.BitString          `asn1:"explicit,optional,tag:1"`
		Token      []byte                  `asn1:"explicit,optional,tag:2"`
		MIC        asn1.RawValue           `asn1:"optional"`
	}
	if !oid.Equal(oidSPNEGO) {
		return nil, false, errToken
	}
	if _, err := asn1.UnmarshalWithParams(rest, &init, "explicit,tag:0"); err != nil || len(init.Mechanisms) == 0 {
		return nil, true, errToken
	}
	if first := init.Mechanisms[0]; !first.Equal(oidKerberos) && !first.Equal(oidMicrosoft) || len(init.Token) == 0 {
		return nil, true, errors.New("the client wants another mechanism than Kerberos")
	}
	return init.Token, true, nil
}

// accept checks a ticket and who brings it (RFC 4120 section 3.2.3), and makes
// the answer.
func (s *Server) accept(token []byte, secure bool) (*kerberosSession, []byte, error) {
	oid, rest, err := unframe(token)
	body, ok := bytes.CutPrefix(rest, []byte{1, 0})
	if err != nil || !oid.Equal(oidKerberos) || !ok {
		return nil, nil, errToken
	}
	skew := s.config.Kerberos.Skew
	if skew == 0 {
		skew = 5 * time.Minute
	}
	var req messages.APReq
	err = guarded(func() error {
		if err := req.Unmarshal(body); err != nil {
			return err
		}
		if ok, err := req.Verify(s.keytab, skew, types.HostAddress{}, nil); err != nil || !ok {
			return errors.Join(errors.New("the ticket is not good"), notOpened(err, req))
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if err := s.checkBindings(req.Authenticator.Cksum, secure); err != nil {
		return nil, nil, err
	}
	return newKerberosSession(req)
}

// notOpened names the error for a ticket that the keytab does not open.
func notOpened(err error, req messages.APReq) error {
	var refused messages.KRBError
	if errors.As(err, &refused) {
		return err
	}
	return messages.NewKRBError(req.Ticket.SName, req.Ticket.Realm, errorcode.KRB_AP_ERR_MODIFIED, "")
}

// checkBindings checks what the login is bound to (RFC 4121 section 4.1.1).
func (s *Server) checkBindings(sum types.Checksum, secure bool) error {
	if sum.CksumType != 0x8003 || len(sum.Checksum) < 24 || binary.LittleEndian.Uint32(sum.Checksum) != 16 {
		return errors.New("the login has no GSS checksum")
	}
	if !secure || s.config.Bindings == BindingsIgnored {
		return nil
	}
	bound := sum.Checksum[4:20]
	if bytes.Equal(bound, make([]byte, 16)) {
		if s.config.Bindings == BindingsStrict {
			return errors.New("the login is not bound to the TLS connection")
		}
		return nil
	}
	if !bytes.Equal(bound, s.bindings) {
		return errors.New("the login is bound to another TLS connection")
	}
	return nil
}

// frame is a token of Kerberos (RFC 2743 section 3.1).
func frame(id, body []byte) []byte {
	oid, _ := asn1.Marshal(oidKerberos) // of a constant
	whole, _ := asn1.Marshal(asn1.RawValue{
		Class: asn1.ClassApplication, IsCompound: true, Bytes: bytes.Join([][]byte{oid, id, body}, nil),
	})
	return whole
}

func unframe(token []byte) (oid asn1.ObjectIdentifier, rest []byte, err error) {
	var whole asn1.RawValue
	if rest, err := asn1.Unmarshal(token, &whole); err != nil || len(rest) > 0 || whole.Class != asn1.ClassApplication || whole.Tag != 0 {
		return nil, nil, errToken
	}
	if rest, err = asn1.Unmarshal(whole.Bytes, &oid); err != nil {
		return nil, nil, errToken
	}
	return oid, rest, nil
}

// States of RFC 4178 section 4.2.2.
const (
	stateAccepted = 0
	stateRejected = 2
)

// negotiated is an answer of SPNEGO.
func negotiated(state asn1.Enumerated, token []byte) []byte {
	answer, _ := asn1.MarshalWithParams(struct {
		State     asn1.Enumerated       `asn1:"explicit,tag:0"`
		Mechanism asn1.ObjectIdentifier `asn1:"explicit,tag:1"`
		Token     []byte                `asn1:"explicit,tag:2"`
	}{state, oidKerberos, token}, "explicit,tag:1") // of types that it knows
	return answer
}
