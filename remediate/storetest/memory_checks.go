package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"oust/remediate"
)

// checkAttempt refuses what no store takes; what it returns has its playbooks
// sorted, each once.
func checkAttempt(a remediate.Attempt) (remediate.Attempt, error) {
	if err := errors.Join(checkName("attempt", a.ID), checkName("host", a.Host), checkShort(a.Run, a.Plan, a.Script), checkAddress(a.Address)); err != nil {
		return a, err
	}
	for _, name := range a.Playbooks {
		if err := checkName("playbook", name); err != nil {
			return a, fmt.Errorf("attempt %s: %w", a.ID, err)
		}
	}
	a.Playbooks = slices.Compact(slices.Sorted(slices.Values(a.Playbooks)))
	text, err := json.Marshal(a.Playbooks)
	if err == nil && len(text) > remediate.MaxFindings {
		err = fmt.Errorf("attempt %s: the names of its playbooks have %d bytes, more than %d", a.ID, len(text), remediate.MaxFindings)
	}
	return a, err
}

// checkAddress bounds HOST:PORT, which may be empty.
func checkAddress(address string) error {
	if len(address) > remediate.MaxAddress || !utf8.ValidString(address) {
		return fmt.Errorf("an address has %d bytes, more than %d, or is not UTF-8", len(address), remediate.MaxAddress)
	}
	return nil
}

// checkShort bounds ids and other short texts that may be empty.
func checkShort(texts ...string) error {
	for _, t := range texts {
		if len(t) > remediate.MaxName {
			return fmt.Errorf("an id has %d bytes, more than %d", len(t), remediate.MaxName)
		}
		if !utf8.ValidString(t) {
			return fmt.Errorf("an id is not UTF-8: %q", t)
		}
	}
	return nil
}

// sameAttempt holds that what identifies an attempt never changes.
func sameAttempt(known *remediate.Attempt, a remediate.Attempt) error {
	if known.Host != a.Host || known.Run != a.Run || known.Plan != a.Plan || known.Script != a.Script ||
		known.Address != a.Address || !slices.Equal(known.Playbooks, a.Playbooks) {
		return fmt.Errorf("attempt %s: host, address, run, plan, script and playbooks of an attempt never change", a.ID)
	}
	return nil
}

func checkClose(a remediate.Attempt, look *remediate.Look) error {
	if a.Phase != remediate.PhaseClosed && a.Phase != remediate.PhaseCleaned {
		return fmt.Errorf("phase %q is not closed", a.Phase)
	}
	o := a.Outcome
	if !slices.Contains(remediate.Outcomes(), o.Kind) {
		return fmt.Errorf("%q is no outcome", o.Kind)
	}
	if failed := o.Kind == remediate.OutcomeFailed; failed != o.Class.Known() || !failed && o.Class != "" {
		return fmt.Errorf("outcome %s does not go with class %q", o.Kind, o.Class)
	}
	if look != nil && look.Host != a.Host {
		return errors.New("the look is of another host")
	}
	return nil
}

func checkApproval(a remediate.Approval) error {
	if err := checkName("plan", a.Plan); err != nil {
		return err
	}
	for _, script := range a.Scripts {
		if err := checkName("script", script); err != nil {
			return err
		}
	}
	named := make(map[string]bool, len(a.Hosts))
	for _, h := range a.Hosts {
		if err := checkName("host", h.Host); err != nil {
			return err
		}
		switch {
		case h.Wave < 1:
			return fmt.Errorf("%s is in wave %d; the first is 1", h.Host, h.Wave)
		case named[h.Host]:
			return fmt.Errorf("%s is named twice", h.Host)
		}
		named[h.Host] = true
	}
	return nil
}
