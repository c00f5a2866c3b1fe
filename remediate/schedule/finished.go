package schedule

import (
	"iter"
	"time"

	"oust/remediate"
)

// Stand is where a host stands.
type Stand struct {
	Host     string
	Standing remediate.Standing
	// Exempt is since when the host has been exempt without a break, renewals
	// included; zero if it is not.
	Exempt time.Time
}

// Open reports whether the host keeps a mandate from being finished.
func (s Stand) Open() bool { return opens(s.Standing) && s.Exempt.IsZero() }

func opens(s remediate.Standing) bool {
	return s != remediate.StandClear && s != remediate.StandRemoved
}

// FinishedAt is since when none of the hosts has been open: the last moment at
// which one of them was cleared, removed or exempted; a host that is closed by its
// exemption alone counts from that on. It is zero if one of them
// is open, or there is none. latest are the moves of standings, newest first; it
// reads no more of them than it needs.
func FinishedAt(hosts []Stand, latest iter.Seq2[remediate.Move, error]) (time.Time, error) {
	var last time.Time
	exempt := make(map[string]time.Time, len(hosts)) // of the hosts that are closed by their standing
	for _, h := range hosts {
		switch {
		case h.Open():
			return time.Time{}, nil
		case !opens(h.Standing):
			exempt[h.Host] = h.Exempt
		case h.Exempt.After(last):
			last = h.Exempt
		}
	}
	for m, err := range latest {
		if err != nil {
			return time.Time{}, err
		}
		if !m.At.After(last) {
			break // so are all that follow
		}
		since, ours := exempt[m.Host]
		if !ours || opens(m.To) {
			continue
		}
		if since.IsZero() || m.At.Before(since) {
			since = m.At
		}
		if since.After(last) {
			last = since
		}
	}
	return last, nil
}
