package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"oust/remediate"
)

var errClosed = errors.New("the store is closed")

// Memory is a remediate.Store that keeps everything in memory and forgets it
// with the process.
type Memory struct {
	now func() time.Time

	mu       sync.Mutex
	closed   bool
	campaign string
	looks    []remediate.Look
	raws     map[string][]byte
	plans    map[string]string
	runs     []*remediate.Run     // in the order of their recording
	attempts []*remediate.Attempt // in the order of their recording
	byID     map[string]*remediate.Attempt
	runByID  map[string]*remediate.Run
	hosts    map[string]*memoryHost

	approved   map[string]bool // plans
	scripts    map[string]bool
	planned    map[string]remediate.Planned
	holds      []remediate.Hold
	exemptions []remediate.Exemption // in the order of their recording
	reboots    []remediate.Reboot    // in the order of their recording

	trusted     map[trust]bool
	submissions []remediate.Submission // in the order of their recording
	moves       []remediate.Move       // in the order of their recording
	ledger      *memoryLedger
}

// memoryHost is what is known of a host, and the failed attempt that nothing
// has answered yet.
type memoryHost struct {
	state remediate.HostState
	owed  failure
}

// trust is a host's key that was accepted.
type trust struct{ host, address, fingerprint string }

// failure is a failed look or attempt, and how many of its class came in a row
// up to it; the zero value is none.
type failure struct {
	class  remediate.Class
	detail string
	tries  int
	at     time.Time
}

var _ remediate.Store = (*Memory)(nil)

// NewMemory makes an empty store; now may be nil for the real clock.
func NewMemory(now func() time.Time) *Memory {
	if now == nil {
		now = time.Now
	}
	campaign := remediate.NewID(now())
	return &Memory{
		now:      now,
		campaign: campaign,
		ledger:   newMemoryLedger(now, campaign),
		trusted:  map[trust]bool{},
		raws:     map[string][]byte{},
		plans:    map[string]string{},
		byID:     map[string]*remediate.Attempt{},
		runByID:  map[string]*remediate.Run{},
		hosts:    map[string]*memoryHost{},
		approved: map[string]bool{},
		scripts:  map[string]bool{},
		planned:  map[string]remediate.Planned{},
	}
}

// enter checks that the store may be used and locks it; leave with mu.Unlock.
func (m *Memory) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return errClosed
	}
	return nil
}

// CampaignID implements remediate.Store.
func (m *Memory) CampaignID(ctx context.Context) (string, error) {
	if err := m.enter(ctx); err != nil {
		return "", err
	}
	defer m.mu.Unlock()
	return m.campaign, nil
}

// SaveLook implements remediate.Store.
func (m *Memory) SaveLook(ctx context.Context, look remediate.Look) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	look, err := m.checkLook(look)
	if err == nil {
		err = m.holdsRaw(look)
	}
	if err != nil {
		return fmt.Errorf("save look: %w", err)
	}
	m.addLook(look)
	m.moveState(look)
	return nil
}

// Raw implements remediate.Store.
func (m *Memory) Raw(ctx context.Context, digest string) ([]byte, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	raw, ok := m.raws[digest]
	if !ok {
		return nil, fmt.Errorf("raw text %s: %w", digest, remediate.ErrNotFound)
	}
	return slices.Clone(raw), nil
}

// SavePlan implements remediate.Store.
func (m *Memory) SavePlan(ctx context.Context, id, digest string, at time.Time) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if err := errors.Join(checkName("plan", id), checkShort(digest)); err != nil {
		return err
	}
	switch known, ok := m.plans[id]; {
	case ok && known != digest:
		return fmt.Errorf("save plan %s: it is recorded with another digest", id)
	case ok:
		return nil
	}
	m.plans[id] = digest
	m.ledger.append(remediate.PlanRecord(id, digest, m.stamp(at)))
	return nil
}

// PlanDigest implements remediate.Store.
func (m *Memory) PlanDigest(ctx context.Context, id string) (string, error) {
	if err := m.enter(ctx); err != nil {
		return "", err
	}
	defer m.mu.Unlock()
	digest, ok := m.plans[id]
	if !ok {
		return "", fmt.Errorf("plan %s: %w", id, remediate.ErrNotFound)
	}
	return digest, nil
}

// TrustHostKey implements remediate.Store.
func (m *Memory) TrustHostKey(ctx context.Context, host, address, fingerprint string, at time.Time) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if err := errors.Join(checkName("host", host), checkAddress(address), checkShort(fingerprint)); err != nil {
		return err
	}
	m.host(host)
	if key := (trust{host, address, fingerprint}); !m.trusted[key] {
		m.trusted[key] = true
		m.ledger.append(remediate.TrustRecord(host, address, fingerprint, m.stamp(at)))
	}
	return nil
}

// Close implements remediate.Store.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

func checkName(what, name string) error {
	if name == "" || len(name) > remediate.MaxName {
		return fmt.Errorf("a %s needs a name of 1 to %d bytes, this one has %d", what, remediate.MaxName, len(name))
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("the name of a %s is not UTF-8: %q", what, name)
	}
	return nil
}

// stamp rounds a time to what stores keep, and fills a missing one.
func (m *Memory) stamp(t time.Time) time.Time {
	if t.IsZero() {
		t = m.now()
	}
	return t.UTC().Truncate(time.Microsecond)
}
