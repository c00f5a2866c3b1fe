package engine

import (
	"cmp"
	"slices"
	"strings"

	"oust/playbooks"
	"oust/transports"
)

// newMask makes what takes secrets out of text that a host has printed: an
// uninstaller may repeat its password in its output. Each secret is looked
// for as it is and in every form in which a playbook passes it on.
func newMask(lib *playbooks.Library, secrets map[string]transports.Secret) (*strings.Replacer, error) {
	const masked = "[redacted]"
	var values []string
	for _, p := range lib.List() {
		for _, s := range p.Secrets {
			plain := secrets[s.Name].Reveal()
			doubled := strings.ReplaceAll(plain, `"`, `""`) // as Windows Installer is given it
			encoded, err := s.Encode([]byte(plain))
			if err != nil {
				return nil, err
			}
			values = append(values, plain, doubled, string(encoded), strings.ToUpper(string(encoded)),
				strings.Join(strings.Fields(plain), " ")) // as oneLine leaves it
		}
	}
	slices.SortFunc(values, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var pairs []string
	for _, v := range slices.Compact(values) {
		if v != "" {
			pairs = append(pairs, v, masked)
		}
	}
	return strings.NewReplacer(pairs...), nil
}
