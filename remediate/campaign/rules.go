package campaign

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"oust/remediate"
)

// Limits of what a campaign may set about retries, restarts and later looks.
const (
	maxTries    = 1000
	minPause    = 10 * time.Second
	maxPause    = 90 * 24 * time.Hour
	pauseGrowth = 8 // how often longer than pause max_pause is where it is left out
	minKnock    = 10 * time.Second
	maxKnock    = 7 * 24 * time.Hour
	maxKnocks   = 10_000 // a second
	maxWarning  = 24 * time.Hour
	maxMessage  = 500 // bytes; shutdown.exe takes 512 characters
	maxReboots  = 100
	maxBack     = 7 * 24 * time.Hour
	minReverify = time.Hour
	maxReverify = 365 * 24 * time.Hour
	maxLooks    = 20
	maxCount    = 10_000_000 // of hosts
)

type watch struct {
	Every   word `yaml:"every"`
	PerSite word `yaml:"per_site"`
}

type reboot struct {
	Policy  word `yaml:"policy"`
	Delay   word `yaml:"delay"`
	Message word `yaml:"message"`
	Budget  *int `yaml:"budget"`
	Wait    word `yaml:"wait"`
}

// classNames are the failure classes.
func classNames() []string {
	var out []string
	for _, c := range remediate.Classes() {
		out = append(out, string(c))
	}
	return out
}

// retries reads the rules for classes. A rule says everything that a rule of
// campaign.yaml can say; nil if there is none. remediate.RetryRule.Watch has no
// key and stays false: it is whoever joins these rules with the built-in ones
// that keeps it.
func (f *file) retries(p *problems) map[remediate.Class]remediate.RetryRule {
	var out map[remediate.Class]remediate.RetryRule
	for _, name := range slices.Sorted(maps.Keys(f.Retry)) {
		at := spot{key: "retry." + name}
		if !remediate.Class(name).Known() {
			at.add(p, 0, "%s", unknownClass(name))
			continue
		}
		if out == nil {
			out = map[remediate.Class]remediate.RetryRule{}
		}
		out[remediate.Class(name)] = p.retry(at, f.Retry[name])
	}
	if auth := out[remediate.ClassAuth]; auth.Tries < 0 {
		p.add("retry.auth.tries", "a refused login is not repeated without end; accounts lock")
	}
	return out
}

const ruleForm = "person, or {tries: 3, pause: 1h, max_pause: 1d}"

// retry reads the rule for one class.
func (p *problems) retry(at spot, value any) remediate.RetryRule {
	keys, ok := value.(map[string]any)
	switch {
	case value == "person":
		return remediate.RetryRule{}
	case !ok:
		text := ""
		if s, is := value.(string); is {
			text = meant(s, []string{"person"})
		}
		at.add(p, 0, "want %s%s", ruleForm, text)
		return remediate.RetryRule{}
	}
	known := []string{"tries", "pause", "max_pause"}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if !slices.Contains(known, k) {
			at.below(k).add(p, 0, "unknown key %q; there are %s%s", k, strings.Join(known, ", "), meant(k, known))
		}
	}
	rule := remediate.RetryRule{
		Tries: p.tries(at.below("tries"), keys["tries"]), Pause: p.pause(at.below("pause"), keys["pause"]),
		MaxPause: p.pause(at.below("max_pause"), keys["max_pause"]),
	}
	if _, set := keys["pause"]; !set && rule.Tries != 0 {
		at.below("pause").add(p, 0, "missing; how long to wait after the first failure, such as 5m")
	}
	switch {
	case rule.MaxPause == 0:
		rule.MaxPause = min(pauseGrowth*rule.Pause, maxPause)
	case rule.MaxPause < rule.Pause:
		at.below("max_pause").add(p, 0, "is shorter than pause")
	}
	return rule
}

func (p *problems) tries(at spot, value any) int {
	if value == nil {
		at.add(p, 0, "missing; how many failures in a row are taken before a person is waited for")
		return 0
	}
	n, err := strconv.Atoi(fmt.Sprint(value))
	if err != nil || n < -1 || n > maxTries {
		at.add(p, 0, "%v is not a number from 0 to %d, or -1 for no end", value, maxTries)
		return 0
	}
	return n
}

func (p *problems) pause(at spot, value any) time.Duration {
	if value == nil {
		return 0
	}
	return p.duration(at, word{text: fmt.Sprint(value), line: 1}, minPause, maxPause) // at knows the line by its key
}

// watched reads how hosts are watched that did not answer.
func (f *file) watched(p *problems) remediate.WatchSettings {
	w := remediate.WatchSettings{Every: p.duration(spot{key: "watch.every"}, f.Watch.Every, minKnock, maxKnock)}
	if s := f.Watch.PerSite; s.line > 0 {
		n, err := strconv.ParseFloat(s.text, 64)
		if err != nil || !(n >= 0.01 && n <= maxKnocks) {
			p.add("watch.per_site", "%q is not a number of connections a second from 0.01 to %d", s.text, maxKnocks)
			n = 0
		}
		w.PerSite = n
	}
	return w.WithDefaults()
}

// reboots reads what is said of restarts.
func (f *file) reboots(p *problems) remediate.RebootSettings {
	r, at := f.Reboot, spot{key: "reboot"}
	p.between("reboot.budget", r.Budget, 1, maxReboots)
	return remediate.RebootSettings{
		Policy: remediate.RebootPolicy(p.nameKnown(at.below("policy"), r.Policy,
			string(remediate.RebootNever), string(remediate.RebootInWindow), string(remediate.RebootAlways))),
		Delay:   p.duration(at.below("delay"), r.Delay, time.Second, maxWarning),
		Message: p.line(at.below("message"), r.Message, maxMessage),
		Budget:  or(r.Budget, 0),
		Wait:    p.duration(at.below("wait"), r.Wait, time.Minute, maxBack),
	}.WithDefaults()
}

// checkRebootFits refuses restarts whose warning outlasts every window.
func (f *file) checkRebootFits(p *problems, windows []remediate.Window, r remediate.RebootSettings) {
	var longest time.Duration
	for _, w := range windows {
		longest = max(longest, w.Length)
	}
	if r.Policy != remediate.RebootNever && longest > 0 && r.Delay > longest {
		p.add("reboot.delay", "%s is longer than every window; nothing could restart in one", days(r.Delay))
	}
}

// reverified reads when hosts are looked at again; nil if it is not said.
func (f *file) reverified(p *problems) []time.Duration {
	l, at := f.Reverify, spot{key: "reverify"}
	if l.line == 0 {
		return nil
	}
	out := []time.Duration{}
	if len(l.words) == 1 && l.words[0] == "none" {
		return out
	}
	if len(l.words) > maxLooks {
		at.add(p, 0, "at most %d", maxLooks)
	}
	for _, text := range l.words {
		if text == "none" {
			at.add(p, 0, "none stands alone")
			continue
		}
		out = append(out, p.duration(at, word{text, l.line}, minReverify, maxReverify))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// classStops reads the rules for single classes, in the order of
// remediate.Classes.
func (f *file) classStops(p *problems) []remediate.ClassStop {
	for _, name := range slices.Sorted(maps.Keys(f.Stop.Classes)) {
		if !remediate.Class(name).Known() {
			p.add("stop.classes."+name, "%s", unknownClass(name))
		}
	}
	var out []remediate.ClassStop
	for _, c := range remediate.Classes() {
		w, ok := f.Stop.Classes[string(c)]
		if !ok {
			continue
		}
		rule := remediate.ClassStop{Class: c}
		var err error
		if strings.HasSuffix(w.text, "%") {
			rule.Share, err = parseShare(w.text)
		} else if rule.Hosts, err = strconv.Atoi(w.text); err != nil || rule.Hosts < 0 || rule.Hosts > maxCount {
			err = fmt.Errorf("%q is not a number of hosts, or a share such as 2%%", w.text)
		}
		if err != nil {
			p.add("stop.classes."+string(c), "%v", err)
		}
		out = append(out, rule)
	}
	return out
}

func unknownClass(name string) string {
	return "there is no class of that name; there are " + strings.Join(classNames(), ", ") + meant(name, classNames())
}
