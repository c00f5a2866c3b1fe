package probe_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"oust/remediate"
	"oust/remediate/probe"
)

// TestPathOfEachUser: what cmd says of the users together decides, and a host that
// names no user has not answered.
func TestPathOfEachUser(t *testing.T) {
	t.Parallel()
	const path = `%SystemDrive%\Users\*\AppData\Local\Acme`
	asked := regexp.MustCompile(`asked (\d+)\r\n@[0-9a-f]+ section disk`)
	for name, c := range map[string]struct {
		said string
		want remediate.PathFact
	}{
		"nobody has it":       {"is \"C:\\Users\\a\\AppData\\Local\\Acme\"\r\nis \"C:\\Users\\b\\AppData\\Local\\Acme\"\r\nFile not found.\r\n\r\n", remediate.PathFact{Kind: remediate.PathAbsent}},
		"the second has it":   {"is \"C:\\Users\\a\\AppData\\Local\\Acme\"\r\nis \"C:\\Users\\b\\AppData\\Local\\Acme\"\r\nis d \"C:\\Users\\b\\AppData\\Local\\Acme\"\r\nis - \"C:\\Users\\b\\AppData\\Local\\Acme\"\r\n", remediate.PathFact{Kind: remediate.PathDir, Full: `C:\Users\b\AppData\Local\Acme`}},
		"it is a file":        {"is \"C:\\Users\\a\\AppData\\Local\\Acme\"\r\nis - \"C:\\Users\\a\\AppData\\Local\\Acme\"\r\n", remediate.PathFact{Kind: remediate.PathFile, Full: `C:\Users\a\AppData\Local\Acme`}},
		"one may not be seen": {"is \"C:\\Users\\a\\AppData\\Local\\Acme\"\r\nAccess is denied.\r\n", remediate.PathFact{Kind: remediate.PathDenied}},
		"no user is named":    {"", remediate.PathFact{Kind: remediate.PathDenied}},
		"another was read":    {"is d \"C:\\Users\\a\\AppData\\Local\\Other\"\r\n", remediate.PathFact{Kind: remediate.PathDenied}},
	} {
		whole := wineLook(t)
		m := asked.FindSubmatchIndex(whole)
		if m == nil {
			t.Fatal("the look has no paths")
		}
		n, err := strconv.Atoi(string(whole[m[2]:m[3]]))
		if err != nil {
			t.Fatal(err)
		}
		text := bytes.Join([][]byte{whole[:m[0]], fmt.Appendf(nil, "path %x\r\n%sasked %d", path, c.said, n+1), whole[m[3]:]}, nil)
		f, _, err := probe.Parse(text, nonce)
		if err != nil {
			t.Fatal(name, err)
		}
		got, _ := f.Path(path)
		if got.Kind != c.want.Kind || got.Full != c.want.Full {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		if denied := got.Kind == remediate.PathDenied; denied != (len(f.Incomplete) > 0) {
			t.Errorf("%s: incomplete %q", name, f.Incomplete)
		}
	}
}
