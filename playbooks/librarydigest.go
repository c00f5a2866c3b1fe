package playbooks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Digest is "sha256:HEX" over all that decides what the library finds in facts
// and which script it renders for them, but for this program itself.
func (l *Library) Digest() string {
	h := sha256.New()
	for _, list := range [][]*Playbook{l.list, l.others} {
		for _, p := range list {
			fmt.Fprintf(h, "%q %s\n", p.Name, p.digest)
		}
		fmt.Fprintln(h)
	}
	fmt.Fprintf(h, "%q %t\n", l.known, l.countsEmbedded)
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
