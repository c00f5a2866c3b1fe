package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/campaign"
	"oust/remediate/engine"
	"oust/remediate/inventory"
	"oust/remediate/ledger"
	"oust/remediate/sqlite"
	"oust/transports"
	"oust/transports/creds"
	"oust/transports/ssh"
	"oust/transports/winrm"
)

// storeName is the store's file in the campaign folder.
const storeName = "oust.db"

// workspace is a campaign folder with what it names: the one place where
// adapters are chosen and stacked.
type workspace struct {
	a        *app
	campaign remediate.Campaign
	library  *playbooks.Library
	hosts    []remediate.Host
	store    *sqlite.Store
	key      *ledger.Signer        // of the ledger, once a writer has asked for it
	rotate   *remediate.KeyChanged // that key takes the place of the one in force
}

// openCampaign reads the campaign, its playbooks and its inventory.
func (a *app) openCampaign() (*workspace, error) {
	w, err := a.readCampaign()
	if err != nil {
		return nil, err
	}
	return w, w.readInventory()
}

// openMandate is openCampaign for what needs to know what must go: a campaign
// without playbooks is refused.
func (a *app) openMandate() (*workspace, error) {
	w, err := a.openCampaign()
	if err == nil && len(w.campaign.Playbooks) == 0 {
		return nil, fmt.Errorf("%s: missing; this command has to know what must go: name vendors or playbooks, such as [kaspersky]. "+
			"Without any, 'oust scan' takes stock and 'oust software' lists what is installed", campaign.Place(a.dir, "playbooks"))
	}
	return w, err
}

// readCampaign reads the campaign and its playbooks.
func (a *app) readCampaign() (*workspace, error) {
	c, err := campaign.Load(a.dir)
	if err != nil {
		return nil, err
	}
	if c, err = readMandate(c); err != nil {
		return nil, err
	}
	embedded, err := playbooks.Embedded()
	if err != nil {
		return nil, err
	}
	w := &workspace{a: a, campaign: c}
	if len(c.Playbooks) == 0 { // an inventory of software
		w.library = playbooks.None()
		return w, nil
	}
	if w.library, err = embedded.Select(c.Dir, c.Playbooks); err != nil {
		return nil, fmt.Errorf("%s: %w", campaign.Place(a.dir, "playbooks"), err)
	}
	w.library = w.library.CountEmbedded(c.Terms.Embedded)
	return w, nil
}

func (w *workspace) readInventory() error {
	a, c := w.a, w.campaign
	inv, err := inventory.Load(c.Inventory, inventory.Options{
		Dir: c.Dir, Stdin: a.In, Defaults: c.Defaults, Credentials: slices.Sorted(maps.Keys(c.Creds)),
	})
	if err != nil {
		return err
	}
	for _, warning := range inv.Warnings {
		fmt.Fprintln(a.Err, "oust: note:", printable(warning))
	}
	w.hosts = inv.Hosts
	return nil
}

// openStore opens the store for writing; the app closes it.
func (w *workspace) openStore(ctx context.Context) error {
	signer, err := w.signer(ctx)
	if err != nil {
		return err
	}
	w.store, err = sqlite.Open(ctx, filepath.Join(w.campaign.Dir, storeName), sqlite.Options{
		Logger: w.a.logger.Named("store"), Now: w.a.now, Signer: signer, Rotate: w.rotate, By: here(),
	})
	if err != nil {
		return w.otherKey(err)
	}
	w.a.closers = append(w.a.closers, w.store)
	return nil
}

// openStoreToRead opens the store beside a process that may be writing it.
func (w *workspace) openStoreToRead(ctx context.Context) (err error) {
	path := filepath.Join(w.campaign.Dir, storeName)
	w.store, err = sqlite.OpenReadOnly(ctx, path, sqlite.Options{Logger: w.a.logger.Named("store"), Now: w.a.now})
	if err != nil {
		return err
	}
	w.a.closers = append(w.a.closers, w.store)
	return nil
}

// engine makes the engine of a run.
func (w *workspace) engine(sink engine.Sink) (*engine.Engine, error) {
	dialer, err := w.dialer()
	if err != nil {
		return nil, err
	}
	logins, err := w.logins()
	if err != nil {
		return nil, err
	}
	secrets := creds.Resolver{Dir: w.campaign.Dir}
	return engine.New(engine.Config{
		Store: w.store, Dialer: dialer, Target: targets(logins), Hidden: w.hidden(logins), Library: w.library, Campaign: w.campaign,
		Controller: controllerName(), By: operator(), Sink: sink, Logger: w.a.logger.Named("engine"), Now: w.a.now,
		Secret: func(name string) (transports.Secret, error) {
			ref, ok := w.campaign.Secrets[name]
			if !ok {
				return transports.Secret{}, engine.ErrNoSecret
			}
			secret, err := secrets.Resolve(ref)
			if err != nil {
				return secret, fmt.Errorf("%s: %w", campaign.Place(w.campaign.Dir, "secrets."+name), err)
			}
			return secret, nil
		},
	})
}

// controllerName is told to whoever finds a host taken.
func controllerName() string {
	name, err := os.Hostname()
	if err != nil {
		return "oust"
	}
	return name
}

// operator is who runs this, USER@HOST, for the records.
func operator() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return name + "@" + controllerName()
}

// dialer stacks the transports and their decorators.
func (w *workspace) dialer() (transports.Dialer, error) {
	guard := transports.NewGuard(transports.LockOutConfig{OnStop: func(_, _, why string) {
		w.a.logger.Error("a credential is stopped", "why", why)
		fmt.Fprintln(w.a.Err, "oust: note:", printable(why))
	}})
	over, err := w.adapters(guard)
	if err != nil {
		return nil, err
	}
	retry, err := transports.Retry(transports.RetryConfig{})
	if err != nil {
		return nil, err
	}
	limit := transports.Limit(connectionLimit(openFiles()), 0)
	rate := transports.KnockRate(w.campaign.Watch.WithDefaults().PerSite)
	return retry(guard.Dialer(rate(limit(over)))), nil
}

// adapters are the transports that the hosts need.
func (w *workspace) adapters(guard *transports.Guard) (byTransport, error) {
	if w.a.reach != nil {
		return byTransport{w.a.reach, w.a.reach}, nil
	}
	unix, err := w.sshDialer(guard)
	if err != nil {
		return byTransport{}, err
	}
	over := byTransport{ssh: unix}
	if slices.ContainsFunc(w.hosts, func(h remediate.Host) bool { return h.Transport == remediate.TransportWinRM }) {
		if over.winrm, err = w.winrmDialer(unix); err != nil {
			return byTransport{}, fmt.Errorf("%s: %w", campaign.Place(w.campaign.Dir, "winrm"), err)
		}
	}
	return over, nil
}

// sshDialer reaches hosts over SSH; guard counts what bastions refuse.
func (w *workspace) sshDialer(guard *transports.Guard) (*ssh.Dialer, error) {
	c := w.campaign
	adapter, err := ssh.NewDialer(ssh.Config{
		KnownHosts: c.SSH.KnownHosts, HostKeys: c.SSH.HostKeys, ConfigFile: c.SSH.Config,
		Connect: w.stage(10 * time.Second), KeyExchange: w.stage(15 * time.Second), Login: w.stage(30 * time.Second),
		Open: w.stage(15 * time.Second), Command: c.Timing.Probe, Now: w.a.now, Logger: w.a.logger.Named("ssh"),
		OnNewKey: w.trusted, Guard: guard,
	})
	if err != nil {
		return nil, err
	}
	w.a.closers = append(w.a.closers, adapter)
	return adapter, nil
}

// winrmDialer reaches Windows hosts, through the bastions that the campaign
// names.
func (w *workspace) winrmDialer(bastions *ssh.Dialer) (transports.Dialer, error) {
	c := w.campaign
	config := winrm.Config{
		Plain: c.WinRM.Plain, Verify: c.WinRM.Verify, CAFile: c.WinRM.CA, Fingerprints: c.WinRM.Fingerprints, Proxy: c.WinRM.Proxy, Krb5Conf: c.WinRM.Krb5Conf,
		Connect: w.stage(10 * time.Second), Handshake: w.stage(15 * time.Second), Login: w.stage(30 * time.Second),
		Command: c.Timing.Probe, Logger: w.a.logger.Named("winrm"),
	}
	if c.WinRM.Jump != "" {
		login, err := resolveCredential(creds.Resolver{Dir: c.Dir}, c.WinRM.JumpCredential, c.Creds[c.WinRM.JumpCredential])
		if err != nil {
			return nil, err
		}
		if config.DialContext, err = bastions.Tunnel(c.WinRM.Jump, login); err != nil {
			return nil, err
		}
	}
	adapter, err := winrm.NewDialer(config)
	if err != nil {
		return nil, err
	}
	w.a.closers = append(w.a.closers, adapter)
	return adapter, nil
}

// stage is the time of one stage of a connection, which timing.connect bounds.
func (w *workspace) stage(most time.Duration) time.Duration {
	return min(most, w.campaign.Timing.Connect)
}

// trusted records a host key that was accepted on first sight.
func (w *workspace) trusted(host, address, fingerprint string) {
	const patience = time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), patience) // outlives a cancelled run: the trust is on disk already
	defer cancel()
	if err := w.store.TrustHostKey(ctx, host, address, fingerprint, w.a.now().UTC()); err != nil {
		w.a.logger.Error("a new host key could not be recorded", "host", host, "fingerprint", fingerprint, "error", err)
	}
}

// winrmTarget marks the address of a host that is reached over WinRM.
const winrmTarget = "winrm:"

// byTransport reaches each host over its own transport.
type byTransport struct{ ssh, winrm transports.Dialer }

// Dial implements transports.Dialer.
func (b byTransport) Dial(ctx context.Context, t transports.Target) (transports.Conn, error) {
	return b.over(&t).Dial(ctx, t)
}

// Knock implements transports.Knocker.
func (b byTransport) Knock(ctx context.Context, t transports.Target) error {
	return transports.Knock(ctx, b.over(&t), t)
}

// over picks the transport, and takes its mark off the address.
func (b byTransport) over(t *transports.Target) transports.Dialer {
	address, over := strings.CutPrefix(t.Address, winrmTarget)
	if !over {
		return b.ssh
	}
	t.Address = address
	return b.winrm
}

var (
	_ transports.Dialer  = byTransport{}
	_ transports.Knocker = byTransport{}
)

// logins resolves each credential once, before any host is touched.
func (w *workspace) logins() (map[string]transports.Credential, error) {
	resolver := creds.Resolver{Dir: w.campaign.Dir}
	ready := map[string]transports.Credential{}
	for name, spec := range w.campaign.Creds {
		c, err := resolveCredential(resolver, name, spec)
		if err != nil {
			return nil, err
		}
		ready[name] = c
	}
	return ready, nil
}

// hidden are the secrets of logins, and what opens the key of the ledger.
func (w *workspace) hidden(logins map[string]transports.Credential) []transports.Secret {
	var out []transports.Secret
	if word, err := w.passphrase(); err == nil { // the store has complained before
		out = append(out, transports.NewSecret(word))
	}
	for _, c := range logins {
		out = append(out, c.Password, c.KeyPassphrase, c.BecomePassword)
	}
	return out
}

// targets says how to reach a host.
func targets(ready map[string]transports.Credential) func(remediate.Host) (transports.Target, error) {
	return func(h remediate.Host) (transports.Target, error) {
		c, ok := ready[h.Credential]
		if !ok {
			return transports.Target{}, &transports.Error{Class: transports.Internal, Host: h.Name, Op: "connect",
				Err: fmt.Errorf("campaign.yaml has no credential %q (host from %s)", h.Credential, h.Origin)}
		}
		if h.User != "" {
			c.User = h.User
		}
		t := transports.Target{Host: h.Name, Address: h.DialAddress(), Port: h.Port, Site: h.Site, Credential: c}
		if h.Transport == remediate.TransportWinRM {
			t.Address = winrmTarget + t.Address
		}
		return t, nil
	}
}

func resolveCredential(r creds.Resolver, name string, spec remediate.CredentialSpec) (transports.Credential, error) {
	c := transports.Credential{
		Name: name, User: spec.User, KeyFile: spec.Key, CertificateFile: spec.Certificate,
		Agent: spec.Agent, Become: spec.Become, Auth: spec.Auth, Realm: spec.Realm, KeytabFile: spec.Keytab, CCacheFile: spec.CCache,
	}
	if spec.Auth == "certificate" {
		c.TLSCertificateFile, c.TLSKeyFile = spec.Certificate, spec.Key
	}
	for _, s := range []struct {
		into *transports.Secret
		ref  string
		what string
	}{
		{&c.Password, spec.Password, "password"},
		{&c.KeyPassphrase, spec.KeyPassphrase, "key_passphrase"},
		{&c.BecomePassword, spec.BecomePassword, "become_password"},
	} {
		secret, err := r.Resolve(s.ref)
		if err != nil {
			return c, fmt.Errorf("%s: %w", campaign.Place(r.Dir, "credentials."+name+"."+s.what), err)
		}
		*s.into = secret
	}
	return c, nil
}

// hostStates are the store's states by host.
type hostStates map[string]remediate.HostState

// of is the state of a host; one that was never seen is unseen.
func (s hostStates) of(name string) remediate.HostState {
	if st, ok := s[name]; ok {
		return st
	}
	return remediate.HostState{Host: name, Standing: remediate.StandUnseen}
}

// allStates reads every state of the store.
func (w *workspace) allStates(ctx context.Context) (hostStates, error) {
	out := hostStates{}
	for st, err := range w.store.HostStates(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read the store: %w", err)
		}
		out[st.Host] = st
	}
	return out, nil
}

// selectHosts are the hosts that a --limit expression means.
func (w *workspace) selectHosts(limit string, states func() (hostStates, error)) ([]remediate.Host, error) {
	sel, err := remediate.ParseSelector(limit)
	if err != nil {
		return nil, fmt.Errorf("--limit: %w", err)
	}
	if err := w.checkNames(sel.Names()); err != nil {
		return nil, err
	}
	known := hostStates{}
	if sel.NeedsState() {
		if states == nil {
			return nil, errors.New("--limit: standing=, class= and os= need what a scan has found; this command does not read it")
		}
		if known, err = states(); err != nil {
			return nil, err
		}
	}
	if limit == "" {
		return slices.Clip(w.hosts), nil
	}
	var out []remediate.Host
	for _, h := range w.hosts {
		st := known.of(h.Name)
		if sel.Match(remediate.SelectorView{Host: h, Standing: st.Standing, Class: st.Class, OS: st.OS}) {
			out = append(out, h)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("--limit %q selects none of the %s", limit, plural(len(w.hosts), "host"))
	}
	return out, nil
}

// checkNames refuses a host's name that the inventory does not have.
func (w *workspace) checkNames(names []string) error {
	for _, n := range names {
		if _, err := w.hostNamed(n); err != nil {
			return fmt.Errorf("--limit: %w", err)
		}
	}
	return nil
}

// hostNamed finds a host of the inventory.
func (w *workspace) hostNamed(name string) (remediate.Host, error) {
	names := make([]string, 0, len(w.hosts))
	for _, h := range w.hosts {
		if h.Name == name {
			return h, nil
		}
		names = append(names, h.Name)
	}
	if near := remediate.Nearest(name, names); near != "" {
		return remediate.Host{}, fmt.Errorf("there is no host %q; did you mean %s?", name, near)
	}
	return remediate.Host{}, fmt.Errorf("there is no host %q in the inventory", name)
}
