package schedule

import (
	"fmt"
	"hash/fnv"
	"time"

	"oust/remediate"
)

// RetryInfo is the built-in rule of a class, with its reason.
type RetryInfo struct {
	Class remediate.Class
	Rule  remediate.RetryRule
	Why   string
}

// retryTable is every class's rule. Docs show it, and a test holds them to it.
var retryTable = []RetryInfo{
	{remediate.ClassUnreachable, remediate.RetryRule{Tries: -1, Watch: true}, "watched, and taken as soon as it answers"},
	{remediate.ClassAuth, remediate.RetryRule{}, "accounts lock: a person corrects the credential"},
	{remediate.ClassUntrusted, remediate.RetryRule{}, "a person finds out why the key has changed"},
	{remediate.ClassBusy, remediate.RetryRule{Tries: 24, Pause: 5 * time.Minute, MaxPause: 4 * time.Hour}, "it ends by itself, as a rule in minutes"},
	{remediate.ClassProtected, remediate.RetryRule{}, "a person gives the password, or switches the protection off"},
	{remediate.ClassPrivilege, remediate.RetryRule{}, "a person gives the rights"},
	{remediate.ClassTimeout, remediate.RetryRule{Tries: 4, Pause: 30 * time.Minute, MaxPause: 24 * time.Hour, Watch: true}, "slow today, perhaps not tomorrow"},
	{remediate.ClassLostContact, remediate.RetryRule{Tries: -1, Watch: true}, "watched; what happened meanwhile is seen at the next look"},
	{remediate.ClassUninstaller, remediate.RetryRule{Tries: 3, Pause: time.Hour, MaxPause: 24 * time.Hour}, "some failures pass, most need a person"},
	{remediate.ClassResidue, remediate.RetryRule{Tries: 2, Pause: time.Hour, MaxPause: 24 * time.Hour}, "what was in use may be free later"},
	{remediate.ClassStillPresent, remediate.RetryRule{Tries: 3, Pause: time.Hour, MaxPause: 24 * time.Hour}, "some products need a second time"},
	{remediate.ClassUnsupported, remediate.RetryRule{}, "a person removes it, or writes a playbook"},
	{remediate.ClassInternal, remediate.RetryRule{Tries: 2, Pause: time.Hour, MaxPause: 24 * time.Hour}, "a fault of oust; a person reports it"},
}

// RetryTable lists the built-in rules in the order of the classes.
func RetryTable() []RetryInfo { return append([]RetryInfo(nil), retryTable...) }

// Rules are the retry rules of a campaign, one for each class.
type Rules map[remediate.Class]remediate.RetryRule

// RetryRules are the built-in rules with the campaign's own in their place.
// Whether a class is watched is not the campaign's to say. Watched classes
// without a pause of their own take that of the watch.
func RetryRules(own map[remediate.Class]remediate.RetryRule, watch remediate.WatchSettings) Rules {
	out := make(Rules, len(retryTable))
	for _, info := range retryTable {
		rule := info.Rule
		if o, ok := own[info.Class]; ok {
			o.Watch = rule.Watch
			rule = o
		}
		if rule.Pause <= 0 {
			rule.Pause = watch.WithDefaults().Every
		}
		rule.MaxPause = max(rule.Pause, rule.MaxPause)
		out[info.Class] = rule
	}
	return out
}

// Due says when a host is tried again after tries failures in a row, the last
// of which ended at failedAt; person is true where nobody but a person can
// help. A failure in the future (the clock was set back) counts as one of now,
// so that no host waits longer than its pause.
//
// The pause is up to a tenth longer than the rule's, by the host's name and
// the number of tries, so that hosts that failed together do not come back
// together.
func (r Rules) Due(class remediate.Class, tries int, failedAt, now time.Time, host string) (at time.Time, person bool) {
	rule, ok := r[class]
	if !ok || rule.Tries >= 0 && tries >= max(1, rule.Tries) || rule.Tries == 0 {
		return time.Time{}, true
	}
	if failedAt.After(now) {
		failedAt = now
	}
	pause := rule.Pause
	for range tries - 1 {
		if pause >= rule.MaxPause {
			break
		}
		pause *= 2
	}
	pause = min(pause, rule.MaxPause)
	return failedAt.Add(pause + jitter(pause/10, host, tries)), false
}

// jitter is a part of most, decided by the name and the number.
func jitter(most time.Duration, name string, n int) time.Duration {
	if most <= 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	_, _ = h.Write([]byte{byte(n), byte(n >> 8)})
	return time.Duration(h.Sum64() % uint64(most))
}

// KnockPause is the time until the n-th knock at a host's port, a quarter
// shorter or longer than the setting, by the host's name and n.
func KnockPause(watch remediate.WatchSettings, host string, n int) time.Duration {
	every := watch.WithDefaults().Every
	return every - every/4 + jitter(every/2, host, n)
}

// RetryRows are the rows of the built-in rules for a document.
func RetryRows() []string {
	out := make([]string, 0, len(retryTable))
	for _, info := range retryTable {
		tries, pauses := "waits for a person", ""
		switch r := info.Rule; {
		case r.Tries < 0:
			tries, pauses = "for ever", "`watch.every`"
		case r.Tries > 0:
			tries, pauses = fmt.Sprintf("%d times", r.Tries), fmt.Sprintf("%s to %s", shortTime(r.Pause), shortTime(r.MaxPause))
		}
		out = append(out, fmt.Sprintf("| `%s` | %s | %s | %s |", info.Class, tries, pauses, info.Why))
	}
	return out
}

// shortTime is 5m, 4h or 1d.
func shortTime(d time.Duration) string {
	switch day := 24 * time.Hour; {
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}
