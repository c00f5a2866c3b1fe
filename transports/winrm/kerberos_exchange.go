package winrm

import (
	"context"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"oust/transports"
)

// authenticate gets the account's own ticket (RFC 4120 section 3.1). The KDC
// is asked without a proof first, and says then how the key is made.
func (c *kerberosClient) authenticate(ctx context.Context) (ticket, error) {
	req, err := messages.NewASReqForTGT(c.realm, c.conf.asking, c.name)
	if err != nil {
		return ticket{}, err
	}
	reply, err := c.sendAS(ctx, req)
	var key types.EncryptionKey
	if refused, ok := errors.AsType[messages.KRBError](err); ok && refused.ErrorCode == errorcode.KDC_ERR_PREAUTH_REQUIRED {
		var hints types.PADataSequence
		if err := guarded(func() error { return hints.Unmarshal(refused.EData) }); err != nil {
			return ticket{}, malformed("the KDC's question", err)
		}
		if key, err = c.key(hints, 0); err != nil {
			return ticket{}, err
		}
		if req.PAData, err = proof(key, c.kerberos.stamp()); err != nil {
			return ticket{}, err
		}
		reply, err = c.sendAS(ctx, req)
	}
	if err != nil {
		return ticket{}, c.kdcError(err, "")
	}
	var rep messages.ASRep
	if err := guarded(func() error { return rep.Unmarshal(reply) }); err != nil {
		return ticket{}, malformed("the KDC's answer", err)
	}
	if key.KeyType != rep.EncPart.EType {
		if key, err = c.key(rep.PAData, rep.EncPart.EType); err != nil {
			return ticket{}, err
		}
	}
	part, err := openReply(rep.EncPart, key, keyusage.AS_REP_ENCPART)
	if err != nil {
		return ticket{}, c.wrongKey("the KDC's answer does not open with the account's key")
	}
	if !rep.CName.Equal(c.name) || rep.CRealm != c.realm || !part.SName.Equal(req.ReqBody.SName) || !rep.Ticket.SName.Equal(part.SName) {
		return ticket{}, malformed("the KDC's answer is for another account", nil)
	}
	return accepted(rep.Ticket, part, req.ReqBody.Nonce, c.realm)
}

func (c *kerberosClient) sendAS(ctx context.Context, req messages.ASReq) ([]byte, error) {
	message, err := req.Marshal()
	if err != nil {
		return nil, err
	}
	return c.kerberos.kdcs.ask(ctx, c.conf, c.realm, message)
}

// referralsMost bounds how many realms one ticket leads through.
const referralsMost = 8

// askTicket gets a ticket for a service, in whatever realm its host is (RFC
// 4120 section 3.3, RFC 6806 section 8).
func (c *kerberosClient) askTicket(ctx context.Context, own ticket, service types.PrincipalName) (ticket, error) {
	realm, at := c.realm, own
	mapped := c.conf.realmOf(service.NameString[len(service.NameString)-1])
	for range referralsMost {
		want := service
		if mapped != "" && mapped != realm {
			want = types.NewPrincipalName(service.NameType, "krbtgt/"+mapped)
		}
		got, err := c.askKDC(ctx, at, realm, want)
		if err != nil {
			return ticket{}, err
		}
		name := got.ticket.SName
		if len(name.NameString) == 2 && name.NameString[0] == "krbtgt" {
			if name.NameString[1] == realm {
				break
			}
			realm, at = name.NameString[1], got
			if want.Equal(service) {
				mapped = "" // the KDC knows better
			}
			continue
		}
		if !name.Equal(service) {
			return ticket{}, malformed("the KDC's ticket is for another service", nil)
		}
		return got, nil
	}
	return ticket{}, malformed("the KDCs refer to each other in a circle", nil)
}

// askKDC gets one ticket of one realm.
func (c *kerberosClient) askKDC(ctx context.Context, own ticket, realm string, service types.PrincipalName) (ticket, error) {
	req, err := messages.NewTGSReq(c.name, realm, c.conf.referring, own.ticket, own.key, service, false)
	if err != nil {
		return ticket{}, err
	}
	message, err := req.Marshal()
	if err != nil {
		return ticket{}, err
	}
	reply, err := c.kerberos.kdcs.ask(ctx, c.conf, realm, message)
	if err != nil {
		return ticket{}, c.kdcError(err, service.PrincipalNameString())
	}
	var rep messages.TGSRep
	if err := guarded(func() error { return rep.Unmarshal(reply) }); err != nil {
		return ticket{}, malformed("the KDC's answer", err)
	}
	part, err := openReply(rep.EncPart, own.key, keyusage.TGS_REP_ENCPART_SESSION_KEY)
	if err != nil {
		return ticket{}, malformed("the KDC's answer does not open", err)
	}
	if !rep.CName.Equal(c.name) || !rep.Ticket.SName.Equal(part.SName) {
		return ticket{}, malformed("the KDC's answer is for another account or service", nil)
	}
	return accepted(rep.Ticket, part, req.ReqBody.Nonce, realm)
}

// openReply opens what a KDC sealed. The library reads beyond what is short.
func openReply(sealed types.EncryptedData, key types.EncryptionKey, usage uint32) (part messages.EncKDCRepPart, err error) {
	err = guarded(func() error {
		text, err := crypto.DecryptEncPart(sealed, key, usage)
		if err != nil {
			return err
		}
		return part.Unmarshal(text)
	})
	return part, err
}

// accepted checks what all answers have in common.
func accepted(t messages.Ticket, part messages.EncKDCRepPart, nonce int, realm string) (ticket, error) {
	switch {
	case part.Nonce != nonce:
		return ticket{}, malformed("the KDC's answer is to another question", nil)
	case part.SRealm != realm || t.Realm != realm || len(t.SName.NameString) == 0:
		return ticket{}, malformed("the KDC's ticket is of another realm", nil)
	case !isAES(part.Key.KeyType):
		return ticket{}, &kerberosError{class: transports.Unsupported, err: errors.New("the KDC gives no AES key"), advice: adviceAES}
	}
	return ticket{ticket: t, key: part.Key, until: part.EndTime}, nil
}

// proof is the encrypted time that shows a KDC that we have the key.
func proof(key types.EncryptionKey, now time.Time) (types.PADataSequence, error) {
	text, err := asn1.Marshal(types.PAEncTSEnc{PATimestamp: now, PAUSec: now.Nanosecond() / 1000})
	if err != nil {
		return nil, err
	}
	sealed, err := crypto.GetEncryptedData(text, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP, 0)
	if err != nil {
		return nil, err
	}
	value, err := sealed.Marshal()
	return types.PADataSequence{{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: value}}, err
}

// iterationsMost bounds what a KDC can have us compute for a key; RFC 3962 has
// 4,096 by default, RFC 8009 32,768.
const iterationsMost = 1 << 20

// key makes the account's key of a type, or of the first one that the KDC
// offers for 0. hints say how it is made of the password.
func (c *kerberosClient) key(hints types.PADataSequence, kind int32) (types.EncryptionKey, error) {
	offers := keyHints(hints)
	if len(offers) == 0 {
		for _, id := range aesTypes {
			offers = append(offers, types.ETypeInfo2Entry{EType: id})
		}
	}
	for _, o := range offers {
		if !isAES(o.EType) || kind != 0 && o.EType != kind {
			continue
		}
		if c.keytab == nil {
			return c.passwordKey(o)
		}
		var key types.EncryptionKey
		err := guarded(func() (err error) {
			key, _, err = c.keytab.GetEncryptionKey(c.name, c.realm, 0, o.EType)
			return err
		})
		if err == nil {
			return key, nil
		}
	}
	if c.keytab != nil {
		return types.EncryptionKey{}, &kerberosError{
			class: transports.Auth, lasting: true, advice: "see klist -k -e; keytabs are made with ktpass or ktutil",
			err: fmt.Errorf("the keytab has no AES key of %s", c),
		}
	}
	return types.EncryptionKey{}, &kerberosError{
		class: transports.Unsupported, lasting: true, err: errors.New("the KDC takes no AES for this account"), advice: adviceAES,
	}
}

func (c *kerberosClient) passwordKey(o types.ETypeInfo2Entry) (types.EncryptionKey, error) {
	kind, err := crypto.GetEtype(o.EType)
	if err != nil {
		return types.EncryptionKey{}, err
	}
	params, salt := kind.GetDefaultStringToKeyParams(), o.Salt
	if len(o.S2KParams) == 4 {
		if binary.BigEndian.Uint32(o.S2KParams)-1 >= iterationsMost {
			return types.EncryptionKey{}, malformed("the KDC's question", nil)
		}
		params = hex.EncodeToString(o.S2KParams)
	}
	if salt == "" {
		salt = c.name.GetSalt(c.realm)
	}
	value, err := kind.StringToKey(c.password.Reveal(), salt, params)
	if err != nil {
		return types.EncryptionKey{}, errors.New("kerberos: no key can be made of the password")
	}
	return types.EncryptionKey{KeyType: o.EType, KeyValue: value}, nil
}

// keyHints are what a KDC says of an account's keys, in its order.
func keyHints(hints types.PADataSequence) (out []types.ETypeInfo2Entry) {
	for i := range hints {
		if hints[i].PADataType == patype.PA_ETYPE_INFO2 {
			_ = guarded(func() error {
				info, err := hints[i].GetETypeInfo2()
				out = info
				return err
			})
		}
	}
	return out
}
