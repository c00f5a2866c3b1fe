package storetest

import (
	"errors"
	"fmt"
	"slices"

	"oust/remediate"
)

func checkAttempt(a remediate.Attempt) error {
	if err := checkName("attempt", a.ID); err != nil {
		return err
	}
	for _, id := range []string{a.Run, a.Plan, a.Script} {
		if len(id) > remediate.MaxName {
			return fmt.Errorf("attempt %s: an id has %d bytes, more than %d", a.ID, len(id), remediate.MaxName)
		}
	}
	return checkName("host", a.Host)
}

// sameAttempt holds that what identifies an attempt never changes.
func sameAttempt(known *remediate.Attempt, a remediate.Attempt) error {
	if known.Host != a.Host || known.Run != a.Run || known.Plan != a.Plan || known.Script != a.Script {
		return fmt.Errorf("attempt %s: host, run, plan and script of an attempt never change", a.ID)
	}
	return nil
}

func checkClose(a remediate.Attempt, look *remediate.Look) error {
	if err := checkAttempt(a); err != nil {
		return err
	}
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
