package report

// waveBar is how far a wave has come, to be drawn.
type waveBar struct {
	Wave
	Parts []wavePart
}

// wavePart is in units of a bar that is waveWidth wide.
type wavePart struct {
	Class string
	X, W  int
}

const waveWidth = 200

// waveBarOf cuts the bar by cumulated hosts, so that its parts leave no gap.
func waveBarOf(w Wave) waveBar {
	bar := waveBar{Wave: w}
	sum, x := 0, 0
	for _, p := range []struct {
		class string
		hosts int
	}{{"w-done", w.Done}, {"w-other", w.Other}, {"w-failed", w.Failed}, {"w-unreachable", w.Unreachable}} {
		sum += p.hosts
		end := waveWidth * sum / max(w.Hosts, 1)
		if end > x {
			bar.Parts = append(bar.Parts, wavePart{p.class, x, end - x})
		}
		x = end
	}
	return bar
}
