package remediate

import "time"

// Window is a time in which changes may run, in each host's own zone.
type Window struct {
	// Days are those on which it opens; none means every day.
	Days []time.Weekday
	// Start is the wall-clock time of its opening, from midnight. On a day
	// that has no such time (a clock set forward) it opens when the clock has
	// jumped over it; on a day that has it twice, at the first.
	Start time.Duration
	// Length is how long it stays open, at most MaxWindow, by the hours that
	// really pass: over midnight, and whatever is done to the clock meanwhile.
	Length time.Duration
	// Sites and Tags choose hosts: those of any of the sites or with any of the
	// tags. None of both means every host.
	Sites, Tags []string
}

// MaxWindow is the longest that a window may be open.
const MaxWindow = 7 * 24 * time.Hour

// Blackout is days on which nothing may be changed, whatever the windows say.
type Blackout struct {
	// From and To are the first and the last day, in each host's own zone; only
	// the calendar date counts. To is not before From.
	From, To time.Time
	// Sites and Tags choose hosts as those of Window do.
	Sites, Tags []string
	// Why is for people, such as "year-end freeze".
	Why string
}

// RebootPolicy says whether oust may restart a host that waits for it.
type RebootPolicy string

// Reboot policies, the strictest first.
const (
	RebootNever    RebootPolicy = "never"
	RebootInWindow RebootPolicy = "in-window"
	RebootAlways   RebootPolicy = "always" // also outside a window, once a removal has asked for it
)

// Stricter returns the stricter of two policies; an unknown one counts as
// RebootNever.
func (p RebootPolicy) Stricter(q RebootPolicy) RebootPolicy {
	for _, one := range []RebootPolicy{RebootInWindow, RebootAlways} {
		if p == one && (q == RebootInWindow || q == RebootAlways) {
			return one
		}
		if q == one && (p == RebootInWindow || p == RebootAlways) {
			return one
		}
	}
	return RebootNever
}

// RebootSettings are the campaign's choices for restarts.
type RebootSettings struct {
	Policy RebootPolicy // default RebootNever
	// Delay is what people who are logged on are given after the warning;
	// default 10 min. A host on which nobody is logged on restarts at once.
	Delay time.Duration
	// Message is the warning, one line.
	Message string
	// Budget is how often oust may restart one host in the campaign; default 2.
	Budget int
	// Wait is how long a host may take to come back, from the restart itself;
	// default 30 min.
	Wait time.Duration
}

// WithDefaults fills what was left open.
func (r RebootSettings) WithDefaults() RebootSettings {
	if r.Policy == "" {
		r.Policy = RebootNever
	}
	if r.Delay <= 0 {
		r.Delay = 10 * time.Minute
	}
	if r.Message == "" {
		r.Message = "This computer restarts to finish the removal of software. Please save your work."
	}
	if r.Budget <= 0 {
		r.Budget = 2
	}
	if r.Wait <= 0 {
		r.Wait = 30 * time.Minute
	}
	return r
}

// RetryRule says what becomes of a host that failed with a class. The n-th
// failure in a row of that class is followed by a pause of Pause doubled n-1
// times and at most MaxPause, and after Tries failures by a person.
type RetryRule struct {
	// Tries is how many failures in a row oust takes before it waits for a
	// person; 0 waits at once, negative never.
	Tries int
	// Pause and MaxPause bound the pauses; MaxPause 0 means Pause.
	Pause, MaxPause time.Duration
	// Watch asks, before a full try, whether the host answers at all, with a
	// connection that is closed at once.
	Watch bool
}

// WatchSettings bound the cheap connections to hosts that did not answer.
type WatchSettings struct {
	// Every is the time between two knocks at one host, jittered by a quarter;
	// default 10 min.
	Every time.Duration
	// PerSite bounds the knocks at one site, in a second; default 20.
	PerSite float64
}

// WithDefaults fills what was left open.
func (w WatchSettings) WithDefaults() WatchSettings {
	if w.Every <= 0 {
		w.Every = 10 * time.Minute
	}
	if w.PerSite <= 0 {
		w.PerSite = 20
	}
	return w
}

// ClassStop ends removals when too many hosts fail with one class.
type ClassStop struct {
	Class Class
	// Hosts is how many may fail with it; Share is a share of the hosts that
	// were planned, and holds where it is not 0.
	Hosts int
	Share float64
}

// Exemption takes a host out of plans until a day.
type Exemption struct {
	Host     string `json:"host"`
	Reason   string `json:"reason"`
	Approver string `json:"approver"`
	// Ground is the mandate's own name for the reason, empty where it names
	// none; Mitigation is what is done instead.
	Ground     string `json:"ground,omitempty"`
	Mitigation string `json:"mitigation,omitempty"`
	// Until is when it ends: the first moment at which the host is planned
	// again.
	Until time.Time `json:"until"`
	// At and By are when and by whom it was recorded.
	At time.Time `json:"at"`
	By string    `json:"by,omitempty"`
	// Ended is when a person took it back, zero if nobody did.
	Ended time.Time `json:"ended,omitzero"`
}

// InForce reports whether the exemption has not ended yet.
func (e Exemption) InForce(now time.Time) bool {
	return e.Ended.IsZero() && now.Before(e.Until)
}

// Holds reports whether the exemption keeps its host out of plans: it is in
// force, and does not say that the host was retired.
func (e Exemption) Holds(now time.Time) bool { return e.InForce(now) && e.Ground != GroundRetired }

// Retires reports whether the exemption says, and still does, that its host
// was retired.
func (e Exemption) Retires(now time.Time) bool { return e.InForce(now) && e.Ground == GroundRetired }

// Approval is a person's yes to a plan, given by applying it. Its scripts may
// then be run again on its hosts, as retries, without another yes.
type Approval struct {
	Plan    string
	At      time.Time
	By      string
	Scripts []string // digests
	Hosts   []Planned
}

// Planned is a host's place in the newest approved plan that names it.
type Planned struct {
	Host string
	Plan string
	Wave int       // from 1
	At   time.Time // of the approval
}

// Hold keeps new removals from starting, in the whole campaign, until a
// person has looked.
type Hold struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Run    string    `json:"run,omitempty"`
	Plan   string    `json:"plan,omitempty"`
	Wave   int       `json:"wave,omitempty"`
	// Released is when a person had it go on, zero while it holds; By says who.
	Released time.Time `json:"released,omitzero"`
	By       string    `json:"by,omitempty"`
}

// Reboot is one restart of a host by oust. A host has one for each boot id
// that oust ended.
type Reboot struct {
	Host string `json:"host"`
	// BootID is that of the boot which the restart ends.
	BootID  string    `json:"boot_id"`
	Attempt string    `json:"attempt,omitempty"`
	At      time.Time `json:"at"` // when it was asked for
	// Back is when another boot id was seen, zero until then.
	Back time.Time `json:"back,omitzero"`
}
