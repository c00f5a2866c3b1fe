package engine

import (
	"fmt"

	"oust/playbooks"
	"oust/remediate"
)

// Drafts keeps which script removes what kept facts show. That is decided by
// the facts, by DraftBasis, and by the program: whoever keeps drafts for longer
// than a process keeps those of one basis and one build of the program only.
// Nothing but an Outlook goes by them: a plan is always drafted.
type Drafts interface {
	// Script returns the digest of the script for the facts with that digest.
	Script(facts string) (script string, ok bool)
	// Keep takes one in.
	Keep(facts, script string)
}

// DraftBasis is what drafts depend on beside facts and the program, as a text
// that differs when it does.
func DraftBasis(library *playbooks.Library, c remediate.Campaign) string {
	return fmt.Sprintf("%s %d", library.Digest(), c.Timing.WithDefaults().BusyWait)
}

// noDrafts keeps nothing.
type noDrafts struct{}

func (noDrafts) Script(string) (string, bool) { return "", false }
func (noDrafts) Keep(string, string)          {}
