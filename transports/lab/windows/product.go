package windows

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"oust/transports/lab/cmdexe"
)

// Product is a piece of software with an uninstaller. What is simulated
// carries names and places, and nothing of the real ones.
type Product struct {
	// Name is a short one, such as kes-windows.
	Name string
	// Title, Version and Publisher stand in the uninstall entry.
	Title, Version, Publisher string
	// Code is the ProductCode, or the name of the uninstall entry of a product
	// that has an uninstaller of its own.
	Code string
	// Takes is how long the uninstaller works, in the machine's own time.
	Takes time.Duration

	// antivirus: Defender is off where it is installed.
	antivirus bool
	upgrade   string // UpgradeCode
	view      int    // of the registry
	folder    string // its program folder
	files     []string
	keys      []string // registry keys beside the uninstall entry
	// services are started with the machine; drivers stay in memory until the
	// next start.
	services []serviceInfo
	// asks is the property that takes the password, as it is or, with hexadecimal, as
	// hexadecimal digits of its UTF-16LE form; login is what KLLOGIN must say.
	asks, login string
	hexadecimal bool
	// uninstaller is the path of an uninstaller that copies itself and goes on
	// in the copy; "" for a product of Windows Installer.
	uninstaller string
}

const (
	softwareKey = `HKLM\SOFTWARE\`
	wowKey      = `HKLM\SOFTWARE\WOW6432Node\`
	uninstall   = `Microsoft\Windows\CurrentVersion\Uninstall\`
	upgradeKey  = `HKLM\SOFTWARE\Classes\Installer\UpgradeCodes\`
	labFolder   = `C:\Program Files (x86)\Kaspersky Lab\`
)

// Products that machines may have. Sources of names and places: those of the
// playbooks for them.
var (
	KES = &Product{
		Name: "kes-windows", Title: "Kaspersky Endpoint Security for Windows", Version: "12.4.0.467", Publisher: "AO Kaspersky Lab",
		Code: "{27534751-4A40-48BD-B393-BC3BF28C876E}", upgrade: "{3D1E5C5E-31E6-4F4B-9C4A-0E6D6C3F0A11}",
		view: view32, folder: labFolder + "KES.12.4.0", Takes: 20 * time.Second,
		files: []string{labFolder + `KES.12.4.0\avp.exe`, labFolder + `KES.12.4.0\avpui.exe`, `C:\ProgramData\Kaspersky Lab\KES.12.4\Data\settings.kvdb`},
		keys:  []string{wowKey + `KasperskyLab\protected\KES\environment`},
		services: []serviceInfo{
			{name: "AVP.KES.21.15", display: "Kaspersky Endpoint Security Service", image: `"` + labFolder + `KES.12.4.0\avp.exe" -r`, kind: 0x10, start: 2},
			{name: "klif.KES", display: "Kaspersky Lab Driver", image: `\SystemRoot\system32\DRIVERS\klif.KES.sys`, kind: 2, start: 1},
			{name: "klbackupflt.KES", display: "Kaspersky Lab Backup Filter", image: `\SystemRoot\system32\DRIVERS\klbackupflt.KES.sys`, kind: 2, start: 0},
		},
		asks: "KLPASSWD", login: "KLAdmin", antivirus: true,
	}
	NetworkAgent = &Product{
		Name: "klnagent", Title: "Kaspersky Security Center Network Agent", Version: "15.1.0.20748", Publisher: "Kaspersky",
		Code: "{ED1C2D7E-5C7A-48D8-A697-57D1C080ABA7}", upgrade: "{B9518725-0B76-4793-A409-C6794442FB50}",
		view: view32, folder: labFolder + "NetworkAgent", Takes: 8 * time.Second,
		files: []string{labFolder + `NetworkAgent\klnagent.exe`, labFolder + `NetworkAgent\klnagchk.exe`},
		keys:  []string{wowKey + `KasperskyLab\Components\34\1103\1.0.0.0\ServerFlags`},
		services: []serviceInfo{
			{name: "klnagent", display: "Kaspersky Security Center Network Agent", image: `"` + labFolder + `NetworkAgent\klnagent.exe"`, kind: 0x10, start: 2},
		},
		asks: "KLUNINSTPASSWD", hexadecimal: true,
	}
	// ToolBar removes itself as NSIS' uninstallers do.
	ToolBar = &Product{
		Name: "sample-toolbar", Title: "Sample Toolbar", Version: "3.2", Publisher: "Sample Vendor",
		Code: "SampleToolbar", view: view64, folder: `C:\Program Files\Sample Toolbar`, Takes: 6 * time.Second,
		files:       []string{`C:\Program Files\Sample Toolbar\toolbar.exe`, `C:\Program Files\Sample Toolbar\uninst.exe`},
		keys:        []string{softwareKey + `Sample Vendor\Toolbar`},
		uninstaller: `C:\Program Files\Sample Toolbar\uninst.exe`,
	}
)

// Products are all of them.
func Products() []*Product { return []*Product{KES, NetworkAgent, ToolBar} }

func (p *Product) entryKey() string {
	if p.view == view32 {
		return wowKey + uninstall + p.Code
	}
	return softwareKey + uninstall + p.Code
}

// enter writes what the product has in a registry.
func (p *Product) enter(r *Registry) {
	entry := p.entryKey()
	text := func(name, data string) { r.Set(entry, name, regSZ, data) }
	text("DisplayName", p.Title)
	text("DisplayVersion", p.Version)
	text("Publisher", p.Publisher)
	text("InstallLocation", p.folder+`\`)
	r.Set(entry, "EstimatedSize", regDword, "0x4c2a0")
	if p.uninstaller != "" {
		text("UninstallString", `"`+p.uninstaller+`"`)
		text("QuietUninstallString", `"`+p.uninstaller+`" /S`)
	} else {
		r.Set(entry, "UninstallString", regExpand, "MsiExec.exe /X"+p.Code)
		r.Set(entry, "WindowsInstaller", regDword, "0x1")
		r.Set(upgradeKey+packGUID(p.upgrade), packGUID(p.Code), regSZ, "")
	}
	for _, k := range p.keys {
		r.Set(k, "", "", "")
	}
	p.enterServices(r)
}

func (p *Product) enterServices(r *Registry) {
	for _, s := range p.services {
		key := servicesKey + `\` + s.name
		r.Set(key, "Type", regDword, fmt.Sprintf("0x%x", s.kind))
		r.Set(key, "Start", regDword, fmt.Sprintf("0x%x", s.start))
		r.Set(key, "ErrorControl", regDword, "0x1")
		r.Set(key, "ImagePath", regExpand, s.image)
		r.Set(key, "DisplayName", regSZ, s.display)
	}
}

// diskFiles are the product's files with those of its drivers.
func (p *Product) diskFiles() []string {
	out := slices.Clone(p.files)
	for _, s := range p.services {
		if file, ok := strings.CutPrefix(s.image, `\SystemRoot\`); ok {
			out = append(out, `C:\Windows\`+file)
		}
	}
	return out
}

// packGUID is how Windows Installer writes a GUID in the registry: the first
// three groups back to front, then each pair of digits back to front.
func packGUID(guid string) string {
	plain := strings.ReplaceAll(strings.Trim(strings.ToUpper(guid), "{}"), "-", "")
	if len(plain) != 32 {
		return ""
	}
	out := make([]byte, 0, 32)
	at := 0
	for _, width := range []int{8, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2} {
		for j := at + width - 1; j >= at; j-- {
			out = append(out, plain[j])
		}
		at += width
	}
	return string(out)
}

// Installed reports whether a product's uninstall entry is there.
func (h *Host) Installed(p *Product) bool { return h.Registry.Has(p.entryKey()) }

// Left are the files of a product that are still there.
func (h *Host) Left(p *Product) []string {
	var out []string
	for _, f := range p.diskFiles() {
		if _, err := h.Files.Stat(f); err == nil {
			out = append(out, f)
		}
	}
	return out
}

// install brings a product back.
func (h *Host) install(p *Product) {
	p.enter(h.Registry)
	for _, f := range p.diskFiles() {
		_ = h.Files.WriteFile(f, []byte("MZ"))
	}
	for _, s := range p.services {
		h.startService(s)
	}
	h.restDefender()
}

// residue is the file that the fault of that name leaves.
func (p *Product) residue() string { return p.files[0] }

// remove takes a product away, but for a file with the fault residue, and
// reports whether drivers must wait for the next start, as with the fault
// reboot-needed.
func (h *Host) remove(p *Product, fault string) (restart bool) {
	keep := fault == FaultReboot
	for _, s := range p.services {
		if keep && s.driver() {
			h.Registry.Set(servicesKey+`\`+s.name, "DeleteFlag", regDword, "0x1")
			h.pend(`C:\Windows\` + strings.TrimPrefix(s.image, `\SystemRoot\`))
			continue
		}
		_ = h.haltService(s.name)
		h.Registry.Remove(servicesKey + `\` + s.name)
	}
	for _, f := range p.diskFiles() {
		if fault == FaultResidue && f == p.residue() || keep && strings.HasSuffix(f, ".sys") {
			continue
		}
		_ = h.Files.Remove(f)
	}
	h.tidy(p)
	for _, k := range p.keys {
		h.Registry.Remove(k)
		h.removeEmptyKeys(k)
	}
	h.Registry.Remove(p.entryKey())
	if p.upgrade != "" {
		h.Registry.Remove(upgradeKey + packGUID(p.upgrade))
	}
	if p.antivirus {
		h.wakeDefender()
	}
	if h.hasFault(FaultReinstalls) {
		h.reinstallLater(p)
	}
	return keep
}

// pend leaves a file for the next start to remove.
func (h *Host) pend(path string) {
	list, _ := h.Registry.Get(managerKey, pending)
	if list != "" {
		list += `\0`
	}
	h.Registry.Set(managerKey, pending, regMulti, list+`\??\`+path+`\0`)
}

// tidy removes the folders of a product that are empty.
func (h *Host) tidy(p *Product) {
	for _, f := range p.files {
		for {
			i := strings.LastIndexByte(f, '\\')
			if i < 0 || strings.Count(f[:i], `\`) < 2 {
				break
			}
			f = f[:i]
			if h.Files.Remove(f) != nil {
				break
			}
		}
	}
}

// removeEmptyKeys removes the keys above a key that hold nothing any more, up
// to SOFTWARE.
func (h *Host) removeEmptyKeys(path string) {
	for strings.Count(path, `\`) > 2 {
		path = path[:strings.LastIndexByte(path, '\\')]
		p, _ := parsePath(path, "", view64)
		k := h.Registry.open(p.stored)
		if strings.HasSuffix(path, `\WOW6432Node`) || k != nil && (len(k.subs) > 0 || len(k.values) > 0) {
			return
		}
		h.Registry.Remove(path)
	}
}

// haltService ends a service, whatever it says.
func (h *Host) haltService(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	name = strings.ToUpper(name)
	pid, runs := h.services[name]
	delete(h.services, name)
	delete(h.processes, pid)
	return runs
}

// removeAll removes a file, or a folder and all that is in it.
func removeAll(files cmdexe.Files, path string) error {
	info, err := files.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Dir && !info.Link {
		list, _ := files.List(path)
		for _, i := range list {
			if err := removeAll(files, path+`\`+i.Name); err != nil {
				return err
			}
		}
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return files.Remove(path)
}
