package windows

import (
	"context"
	"slices"
	"time"
)

const (
	defenderKey     = `HKLM\SOFTWARE\Microsoft\Windows Defender`
	defenderOff     = "DisableAntiSpyware"
	defenderService = "WinDefend"
)

// defenderAfter is how long a client takes to start Microsoft Defender when
// the virus scanner that took its place is gone, in the machine's own time.
// How long a real one takes is not documented.
const defenderAfter = 3 * time.Minute

// client: Windows 10 and 11. Beside another virus scanner their Defender is
// off by itself and comes back by itself. On a server people switch it off and
// on. Source: Microsoft, "Microsoft Defender Antivirus compatibility with other
// security products", "Antivirus protection without Defender for Endpoint".
func (r Release) client() bool { return r.installation == "Client" }

// guarded reports whether one of the image's products is a virus scanner, in
// whose place Defender is off.
func (im *Image) guarded() bool {
	return slices.ContainsFunc(im.products, func(p *Product) bool { return p.antivirus })
}

// defenderStart is the start type of Defender's service.
func (im *Image) defenderStart() uint64 {
	switch {
	case !im.guarded():
		return 2
	case im.Release.client():
		return 3
	}
	return 4 // switched off by hand
}

// guarded reports whether a virus scanner is installed beside Defender.
func (h *Host) guarded() bool {
	return slices.ContainsFunc(h.image.products, func(p *Product) bool { return p.antivirus && h.Installed(p) })
}

// wakeDefender starts Defender after a while, on a client that no other virus
// scanner guards.
func (h *Host) wakeDefender() {
	if !h.image.Release.client() || h.guarded() || h.serviceRuns(defenderService) {
		return
	}
	_ = h.spawn(func(ctx context.Context) {
		if h.clock.Sleep(ctx, defenderAfter) != nil || h.guarded() || h.serviceRuns(defenderService) {
			return
		}
		h.Registry.Set(defenderKey, defenderOff, regDword, "0x0")
		h.Registry.Set(servicesKey+`\`+defenderService, "Start", regDword, "0x2")
		if s, there := h.service(defenderService); there {
			h.startService(s)
		}
		h.restDefender() // a scanner may have come meanwhile
	})
}

// restDefender switches Defender off on a client that has got another virus
// scanner.
func (h *Host) restDefender() {
	if !h.image.Release.client() || !h.guarded() {
		return
	}
	h.Registry.Set(defenderKey, defenderOff, regDword, "0x1")
	h.Registry.Set(servicesKey+`\`+defenderService, "Start", regDword, "0x3")
	_ = h.haltService(defenderService)
}
