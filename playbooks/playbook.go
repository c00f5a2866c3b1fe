package playbooks

import (
	"strings"

	"oust/remediate"
)

// Format is the version of the playbook format that this program reads.
const Format = 1

// Playbook is what is known about removing one product.
type Playbook struct {
	// Format is the version of the format; see the constant Format.
	Format int `yaml:"format"`
	// Name is vendor/product in lower case; unique in a library.
	Name string `yaml:"name"`
	// Title is the product's name for people; Vendor is its maker's.
	Title  string `yaml:"title"`
	Vendor string `yaml:"vendor"`
	// Kind is one of the Kind constants; empty means KindProduct.
	Kind string `yaml:"kind"`
	// Platforms are those on which the product is looked for.
	Platforms []remediate.Platform `yaml:"platforms"`
	// After names playbooks whose products must be gone before this one's
	// steps begin, where both are found on a host.
	After []string `yaml:"after"`
	// Owns are more folder names, in lower case, that belong to the product
	// or its vendor beside the two parts of Name. Every path that a playbook
	// removes must have one of these names in it.
	Owns []string `yaml:"owns"`
	// Detect is how the product is recognised: any one sign proves it.
	Detect []Sign `yaml:"detect"`
	// First says what a person must do before the removal; may be empty.
	First string `yaml:"first"`
	// Blocks are signs that keep the product from being removed on a host.
	Blocks []Block `yaml:"blocks"`
	// Steps remove it, in this order. A playbook without steps only reports.
	Steps []Step `yaml:"steps"`
	// Residue is what may stay when the product is gone.
	Residue []Residue `yaml:"residue"`
	// Shared are folders that other products use too. They are removed when
	// they are empty and left alone when they are not; deepest first.
	Shared []string `yaml:"shared"`
	// Secrets are what the steps ask for, by name.
	Secrets []Secret `yaml:"secrets"`
	// Reboot is one of the Reboot constants; empty means RebootNever. It says
	// what the product asks for.
	Reboot string `yaml:"reboot"`
	// Restart is whether oust may restart a host for this product; empty leaves
	// it to the campaign, and the stricter of both counts.
	Restart remediate.RebootPolicy `yaml:"restart"`
	// Manual says what a person must do where the steps cannot.
	Manual string `yaml:"manual"`
	// Afterwards says what protects the host once the product is gone.
	Afterwards string `yaml:"afterwards"`
	// Protection is what must protect the host once the product is gone: any
	// one of it is enough. None means that the product protects nothing.
	Protection []Protection `yaml:"protection"`
	// Confidence is how well the removal as a whole is known.
	Confidence string `yaml:"confidence"`
	// Sources say where each claim comes from; never empty.
	Sources []Source `yaml:"sources"`

	file   string
	digest string
	text   []byte
	pos    positions
}

// Kind values.
const (
	// KindProduct is a product of the vendor's own.
	KindProduct = "product"
	// KindEmbedded is the vendor's code inside other companies' products. It is
	// found and reported, never removed.
	KindEmbedded = "embedded"
	// KindPublisher is whatever carries the vendor's name and is known to no
	// other playbook. It is found and reported, never removed.
	KindPublisher = "publisher"
)

// Reboot values.
const (
	RebootNever  = "never"
	RebootMaybe  = "maybe"  // when an exit code or /run/reboot-required asks for it
	RebootNeeded = "needed" // always, before the product is gone
)

// Confidence values.
const (
	ConfidenceVendor     = "vendor"         // the vendor's own documentation
	ConfidencePublic     = "public-scripts" // seen in the scripts of others
	ConfidenceUnverified = "unverified"     // believed, not seen
)

// Sign is one way to recognise a product. All that it names must hold.
// Names may have the wildcards of path.Match; on Windows services have no
// upper and lower case.
type Sign struct {
	Package *PackageSign `yaml:"package"`
	// Uninstall and Key are of Windows alone, Package is of other systems.
	Uninstall *UninstallSign `yaml:"uninstall"`
	Service   string         `yaml:"service"`
	// Path begins with / or, on Windows, with a drive or a variable such as
	// %ProgramFiles%. Signs of one kind say nothing on the other systems.
	Path string `yaml:"path"`
	// Key is a registry key below HKLM, in either registry view.
	Key string `yaml:"key"`
	// MSIX is seen only where a look asked PowerShell too.
	MSIX *MSIXSign `yaml:"msix"`
}

// Block is a sign that keeps a product from being removed, and why. Unlike a
// Sign its path and key need not be the product's own. Where it cannot be told
// whether it holds, it holds.
type Block struct {
	Package   *PackageSign   `yaml:"package"`
	Uninstall *UninstallSign `yaml:"uninstall"`
	Service   string         `yaml:"service"`
	Path      string         `yaml:"path"`
	Key       string         `yaml:"key"`
	MSIX      *MSIXSign      `yaml:"msix"`
	// Why is one line for people: what is in the way, and what to do.
	Why string `yaml:"why"`
}

// UninstallSign holds when Windows' list of programs has an entry for which
// all that it names holds. An entry that is an update of another, and one
// without a name and a way to remove it, do not count.
//
// Names and Publishers are compared without upper and lower case and may have
// * and ?. A product has another name and publisher in another language, and
// another ProductCode in each build: the UpgradeCode is what stays.
type UninstallSign struct {
	Names        []string `yaml:"names"`
	Publishers   []string `yaml:"publishers"`
	UpgradeCodes []string `yaml:"upgrade_codes"`
}

// PackageSign holds when one of the managers has a package of one of the
// names, installed or broken. One of which only configuration is left does
// not count: that is residue.
//
// Vendors, of a playbook of KindPublisher alone, are compared as Publishers are
// with what rpm calls a package's vendor; other managers name none. Names may
// then be missing.
type PackageSign struct {
	Managers []string `yaml:"managers"`
	Names    []string `yaml:"names"`
	Vendors  []string `yaml:"vendors"`
}

// MSIXSign holds when an Appx or MSIX package is installed, or waits for its
// first user, for which all that it names holds. Both are compared without
// upper and lower case and may have * and ?. Publishers, of a playbook of
// KindPublisher alone, are subjects of certificates, such as "CN=*".
type MSIXSign struct {
	Names      []string `yaml:"names"`
	Publishers []string `yaml:"publishers"`
}

// Step is one act of a removal; exactly one of its kinds is set.
type Step struct {
	// Platforms narrows a step of a playbook for several systems to some of
	// them; none means all that know the kind.
	Platforms   []remediate.Platform `yaml:"platforms"`
	Package     *PackageStep         `yaml:"package"`
	MSI         *MSIStep             `yaml:"msi"`
	Uninstaller *UninstallerStep     `yaml:"uninstaller"`
	Service     *ServiceStep         `yaml:"service"`
	Process     *ProcessStep         `yaml:"process"`
	File        *FileStep            `yaml:"file"`
	Key         *KeyStep             `yaml:"key"`
	Script      *ScriptStep          `yaml:"script"`
}

// ExitCodes says what a tool's exit codes mean: ok, absent, reboot, busy,
// protected or failed. A code that is not in the table means failed.
type ExitCodes map[int]string

// PackageStep removes packages together with their configuration.
type PackageStep struct {
	Managers []string `yaml:"managers"` // dpkg, rpm
	// Names are exact, in the order in which they are given to the manager.
	// Those that are not on the host are left out.
	Names []string `yaml:"names"`
	// ForceReinstreq lets dpkg remove a package that it thinks must be
	// reinstalled first (dpkg(1), --force-remove-reinstreq).
	ForceReinstreq bool      `yaml:"force_reinstreq"`
	Exit           ExitCodes `yaml:"exit"` // default: 0 is ok
}

// MSIStep removes, with Windows Installer, each entry of the host that the
// playbook's uninstall signs mean and that has a ProductCode. It waits while
// another installation runs, never restarts the host, and prints the end of
// Windows Installer's log, which it keeps from listing properties.
type MSIStep struct {
	// Properties are public properties for msiexec, by name.
	Properties map[string]string `yaml:"properties"`
	// Password is passed if the campaign has the secret.
	Password *MSIPassword `yaml:"password"`
	// Denied are texts of the log by which the product says that it will not
	// go: 1603 then means protected. Upper and lower case count.
	Denied []string `yaml:"denied"`
	// Exit adds to, or changes, what Windows Installer's exit codes mean; see
	// msiExit.
	Exit ExitCodes `yaml:"exit"`
}

// MSIPassword is how a product's own password is passed to its uninstaller.
type MSIPassword struct {
	Secret   string `yaml:"secret"`
	Property string `yaml:"property"`
	// With are properties that go with it, such as an account's name.
	With map[string]string `yaml:"with"`
}

// UninstallerStep runs the uninstaller of each entry of the host that the
// playbook's uninstall signs mean and that has no ProductCode: its
// QuietUninstallString, or else its UninstallString with Arguments. It waits
// for what the uninstaller has started.
type UninstallerStep struct {
	Arguments string `yaml:"arguments"`
	// Wait is how long the entry, or one of Children, may still be there when
	// the uninstaller has ended, as 90s or 10m: at most 1 h; default 10 m.
	Wait string `yaml:"wait"`
	// Children are names of programs that go on with the work; the default is
	// what NSIS and Inno Setup call their copies.
	Children []string  `yaml:"children"`
	Exit     ExitCodes `yaml:"exit"` // default: 0 is ok
}

// KeyStep removes a registry key and all below it, in both registry views.
type KeyStep struct {
	Key string `yaml:"key"`
}

// ServiceStep stops services and keeps them from starting again.
type ServiceStep struct {
	Names []string `yaml:"names"`
}

// ProcessStep ends processes: SIGTERM, then SIGKILL after Grace; on Windows
// by force, with their children.
type ProcessStep struct {
	// Paths are of executables; Names are process names of at most 15 bytes,
	// as Linux keeps them (proc_pid_comm(5)). On Windows there are Names alone,
	// such as agent.exe.
	Paths []string `yaml:"paths"`
	Names []string `yaml:"names"`
	// Grace is a duration as 10s or 2m: whole seconds, at most 5 minutes;
	// default 10 s.
	Grace string `yaml:"grace"`
}

// FileStep removes a file, a link or a whole folder.
type FileStep struct {
	Path string `yaml:"path"`
}

// ScriptStep is the way out: sh text that runs in a subshell. Its secrets
// stand in files $OUST_DIR/secrets/NAME. A step whose Platforms are windows
// alone is the text of a batch file, for which "%OUST_DIR%\secrets\NAME.cmd"
// sets OUST_SECRET to the value.
type ScriptStep struct {
	What string `yaml:"what"` // one line for people
	Text string `yaml:"text"`
	// Covers are names, as in an uninstall sign, of the entries of Windows' list of
	// programs that the text removes. One that is still there when it has
	// ended well is no success.
	Covers []string  `yaml:"covers"`
	Exit   ExitCodes `yaml:"exit"` // required
}

// Residue is one thing that may stay when the product is gone; exactly one
// of Path, Service, Package and Key is set. Without Remove it is only reported.
type Residue struct {
	Path string `yaml:"path"`
	// Service is removed by stopping and disabling it.
	Service string `yaml:"service"`
	// Package is a dpkg package of which only configuration is left.
	Package string `yaml:"package"`
	// Key is a registry key below HKLM, in either view.
	Key string `yaml:"key"`
	// Remove does not go with a service of Windows: what is left there is a
	// driver as often as not, and a host may not start without it.
	Remove bool `yaml:"remove"`
	// Alone is for what several products of a vendor have by one name, such as a
	// driver: it counts only where none of their playbooks finds a product.
	Alone bool `yaml:"alone"`
}

// Source says where a claim comes from.
type Source struct {
	Claim      string `yaml:"claim"`
	Source     string `yaml:"source"`
	Confidence string `yaml:"confidence"`
}

// Digest is "sha256:HEX" over the playbook's bytes with CRLF read as LF and
// a byte order mark left out. Comments and white space count: a plan pins the
// file that a person reviewed, not what a parser made of it.
func (p *Playbook) Digest() string { return p.digest }

// File is where the playbook was read from.
func (p *Playbook) File() string { return p.file }

// Text is the playbook as it was read.
func (p *Playbook) Text() []byte { return append([]byte(nil), p.text...) }

// ReportOnly reports whether the playbook has no steps.
func (p *Playbook) ReportOnly() bool { return len(p.Steps) == 0 }

// RemovesOn are those of its platforms on which the playbook has steps that
// remove; on the others the product is found and left to a person.
func (p *Playbook) RemovesOn() (out []remediate.Platform) {
	for _, platform := range p.Platforms {
		for _, s := range p.Steps {
			if s.on(platform) && s.Service == nil && s.Process == nil {
				out = append(out, platform)
				break
			}
		}
	}
	return out
}

// Is reports whether the playbook is of one of the kinds.
func (p *Playbook) Is(kind string) bool {
	return p.Kind == kind || p.Kind == "" && kind == KindProduct
}

// On reports whether the product is looked for on the platform.
func (p *Playbook) On(platform remediate.Platform) bool {
	for _, x := range p.Platforms {
		if x == platform {
			return true
		}
	}
	return false
}

// vendorKey and productKey are the two parts of the name.
func (p *Playbook) vendorKey() string {
	v, _, _ := strings.Cut(p.Name, "/")
	return v
}

func (p *Playbook) productKey() string {
	_, k, _ := strings.Cut(p.Name, "/")
	return k
}
