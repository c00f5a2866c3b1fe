package lab

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// Uninstall is one start of a product's uninstaller: its script before removal
// was called.
type Uninstall struct {
	Product string `json:"product"`
	// Attempt is the id in the path OUST_DIR that the uninstaller ran under,
	// empty if there was none.
	Attempt string `json:"attempt,omitempty"`
	// At is the host's own time.
	At time.Time `json:"at"`
}

// uninstaller is a product's own work during its removal by the package
// manager: the scripts before and after, and the files in between.
type uninstaller struct {
	*call
	product *product
}

// begin is the script before the removal. It takes the product's time, and
// fails if the process is killed meanwhile.
func (u *uninstaller) begin() error {
	h := u.proc.host
	fmt.Fprint(u.out, h.fleet.config.Says)
	h.countStart(Uninstall{Product: u.product.name, Attempt: u.attempt(), At: h.now().UTC()})
	if h.faulty(faultHangs, u.product) {
		return h.fleet.clock.Sleep(u.ctx, forever)
	}
	half := h.duration(u.product) / 2
	if err := h.fleet.clock.Sleep(u.ctx, half); err != nil {
		return err
	}
	if h.faulty(faultDrop, u.product) {
		h.drop()
	}
	for _, s := range u.product.services {
		h.stopUnit(s)
	}
	return h.fleet.clock.Sleep(u.ctx, half)
}

// attempt is the id of the attempt that this runs in: the part of OUST_DIR
// that has its form.
func (u *uninstaller) attempt() string {
	for part := range strings.SplitSeq(u.getenv("OUST_DIR"), "/") {
		if len(part) == attemptLength && strings.Trim(part, "0123456789abcdefghijklmnopqrstuvwxyz") == "" {
			return part
		}
	}
	return ""
}

const attemptLength = 26

// lies reports whether the uninstaller leaves the product and says that all
// went well; the product runs again then.
func (u *uninstaller) lies() bool {
	h := u.proc.host
	if !h.faulty(faultLies, u.product) {
		return false
	}
	for _, s := range u.product.services {
		h.startUnit(s)
	}
	return true
}

// fails reports whether the uninstaller's script fails, and says so.
func (u *uninstaller) fails() bool {
	if !u.proc.host.faulty(faultUninstaller, u.product) {
		return false
	}
	fmt.Fprintf(u.err, "%s: cannot unload the interceptor: Device or resource busy\n", u.product.name)
	return true
}

// remove takes away the files and services of the package.
func (u *uninstaller) remove() {
	h, v := u.proc.host, u.view()
	keep := ""
	if h.faulty(faultResidue, u.product) {
		keep = u.product.residue
	}
	u.removeFiles(v, u.product.files, keep)
	for _, s := range u.product.services {
		_ = v.remove("/usr/lib/systemd/system/"+s+".service", false)
		h.removeUnit(s)
	}
	if slices.ContainsFunc(rebootFaults, func(name string) bool { return h.faulty(name, u.product) }) {
		askReboot(v, u.product)
	}
	h.fleet.changedState()
}

// wipe removes what appeared at run time.
func (u *uninstaller) wipe(v view) {
	u.removeFiles(v, slices.Concat(u.product.config, u.product.data), "")
}

// errScript: a maintainer script ended with exit code 1.
var errScript = fmt.Errorf("exit status 1")

// removeFiles removes files and the folders that they leave empty. The file to
// keep becomes one that nobody can remove.
func (u *uninstaller) removeFiles(v view, files []string, keep string) {
	// dpkg removes all empty folders that it came with, rpm only those that
	// are the package's own.
	below := "/kaspersky"
	if u.proc.host.image.kind.manager == managerRPM {
		below = "/kaspersky/"
	}
	for _, f := range files {
		if f == keep {
			_ = v.change("chattr", f, false, func(n *node) error { n.fixed = true; return nil })
			continue
		}
		_ = v.remove(f, false)
		for dir := path.Dir(f); strings.Contains(dir, below); dir = path.Dir(dir) {
			if v.remove(dir, true) != nil {
				break
			}
		}
	}
}

// askReboot is a product, part of which stays loaded until the next boot.
func askReboot(v view, p *product) {
	_ = v.writeFile("/run/reboot-required", []byte("*** System restart required ***\n"), 0o644)
	_ = v.writeFile("/run/reboot-required.pkgs", []byte(p.name+"\n"), 0o644)
}

func (h *host) countStart(s Uninstall) {
	h.mu.Lock()
	if h.counts == nil {
		h.counts = make(map[string]int)
	}
	h.counts[s.Product]++
	h.starts = append(h.starts, s)
	h.mu.Unlock()
	h.fleet.changedState()
}

// duration is how long the product's uninstaller works on this host: between
// half of and one and a half of the product's time, the same each time.
func (h *host) duration(p *product) time.Duration {
	spread := h.fleet.draw(h.name, p.name, 1000)
	return p.takes/2 + p.takes*time.Duration(spread)/1000
}

// killed reports whether an uninstaller's error means that it was ended from
// outside.
func killed(ctx context.Context) bool { return ctx.Err() != nil }
