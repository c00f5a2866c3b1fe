package wsman

import (
	"strconv"
	"strings"
	"time"
)

// mostDuration bounds a duration that a peer may name.
const mostDuration = 30 * 24 * time.Hour

// parseDuration reads an xs:duration of days, hours, minutes and seconds, such
// as PT20S, PT60.000S or P0DT0H1M0S. Years and months have no length of their
// own and are refused.
func parseDuration(text string) (time.Duration, bool) {
	days, ok := strings.CutPrefix(text, "P")
	if !ok || len(text) > 64 {
		return 0, false
	}
	days, clock, timed := strings.Cut(days, "T")
	if timed && clock == "" || !timed && days == "" {
		return 0, false
	}
	total, ok := addUnits(0, days, []unit{{'D', 24 * time.Hour}})
	if !ok {
		return 0, false
	}
	return addUnits(total, clock, []unit{{'H', time.Hour}, {'M', time.Minute}, {'S', time.Second}})
}

type unit struct {
	letter byte
	length time.Duration
}

// addUnits adds numbers with their units, which come in the order given.
func addUnits(total time.Duration, text string, units []unit) (time.Duration, bool) {
	for _, u := range units {
		number, rest, ok := strings.Cut(text, string(u.letter))
		if !ok {
			continue
		}
		if strings.Trim(number, "0123456789.") != "" {
			return 0, false
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || strings.Contains(number, ".") && u.letter != 'S' || n*float64(u.length) > float64(mostDuration) {
			return 0, false
		}
		total += time.Duration(n * float64(u.length))
		if total > mostDuration {
			return 0, false
		}
		text = rest
	}
	return total, text == ""
}
