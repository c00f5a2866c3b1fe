// Package engine carries out scan, plan, apply, verify and serve over many hosts at
// once. It is the only place that joins playbooks and transports.
//
// A host's way through a run is a chain of short steps. A step that has to
// wait (for a job on the host, for a network that is down) returns, and is
// taken up again later: a waiting host holds no connection and no goroutine.
package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/schedule"
	"oust/transports"
)

// Log keys.
const (
	logHost    = "host"
	logRun     = "run"
	logAttempt = "attempt"
	logClass   = "class"
	logDetail  = "detail"
	logError   = "error"
)

// ErrNoSecret: the campaign names no such secret.
var ErrNoSecret = errors.New("campaign.yaml names no such secret; add it under secrets")

// Config is what an Engine works with. Store, Dialer, Target and Library are
// required; the rest has defaults.
type Config struct {
	Store remediate.Store
	// Dialer reaches every host; decorators are the caller's.
	Dialer transports.Dialer
	// Target says how to reach a host and with which credential. An error is
	// that host's failure of class internal, or the class it carries.
	Target  func(remediate.Host) (transports.Target, error)
	Library *playbooks.Library
	// Secret resolves a secret that a playbook asks for, by name; the error
	// wraps ErrNoSecret where the campaign has none of that name.
	Secret func(name string) (transports.Secret, error)
	// Hidden are secrets beside those of playbooks, such as passwords of logins:
	// what a host prints is not kept with them in it.
	Hidden   []transports.Secret
	Campaign remediate.Campaign
	// By is who runs this, USER@HOST, for the records.
	By string
	// Controller names this controller in the host's lock; default "oust".
	Controller string
	// Sink is told what happens, in order; default: nobody.
	Sink Sink
	// Logger gets the raw detail; default: none.
	Logger hclog.Logger
	// Now is the clock for records; default time.Now.
	Now func() time.Time
	// Monotonic is the clock by which a wait ends that this process began: nobody
	// sets it. Only the time between two readings means something. Default
	// time.Now, two readings of which differ by the monotonic clock.
	Monotonic func() time.Time
	// Drafts spares an Outlook the drafts of hosts whose facts are as they were;
	// default: nothing is kept.
	Drafts Drafts
	// Connections bounds the hosts that hold a connection at one moment,
	// which may be fewer than those in flight; default 512.
	Connections int
}

// WithDefaults fills what was left open.
func (c Config) WithDefaults() Config {
	if c.Controller == "" {
		c.Controller = "oust"
	}
	if c.Sink == nil {
		c.Sink = SinkFunc(func(Event) {})
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Monotonic == nil {
		c.Monotonic = time.Now
	}
	if c.Drafts == nil {
		c.Drafts = noDrafts{}
	}
	if c.Connections <= 0 {
		c.Connections = 512
	}
	if c.Secret == nil {
		c.Secret = func(string) (transports.Secret, error) { return transports.Secret{}, ErrNoSecret }
	}
	c.Campaign.Limits = defaultLimits(c.Campaign.Limits)
	c.Campaign.Timing = c.Campaign.Timing.WithDefaults()
	c.Campaign.Reboot = c.Campaign.Reboot.WithDefaults()
	c.Campaign.Watch = c.Campaign.Watch.WithDefaults()
	if c.Campaign.Reverify == nil {
		c.Campaign.Reverify = schedule.Reverify()
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Store == nil:
		return errors.New("engine: no store")
	case c.Dialer == nil:
		return errors.New("engine: no dialer")
	case c.Target == nil:
		return errors.New("engine: no target function")
	case c.Library == nil:
		return errors.New("engine: no playbooks")
	}
	return nil
}

func defaultLimits(l remediate.Concurrency) remediate.Concurrency {
	if l.Hosts <= 0 {
		l.Hosts = 500
	}
	if l.PerSite <= 0 {
		l.PerSite = 200
	}
	return l
}

// Engine carries out runs. It is safe for one run at a time.
type Engine struct {
	Config
	questions map[remediate.Platform]remediate.Questions
	probes    map[remediate.Platform]string // digests of the scripts that ask them

	masking sync.Once
	looks   *mask // made under masking
}

// New makes an Engine.
func New(cfg Config) (*Engine, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	cfg.Sink = &serialSink{to: cfg.Sink}
	asked := questions(cfg.Library)
	digests, err := probes(asked, cfg.Campaign.Look.PowerShell)
	if err != nil {
		return nil, err
	}
	return &Engine{Config: cfg, questions: asked, probes: digests}, nil
}

// questions asks each host for what its platform's playbooks ask; one
// whose platform is not known before the look is a Unix of some kind, and is
// asked for all of theirs.
func questions(lib *playbooks.Library) map[remediate.Platform]remediate.Questions {
	linux, mac := lib.Questions(remediate.Linux), lib.Questions(remediate.MacOS)
	paths, services := slices.Concat(linux.Paths, mac.Paths), slices.Concat(linux.Services, mac.Services)
	slices.Sort(paths)
	slices.Sort(services)
	return map[remediate.Platform]remediate.Questions{
		remediate.Linux:           linux,
		remediate.MacOS:           mac,
		remediate.Windows:         lib.Questions(remediate.Windows),
		remediate.PlatformUnknown: {Paths: slices.Compact(paths), Services: slices.Compact(services)},
	}
}

// stopped reports whether the channel is closed.
func stopped(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// record runs a write to the store with a context that outlives a person's
// second Ctrl-C: what was done on a host is written down.
func (e *Engine) record(ctx context.Context, write func(context.Context) error) error {
	const patience = time.Minute
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := write(ctx); err != nil {
		return fmt.Errorf("write to the store: %w", err)
	}
	return nil
}
