package winrm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
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

func isAES(id int32) bool { return slices.Contains(aesTypes, id) }

// kerberosConf is the settings of Kerberos.
type kerberosConf struct {
	profile
	// asking is how the library asks for an account's own ticket, and
	// referring how for one of a host: the KDC may then refer to the realm
	// that the host is in (RFC 6806).
	asking, referring *config.Config
}

// readKerberosConf reads a krb5.conf. One at the usual place may be missing;
// then names of realms are taken as DNS domains, as those of Active Directory
// are.
func readKerberosConf(path string) (*kerberosConf, error) {
	named := path != "" && path != defaultKrb5Conf
	c := newKerberosConf()
	if !named {
		path = defaultKrb5Conf
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return c, nil
		}
	}
	if err := c.read(path, 0); err != nil {
		return nil, &kerberosError{
			class: transports.Unsupported, advice: "see winrm.krb5_conf",
			err: fmt.Errorf("the Kerberos settings: %s: %s", path, transports.Clean(err.Error())),
		}
	}
	return c, nil
}

func newKerberosConf() *kerberosConf {
	c := &kerberosConf{asking: config.New()}
	d := &c.asking.LibDefaults
	d.DefaultTktEnctypeIDs, d.DefaultTGSEnctypeIDs = aesTypes, aesTypes
	referring := *c.asking
	referring.LibDefaults.Canonicalize = true
	c.referring = &referring
	return c
}

// spelled is a realm as it is to be sent: as the file has it, or else in
// capitals, as those of Active Directory are.
func (c *kerberosConf) spelled(realm string) string {
	if _, ok := c.kdcs[realm]; ok {
		return realm
	}
	return strings.ToUpper(realm)
}

// realmOf is the realm that the file has for a host, or "".
func (c *kerberosConf) realmOf(host string) string {
	for name := strings.ToLower(host); name != ""; {
		if realm := c.domains[name]; realm != "" {
			return realm
		}
		at := strings.IndexByte(name[1:], '.')
		if at < 0 {
			break
		}
		name = name[1+at:]
	}
	return ""
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
