package main

import (
	"fmt"
	"slices"
	"strings"

	"oust/playbooks"
)

// sayOrder tells of playbooks that go after others which the campaign leaves
// out: what those find is not looked for, and stays without them.
func (w *workspace) sayOrder() error {
	for _, o := range w.library.OrderLeftOut() {
		if _, err := fmt.Fprintf(w.a.Err, "oust: note: %s goes after %s, which campaign.yaml leaves out: on hosts that have those, it goes and they stay; "+
			"name them under playbooks, too\n", o.Playbook, strings.Join(o.After, ", ")); err != nil {
			return err
		}
	}
	return nil
}

// orderLine says for 'playbook show' what a playbook must be chosen with, or "".
func orderLine(p *playbooks.Playbook) string {
	if len(p.After) == 0 {
		return ""
	}
	return fmt.Sprintf("# goes after %s: a campaign that chooses it without them leaves them on the host\n", strings.Join(slices.Sorted(slices.Values(p.After)), ", "))
}

// written refuses playbooks that a draft has left open: they may be looked for,
// and change no host.
func (w *workspace) written() error {
	open := w.library.Unwritten()
	if len(open) == 0 {
		return nil
	}
	more := ""
	if n := len(open) - 1; n > 0 {
		more = fmt.Sprintf(", and so is what stands in %s", plural(n, "more place"))
	}
	return fmt.Errorf("%s%s; a draft changes no host: write it ('oust playbook lint' lists what is open), or take the playbook out of campaign.yaml", open[0], more)
}
