package remediate

// Standing is where a host stands, decided from facts alone.
type Standing string

// The standings. A host is clean only in StandClear and StandRemoved.
const (
	// StandUnseen: no look has succeeded yet.
	StandUnseen Standing = "unseen"
	// StandClear: looked at, and nothing was ever found.
	StandClear Standing = "clear"
	// StandPresent: the last look found something.
	StandPresent Standing = "present"
	// StandRemoved: something was found earlier; the last look found nothing.
	StandRemoved Standing = "removed"
	// StandReappeared: it was removed, and a later look found it again.
	StandReappeared Standing = "reappeared"
)

// Standings lists all standings in the order in which reports show them.
func Standings() []Standing {
	return []Standing{StandUnseen, StandClear, StandPresent, StandRemoved, StandReappeared}
}

// Next is the standing after a complete look that found something or nothing.
// A look that failed or was incomplete does not change a standing: do not
// call Next for it.
func (s Standing) Next(found bool) Standing {
	if found {
		switch s {
		case StandRemoved, StandReappeared:
			return StandReappeared
		default:
			return StandPresent
		}
	}
	switch s {
	case StandPresent, StandReappeared, StandRemoved:
		return StandRemoved
	default:
		return StandClear
	}
}
