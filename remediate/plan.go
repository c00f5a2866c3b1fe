package remediate

import (
	"slices"
	"time"
)

// PlanFormat is the version of the plan file that this program writes and
// the only one that it applies.
const PlanFormat = 1

// Plan is what apply will do, saved: the hosts, what was found on each, and
// the very script for each.
type Plan struct {
	Format int `json:"format"`
	// ID is unique for ever.
	ID string `json:"id"`
	// Campaign is the campaign's name, CampaignID the random id that its
	// store was given when it was made. A plan of another campaign is
	// refused.
	Campaign   string    `json:"campaign"`
	CampaignID string    `json:"campaign_id"`
	Created    time.Time `json:"created"`
	Expires    time.Time `json:"expires"`
	// Playbooks are those in force when the plan was made, with their
	// digests. A change to any of them makes the plan stale as a whole.
	Playbooks []PlaybookRef `json:"playbooks"`
	// Scripts holds each distinct script once.
	Scripts []Script   `json:"scripts"`
	Hosts   []PlanHost `json:"hosts"`
	// Waves are the sizes of the waves, in hosts; their sum is len(Hosts).
	Waves []int `json:"waves"`
	// Left are hosts of the selection that the plan does not act on, and why.
	Left []PlanLeft `json:"left,omitempty"`
	// Secrets are the names of the secrets that scripts ask for.
	Secrets []string `json:"secrets,omitempty"`
	// Digest is "sha256:HEX" over the plan's JSON with Digest empty.
	Digest string `json:"digest"`
}

// PlaybookRef pins a playbook by what it says.
type PlaybookRef struct {
	Name   string `json:"name"`
	Digest string `json:"digest"` // "sha256:HEX"
}

// Script is a rendered script.
type Script struct {
	Digest string `json:"digest"` // "sha256:HEX" of Text
	Shell  string `json:"shell"`  // ShellSh or ShellCmd
	Text   string `json:"text"`
}

// Shells for Script.Shell.
const (
	ShellSh  = "sh"
	ShellCmd = "cmd" // lines end in CR LF
)

// PlanHost is one host of a plan. Hosts stand in the order of their waves.
type PlanHost struct {
	Name string `json:"name"`
	// Address and Port pin where the host was when it was planned: a host
	// whose inventory entry has moved since is stale.
	Address  string    `json:"address"`
	Port     int       `json:"port,omitempty"`
	Platform Platform  `json:"platform"`
	Findings []Finding `json:"findings"`
	// Facts is the digest of the raw look that the findings come from.
	Facts   string    `json:"facts"`
	FactsAt time.Time `json:"facts_at"`
	Script  string    `json:"script"` // digest of one of Plan.Scripts
	Wave    int       `json:"wave"`   // from 1
	// Stays are what was found there and the script does not touch.
	Stays []PlanStay `json:"stays,omitempty"`
}

// Goes are the findings that the script removes.
func (h PlanHost) Goes() []Finding {
	return slices.DeleteFunc(slices.Clone(h.Findings), func(f Finding) bool {
		return slices.ContainsFunc(h.Stays, func(s PlanStay) bool { return s.Playbook == f.Playbook && s.Kind == f.Kind })
	})
}

// PlanStay is something that was found on a host and that the plan leaves alone.
type PlanStay struct {
	Finding
	// Why is one line.
	Why string `json:"why"`
	// Manual is what a person has to do, one line; may be empty.
	Manual string `json:"manual,omitempty"`
	// NotChosen: it is a product that no playbook of the campaign is for, and
	// its playbook has to do with the order of one that is removed here.
	NotChosen bool `json:"not_chosen,omitempty"`
}

// PlanLeft is a host that a plan leaves alone.
type PlanLeft struct {
	Name string `json:"name"`
	// Reason is one of the Left constants.
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
	// Stays are what was found there; empty where nothing was.
	Stays []PlanStay `json:"stays,omitempty"`
}

// Why a plan leaves a host alone.
const (
	LeftUnseen      = "unseen"      // never looked at, or the look failed
	LeftClean       = "clean"       // nothing found
	LeftUnsupported = "unsupported" // found, and no playbook can remove it here
	LeftExempt      = "exempt"
)

// ScriptText returns the text of the script with that digest.
func (p *Plan) ScriptText(digest string) (string, bool) {
	for _, s := range p.Scripts {
		if s.Digest == digest {
			return s.Text, true
		}
	}
	return "", false
}
