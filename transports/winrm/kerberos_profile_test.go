package winrm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fedora has what Fedora's and sssd's files have, and more than is used.
const fedora = `# To opt out of the system crypto-policies, remove the symlink.
includedir %s

[logging]
    default = FILE:/var/log/krb5libs.log

[libdefaults]
    dns_lookup_realm = false
    dns_canonicalize_hostname = fallback
    qualify_shortname = ""
    default_realm = CORP.TEST
    default_realm = ELSE.TEST
    default_ccache_name = KEYRING:persistent:%%{uid}
    CORP.TEST = {
        dns_lookup_kdc = no
    }
[realms]
 CORP.TEST = {
     kdc = dc1.corp.test # the old one
     kdc = "dc2.corp.test:8888"
     admin_server = dc1.corp.test
     auth_to_local = RULE:[1:$1@$0](.*@X)s/@.*//
     v4_name_convert = {
         host = { rcmd = host }
         kdc = not.this.one
     }
 }
 corp.lower = {
     kdc = dc3
 }*
[domain_realm]
 .corp.test = CORP.TEST
 Odd.corp.test = ODD.TEST
[appdefaults]
 pam = {
     kdc = nor.this.one
 }
`

// TestProfile: of the settings of others, what is used is found.
func TestProfile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	more := filepath.Join(dir, "more.d")
	if err := os.Mkdir(more, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"krb5.conf":       fmt.Sprintf(fedora, more),
		"more.d/realmd":   "[domain_realm]\n .sub.corp.test = SUB.TEST\n .corp.test = FIRST.TEST\n",
		"more.d/.hidden":  "[domain_realm]\n .corp.test = WRONG\n",
		"more.d/old.bak":  "nonsense\n",
		"more.d/a.b.conf": "[realms]\nCORP.TEST = {\n kdc = dc0\n}\n",
		"loop.conf":       "include " + filepath.Join(dir, "loop.conf") + "\n",
		"missing.conf":    "include /nowhere/krb5.conf\n",
		"nofolder.conf":   "includedir /nowhere\n",
		"nobrace.conf":    "[realms]\n}\n",
		"nosetting.conf":  "[realms]\nkdc\n",
		"inside.conf":     "[realms]\nA = {\n[domain_realm]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := mustConf(t, filepath.Join(dir, "krb5.conf"))
	want := map[string][]string{"CORP.TEST": {"dc0", "dc1.corp.test", "dc2.corp.test:8888"}, "corp.lower": {"dc3"}}
	if diff := cmp.Diff(want, c.kdcs); diff != "" {
		t.Error(diff)
	}
	if c.realm != "CORP.TEST" || c.noLookup {
		t.Errorf("realm %q, no lookup %t", c.realm, c.noLookup)
	}
	for host, want := range map[string]string{
		"a.corp.test": "FIRST.TEST", "odd.CORP.test": "ODD.TEST", "x.odd.corp.test": "FIRST.TEST", "a.b.sub.corp.test": "SUB.TEST",
		"corp.test": "", "win1": "", "": "", ".": "", "..": "",
	} {
		if got := c.realmOf(host); got != want {
			t.Errorf("%s is in %q, want %q", host, got, want)
		}
	}
	for realm, want := range map[string]string{"corp.test": "CORP.TEST", "corp.lower": "corp.lower", "Corp.Lower": "CORP.LOWER", "": ""} {
		if got := c.spelled(realm); got != want {
			t.Errorf("%s is spelled %q, want %q", realm, got, want)
		}
	}
	mustConf(t, filepath.Join(dir, "nofolder.conf"))
	for name, words := range map[string]string{
		"loop.conf": "too many files", "missing.conf": "/nowhere/krb5.conf", "nobrace.conf": "line 2: a brace closes", "nosetting.conf": "line 2: neither",
		"inside.conf": "line 3: a section begins within", "absent.conf": "no such file",
	} {
		if _, err := readKerberosConf(filepath.Join(dir, name)); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
