package winrm

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"

	"oust/transports"
)

// defaultKrb5Conf is where MIT and Heimdal read their settings.
const defaultKrb5Conf = "/etc/krb5.conf"

// aesTypes are the encryption types that are asked for, in order. RC4 and DES
// are not: every Windows since Server 2008 has AES, and the seals of RC4 have
// another form (RFC 4757).
var aesTypes = []int32{
	etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA1_96,
	etypeID.AES256_CTS_HMAC_SHA384_192, etypeID.AES128_CTS_HMAC_SHA256_128,
}

// kerberosConf is what is used of a krb5.conf.
type kerberosConf struct {
	*config.Config
	// dns allows that KDCs are looked up (SRV records) where the file has none.
	dns bool
}

var noLookup = regexp.MustCompile(`(?mi)^\s*dns_lookup_kdc\s*=\s*(false|no|off|n|0|f)\b`)

// readKerberosConf reads a krb5.conf. One at the usual place may be missing;
// then names of realms are taken as DNS domains, as those of Active Directory
// are. Included files are not read.
func readKerberosConf(path string) (*kerberosConf, error) {
	named := path != "" && path != defaultKrb5Conf
	if path == "" {
		path = defaultKrb5Conf
	}
	text, err := readBounded(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		text, err = nil, nil
	}
	if err != nil {
		return nil, confError(err)
	}
	c := &kerberosConf{Config: config.New(), dns: !noLookup.Match(text)}
	err = guarded(func() (err error) {
		read, err := config.NewFromString(string(text))
		var old config.UnsupportedDirective // of Kerberos 4, and without effect
		if err != nil && !errors.As(err, &old) {
			return err
		}
		c.Config = read
		return nil
	})
	if err != nil {
		return nil, confError(fmt.Errorf("%s: %w", path, err))
	}
	d := &c.LibDefaults
	for _, list := range []*[]int32{&d.DefaultTktEnctypeIDs, &d.DefaultTGSEnctypeIDs} {
		allowed := slices.DeleteFunc(slices.Clone(aesTypes), func(id int32) bool {
			strong := id == etypeID.AES256_CTS_HMAC_SHA384_192 || id == etypeID.AES128_CTS_HMAC_SHA256_128
			return !strong && !slices.Contains(*list, id)
		})
		*list = allowed
	}
	d.Canonicalize, d.NoAddresses = false, true
	return c, nil
}

// forServices asks KDCs to refer to the realm that a host is in (RFC 6806).
func (c *kerberosConf) forServices() *config.Config {
	changed := *c.Config
	changed.LibDefaults.Canonicalize = true
	return &changed
}

// kdcsOf are the addresses that the file has for a realm, in its order.
func (c *kerberosConf) kdcsOf(realm string) []string {
	for _, r := range c.Realms {
		if r.Realm == realm {
			return slices.Clone(r.KDC)
		}
	}
	return nil
}

// spelled is a realm as it is to be sent: as the file has it, or else in
// capitals, as those of Active Directory are.
func (c *kerberosConf) spelled(realm string) string {
	for _, r := range c.Realms {
		if r.Realm == realm {
			return realm
		}
	}
	return strings.ToUpper(realm)
}

func isAES(id int32) bool { return slices.Contains(aesTypes, id) }

func confError(err error) error {
	return &kerberosError{
		class: transports.Unsupported, lasting: true,
		err: fmt.Errorf("the Kerberos settings: %s", clean(err.Error())), advice: "see winrm.krb5_conf",
	}
}

// guarded turns a panic of the Kerberos library, on what others wrote, into an
// error. The library reads lengths without looking whether there is as much.
func guarded(f func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errMalformed
		}
	}()
	return f()
}

var errMalformed = errors.New("malformed")
