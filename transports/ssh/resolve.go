package ssh

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"oust/transports"
)

// peer is one machine to log in to: a target, or a bastion on the way to it.
type peer struct {
	// host is the inventory's name of the target, for errors.
	host string
	// bastion is the name of the bastion, empty for the target itself.
	bastion    string
	address    string
	port       int
	user       string
	cred       transports.Credential
	identities []string // paths of keys that only ssh_config names
	trust      *knownHosts
	via        []peer // bastions in the order in which they are passed
}

var errNoUser = errors.New("has no user")

// endpoint is address:port, the way known_hosts lookups want it.
func (p *peer) endpoint() string { return net.JoinHostPort(p.address, strconv.Itoa(p.port)) }

// op names a step; for a bastion it says which.
func (p *peer) op(step string) string {
	if p.bastion != "" {
		return "bastion " + p.bastion + ": " + step
	}
	return step
}

func (p *peer) credName() string {
	if p.cred.Name == "" {
		return "the credential"
	}
	return "credential " + p.cred.Name
}

// resolver turns targets into peers. The ssh_config files are read once, and
// what they say is kept for each name.
type resolver struct {
	cfg    Config
	file   *configFile // nil: none
	trusts *trustStore
	notes  *notes

	mu    sync.Mutex
	cache map[[2]string]cachedSettings
}

type cachedSettings struct {
	set hostSettings
	err error
}

func newResolver(cfg Config, notes *notes) (*resolver, error) {
	r := &resolver{cfg: cfg, notes: notes, trusts: &trustStore{cfg: cfg, notes: notes}, cache: make(map[[2]string]cachedSettings)}
	if cfg.ConfigFile == ConfigNone {
		return r, nil
	}
	path, implied := cfg.path(cfg.ConfigFile), false
	if path == "" {
		if cfg.Home == "" {
			return r, nil
		}
		path, implied = filepath.Join(cfg.Home, ".ssh", "config"), true
	}
	file, err := (&configLoader{cfg: cfg}).load(path, 0)
	if implied && errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ssh: read ssh_config: %w; mend it, or set ssh.config: none", err)
	}
	r.file = file
	return r, nil
}

// target resolves a target with the bastions before it.
func (r *resolver) target(t transports.Target) (*peer, error) {
	set, err := r.settings(t.Host, t.Address)
	if err != nil {
		return nil, err
	}
	p := &peer{host: t.Host, address: t.Address, port: t.Port, cred: t.Credential, user: t.Credential.User}
	if p.address == "" || (p.address == t.Host && set.hostName != "") {
		if p.address, err = r.hostName(set, t.Host); err != nil {
			return nil, err
		}
	}
	if err := r.complete(p, set); err != nil {
		return nil, err
	}
	p.via, err = r.chain(p, set, []string{p.endpoint()})
	return p, err
}

// complete fills what the target leaves open from ssh_config and defaults.
func (r *resolver) complete(p *peer, set hostSettings) error {
	if err := validAddress(p.address); err != nil {
		return err
	}
	if p.port == 0 {
		p.port = set.port
	}
	if p.port == 0 {
		p.port = 22
	}
	if p.port < 1 || p.port > 65535 {
		return fmt.Errorf("port %d is not from 1 to 65535", p.port)
	}
	if p.user == "" {
		p.user = set.user
	}
	if p.user == "" {
		return fmt.Errorf("%s %w, and ssh_config names none for this host", p.credName(), errNoUser)
	}
	if p.cred.KeyFile == "" && len(set.identities) > 0 {
		if err := r.identities(p, set); err != nil {
			return err
		}
	}
	files := r.cfg.KnownHosts
	if len(files) == 0 {
		files = set.knownHosts
	}
	var err error
	p.trust, err = r.trusts.open(files)
	return err
}

// identities takes the keys that ssh_config names.
func (r *resolver) identities(p *peer, set hostSettings) error {
	for _, file := range set.identities {
		path, err := r.expand(file, p)
		if err != nil {
			return fmt.Errorf("IdentityFile %q: %w", file, err)
		}
		p.identities = append(p.identities, path)
	}
	if set.certificate == "" || p.cred.CertificateFile != "" {
		return nil
	}
	path, err := r.expand(set.certificate, p)
	if err != nil {
		return fmt.Errorf("CertificateFile %q: %w", set.certificate, err)
	}
	p.cred.KeyFile, p.cred.CertificateFile = p.identities[0], path
	p.identities = p.identities[1:]
	return nil
}

// hostName is ssh_config's HostName, in which %h is the name asked for.
func (r *resolver) hostName(set hostSettings, name string) (string, error) {
	if set.hostName == "" {
		return name, nil
	}
	return expandTokens(set.hostName, map[byte]string{'h': name})
}

// expand resolves ~ and the tokens of ssh_config(5) that file names take.
func (r *resolver) expand(value string, p *peer) (string, error) {
	local := ""
	if strings.Contains(value, "%u") {
		if u, err := user.Current(); err == nil {
			local = u.Username
		}
	}
	text, err := expandTokens(value, map[byte]string{
		'h': p.address, 'r': p.user, 'u': local, 'd': r.cfg.Home, 'n': p.host, 'p': strconv.Itoa(p.port),
	})
	return r.cfg.path(text), err
}

func expandTokens(value string, tokens map[byte]string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] != '%' {
			b.WriteByte(value[i])
			continue
		}
		i++
		switch {
		case i < len(value) && value[i] == '%':
			b.WriteByte('%')
		case i < len(value) && tokens[value[i]] != "":
			b.WriteString(tokens[value[i]])
		default:
			return "", errors.New("it has a % token that is not known here")
		}
	}
	return b.String(), nil
}

// settings reads what ssh_config says, and warns of what is not honoured.
func (r *resolver) settings(name, address string) (hostSettings, error) {
	if r.file == nil {
		return hostSettings{}, nil
	}
	key := [2]string{name, address}
	r.mu.Lock()
	got, ok := r.cache[key]
	r.mu.Unlock()
	if ok {
		return got.set, got.err
	}
	got.set, got.err = r.file.settings(name, address)
	if got.err == nil {
		got.err = r.judge(&got.set)
	}
	r.mu.Lock()
	r.cache[key] = got
	r.mu.Unlock()
	return got.set, got.err
}

// judge warns of each option that is not honoured, once, and refuses those
// without which the connection would go elsewhere.
func (r *resolver) judge(set *hostSettings) error {
	var first error
	for _, o := range set.strange {
		if o.fatal && first == nil {
			first = fmt.Errorf("%s:%d: %s %s cannot be honoured, and without it the connection would go elsewhere or trust another key",
				o.file, o.line, o.option, o.value)
			continue
		}
		r.notes.once(fmt.Sprintf("%s:%d", o.file, o.line), "an option of the ssh_config file is not honoured",
			keyFile, o.file, keyLine, o.line, keyOption, o.option, keyValue, o.value)
	}
	set.strange = nil
	return first
}
