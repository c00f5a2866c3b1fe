package ssh

import (
	"fmt"
	"slices"

	"oust/transports"
)

// chain resolves the bastions before p, in the order in which they are
// passed. As with ssh -J, the first bastion may itself stand behind others.
// seen holds the endpoints from the target on.
func (r *resolver) chain(p *peer, set hostSettings, seen []string) ([]peer, error) {
	specs, err := parseJump(set.jump)
	if err != nil || len(specs) == 0 {
		return nil, err
	}
	var hops []peer
	for i, spec := range specs {
		hop, hopSet, err := r.hop(p, spec)
		if err != nil {
			return nil, fmt.Errorf("bastion %s: %w", spec, err)
		}
		end := hop.endpoint()
		if slices.Contains(seen, end) {
			return nil, fmt.Errorf("ProxyJump goes in a circle at %s; write \"Host %s\" with \"ProxyJump none\" before it", end, spec.host)
		}
		if seen = append(seen, end); len(seen) > hopsMost+1 {
			return nil, fmt.Errorf("more than %d bastions on the way", hopsMost)
		}
		if i == 0 {
			before, err := r.chain(hop, hopSet, seen)
			if err != nil {
				return nil, err
			}
			hops = append(hops, before...)
		}
		hops = append(hops, *hop)
	}
	return hops, nil
}

// hop resolves one bastion. It is logged in to with the target's credential,
// except that a user or key that ProxyJump or ssh_config names for it goes
// first; the password is then not shown to it.
func (r *resolver) hop(p *peer, spec hopSpec) (*peer, hostSettings, error) {
	set, err := r.settings(spec.host, "")
	if err != nil {
		return nil, set, err
	}
	hop := &peer{host: p.host, bastion: spec.host, port: spec.port, user: spec.user, cred: p.cred}
	if hop.address, err = r.hostName(set, spec.host); err != nil {
		return nil, set, err
	}
	if hop.user == "" {
		hop.user = set.user
	}
	if hop.user != "" && hop.user != p.user {
		hop.cred.Password = transports.Secret{}
	}
	if hop.user == "" {
		hop.user = p.user
	}
	if len(set.identities) > 0 {
		hop.cred.KeyFile, hop.cred.CertificateFile = "", ""
		hop.cred.Password = transports.Secret{}
	}
	return hop, set, r.complete(hop, set)
}

// key names a shared connection: two hosts share a bastion if all on the way
// to it, and the login, are the same.
func chainKey(hops []peer) string {
	var key string
	for i := range hops {
		h := &hops[i]
		key += fmt.Sprintf("%s@%s\x00%s\x00%s\x00%s\x00%v\x00%q\x00%p\n",
			h.user, h.endpoint(), h.cred.Name, h.cred.KeyFile, h.cred.CertificateFile, h.cred.Agent, h.identities, h.trust)
	}
	return key
}
