package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"oust/remediate"
)

var errJournal = errors.New("the store is damaged: a journal cannot be read")

// setPlaybooks gives the playbooks the form in which they are kept: sorted,
// each once.
func (r *attemptRecord) setPlaybooks(names []string) error {
	r.Playbooks = slices.Compact(slices.Sorted(slices.Values(names)))
	if len(names) == 0 {
		return nil
	}
	for _, name := range r.Playbooks {
		if err := checkName("playbook", name); err != nil {
			return err
		}
	}
	text, err := json.Marshal(r.Playbooks)
	if err != nil {
		return fmt.Errorf("write playbooks: %w", err)
	}
	if len(text) > remediate.MaxFindings {
		return fmt.Errorf("the names of its playbooks have %d bytes, more than %d", len(text), remediate.MaxFindings)
	}
	r.playbooks = string(text)
	return nil
}

func parsePlaybooks(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, fmt.Errorf("playbooks of an attempt: %w", err)
	}
	return names, nil
}

// entry is what the journal gets when the attempt enters the record's phase,
// empty if it is there already.
func (k *knownAttempt) entry(r *attemptRecord) string {
	if k.phase == r.Phase {
		return ""
	}
	return journalLine(r)
}

// journalLine notes that the attempt is in its phase.
func journalLine(r *attemptRecord) string { return fmt.Sprintf("%s %d\n", r.Phase, r.updated) }

// parseJournal is the inverse of journalLine, for all lines.
func parseJournal(text string) ([]remediate.JournalEntry, error) {
	var out []remediate.JournalEntry
	for line := range strings.Lines(text) {
		phase, at, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		us, err := strconv.ParseInt(at, 10, 64)
		if !ok || err != nil || !slices.Contains(phases, remediate.Phase(phase)) {
			return nil, errJournal
		}
		out = append(out, remediate.JournalEntry{Phase: remediate.Phase(phase), At: fromMicros(us)})
	}
	return out, nil
}
