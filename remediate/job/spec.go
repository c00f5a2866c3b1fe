package job

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

// Bounds of what a job takes with it, in bytes unless said otherwise.
const (
	MaxScript  = 1 << 20
	MaxSecret  = 64 << 10
	MaxSecrets = 64 // secrets of one job
	maxLabel   = remediate.MaxName
)

// Bounds of what a job leaves, in bytes.
const (
	// MaxReport bounds the whole output of a launch or a join.
	MaxReport = 1 << 20
	// MaxLog bounds Report.Log without the note about a cut. Of a longer log
	// the end is kept, and of one over maxKept the beginning as well.
	MaxLog    = maxTail + headKept
	maxTail   = 768 << 10
	headKept  = 64 << 10
	maxResult = 64 << 10
	// maxKept is when the log on the host's disk is cut; it is looked at once
	// a second, so that it can be passed by what is written in one.
	maxKept = 4 << 20
)

// Spec is one job.
type Spec struct {
	// ID is the attempt's (remediate.NewID). The script of an id runs once.
	ID string
	// Campaign and Controller are told to whoever finds the host taken.
	// Bytes below space are not allowed; at most 253 bytes each.
	Campaign, Controller string
	// Wait is how long the launch of a Windows host stays for the job's end.
	// On Unix it stays until its caller ends it.
	Wait time.Duration
	// Script is run by sh, or on Windows by cmd; any bytes but NUL arrive at
	// sh as they are.
	Script []byte
	// Secrets are written to files for the script (see remediate/script.go)
	// and removed when it has ended; any bytes but NUL. Names are of letters,
	// digits, '_', '-' and '.', and do not begin with a dot or dash.
	Secrets map[string]string
}

// validate reports what a host could not take. It never repeats a secret.
func (s Spec) validate() error {
	if err := checkID(s.ID); err != nil {
		return err
	}
	if err := checkLabel("campaign", s.Campaign); err != nil {
		return err
	}
	if err := checkLabel("controller", s.Controller); err != nil {
		return err
	}
	switch {
	case len(s.Script) == 0:
		return errors.New("the script is empty")
	case len(s.Script) > MaxScript:
		return fmt.Errorf("the script has %d bytes; at most %d are allowed", len(s.Script), MaxScript)
	case slices.Contains(s.Script, 0):
		return errors.New("the script holds a NUL byte")
	case len(s.Secrets) > MaxSecrets:
		return fmt.Errorf("%d secrets; at most %d are allowed", len(s.Secrets), MaxSecrets)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Secrets)) {
		if err := checkSecret(name, s.Secrets[name]); err != nil {
			return err
		}
	}
	return nil
}

func checkID(id string) error {
	if !remediate.ValidID(id) {
		return fmt.Errorf("bad attempt id %q", remediate.ClipText(id))
	}
	return nil
}

func checkLabel(what, s string) error {
	if len(s) > maxLabel {
		return fmt.Errorf("the %s's name has %d bytes; at most %d are allowed", what, len(s), maxLabel)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("the %s's name %q holds a control character", what, s)
	}
	return nil
}

func checkSecret(name, value string) error {
	ok := name != "" && len(name) <= 64 && name[0] != '.' && name[0] != '-'
	for _, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c == '_' || c == '-' || c == '.')
	}
	switch {
	case !ok:
		return fmt.Errorf("bad name of a secret: %q", remediate.ClipText(name))
	case len(value) > MaxSecret:
		return fmt.Errorf("the secret %s has %d bytes; at most %d are allowed", name, len(value), MaxSecret)
	case strings.IndexByte(value, 0) >= 0:
		return fmt.Errorf("the secret %s holds a NUL byte", name)
	}
	return nil
}
