package remediate

import (
	"strings"
	"time"
)

// Facts are what one look at a host found. They hold what the host printed,
// parsed; no judgement about products is made here.
type Facts struct {
	Platform Platform `json:"platform"`
	OS       OS       `json:"os"`
	// BootID changes at every boot and only then. Source on Linux:
	// /proc/sys/kernel/random/boot_id (random(4)); on macOS:
	// sysctl kern.bootsessionuuid. On Windows it is made of two registry
	// values, see package probe, and is "" where the host has neither.
	BootID string        `json:"boot_id"`
	Uptime time.Duration `json:"uptime_ns"`
	// HostTime is the host's own clock at the look, UTC, second precision;
	// zero where a Windows host writes dates in a form that is not known.
	HostTime time.Time `json:"host_time"`
	Packages []Package `json:"packages,omitempty"`
	Services []Service `json:"services,omitempty"`
	// Running answers Questions.Services, one fact for each.
	Running   []RunningFact `json:"running,omitempty"`
	Paths     []PathFact    `json:"paths,omitempty"`
	FreeSpace []FreeSpace   `json:"free_space,omitempty"`
	Locks     []Lock        `json:"locks,omitempty"`
	// RebootPending lists the reasons the host gives, empty when none.
	RebootPending []string  `json:"reboot_pending,omitempty"`
	Privilege     Privilege `json:"privilege"`
	// Windows is nil on other systems.
	Windows *WindowsFacts `json:"windows,omitempty"`
	// Incomplete lists the questions that the look could not answer, such as
	// a path below a folder that may not be read. A host with incomplete
	// facts is never called clear or removed.
	Incomplete []string `json:"incomplete,omitempty"`
}

// OS describes the operating system as it names itself.
type OS struct {
	ID      string `json:"id"`      // os-release ID, "macos" or "windows"
	Name    string `json:"name"`    // os-release PRETTY_NAME, "macOS 14.5", or ProductName
	Version string `json:"version"` // os-release VERSION_ID, or "10.0"
	Arch    string `json:"arch"`    // uname -m, or PROCESSOR_ARCHITECTURE, such as AMD64
	Kernel  string `json:"kernel"`  // uname -r, or version, build and UBR: "10.0.22631.4460"
	// Edition and InstallationType are Windows' EditionID, such as
	// "Professional", and "Client", "Server" or "Server Core".
	Edition          string `json:"edition,omitempty"`
	InstallationType string `json:"installation_type,omitempty"`
}

// Package managers for Package.Manager and Lock.Manager.
const (
	ManagerDpkg    = "dpkg"
	ManagerRPM     = "rpm"
	ManagerApk     = "apk"
	ManagerPkgutil = "pkgutil" // macOS installer receipts
	ManagerApp     = "app"     // macOS application bundles
	ManagerMSI     = "msi"     // Windows Installer, for Lock.Manager alone
)

// Package is one installed package as its manager reports it.
type Package struct {
	Manager string `json:"manager"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch,omitempty"`
	Vendor  string `json:"vendor,omitempty"`
	// Status is "installed", "config-files" (dpkg: removed, configuration
	// kept) or "broken" (dpkg: half-installed, half-configured, unpacked or
	// an error flag).
	Status string `json:"status"`
}

// Package states for Package.Status.
const (
	PackageInstalled   = "installed"
	PackageConfigFiles = "config-files"
	PackageBroken      = "broken"
)

// Service is a service unit known to the host's service manager.
type Service struct {
	// Manager is systemd, sysv, openrc or launchd; on Windows "scm", the
	// service control manager, which starts drivers too.
	Manager string `json:"manager"`
	Name    string `json:"name"` // without ".service"
	// State is the manager's own word: enabled, disabled, static, masked,
	// or "" where it has none. On Windows it is the start type: boot,
	// system, auto, manual or disabled.
	State string `json:"state,omitempty"`
	// Windows only. Type is "driver", "file-system" or "service".
	// DisplayName may be "@FILE,-NUMBER", a reference to a text.
	Type        string `json:"type,omitempty"`
	DisplayName string `json:"display_name,omitempty"`
	ImagePath   string `json:"image_path,omitempty"`
}

// RunState says whether a service runs.
type RunState string

// Run states. ServiceUnknown: the host did not say, or not so that it can be
// told; a service is then neither taken for running nor for stopped.
const (
	ServiceRunning RunState = "running"
	ServiceStopped RunState = "stopped" // also one that is starting, stopping or paused
	ServiceAbsent  RunState = "absent"  // the service manager does not know it
	ServiceUnknown RunState = "unknown"
)

// RunningFact answers a question about one service that a playbook asked.
type RunningFact struct {
	Service string   `json:"service"` // as the playbook wrote it
	State   RunState `json:"state"`
}

// PathKind says what stands at a path.
type PathKind string

// Path kinds. PathDenied means that the look was not allowed to know.
const (
	PathAbsent PathKind = "absent"
	PathFile   PathKind = "file"
	PathDir    PathKind = "dir"
	PathLink   PathKind = "link" // a symbolic link, whatever it points to
	PathOther  PathKind = "other"
	PathDenied PathKind = "denied"
)

// PathFact answers a question about one path that a playbook asked.
type PathFact struct {
	Path string   `json:"path"`
	Kind PathKind `json:"kind"`
	// Full is the path that the host made of one with variables of Windows,
	// such as %ProgramFiles%; "" elsewhere.
	Full string `json:"full,omitempty"`
}

// FreeSpace is what df(1) calls available on the file system that is mounted
// at a path: what root alone may use is not counted.
type FreeSpace struct {
	Path string `json:"path"`
	KiB  int64  `json:"kib"`
}

// Lock is a package manager's lock that a process holds.
type Lock struct {
	Manager string `json:"manager"`
	Path    string `json:"path"`
	// PID is the holder, 0 where the host does not say.
	PID int `json:"pid,omitempty"`
}

// Privilege says what the look ran as.
type Privilege struct {
	// UID is 0 on Windows, whoever it was: ask Root.
	UID  int    `json:"uid"`
	User string `json:"user"`
	// Root is true when the look itself ran as root (directly or by become),
	// on Windows as an administrator with all rights (elevated).
	Root bool `json:"root"`
	// CanBecome is true when root can be had without a password.
	CanBecome bool `json:"can_become"`
}

// Path returns the answer for a path and whether it was asked.
func (f *Facts) Path(path string) (PathFact, bool) {
	for _, p := range f.Paths {
		if p.Path == path {
			return p, true
		}
	}
	return PathFact{}, false
}

// Runs returns whether a service runs: ServiceUnknown where the look was not
// asked. Upper and lower case count but on Windows.
func (f *Facts) Runs(service string) RunState {
	for _, r := range f.Running {
		if r.Service == service || f.Platform == Windows && strings.EqualFold(r.Service, service) {
			return r.State
		}
	}
	return ServiceUnknown
}

// Questions are what the playbooks in force want a look to answer beyond
// what every look answers.
type Questions struct {
	// Paths are absolute, sorted, distinct; each yields one PathFact. A path
	// of Windows may begin with a variable of the host, such as
	// %ProgramFiles%, %ProgramFiles(x86)%, %ProgramData% or %SystemRoot%.
	Paths []string
	// Keys are registry keys, sorted, distinct, such as
	// HKLM\SOFTWARE\KasperskyLab; each yields a KeyFact for each view.
	Keys []string
	// Services are names of services, without ".service" and wildcards, sorted,
	// distinct; each yields one RunningFact. It can be told on Linux with
	// systemd, and on Windows.
	Services []string
}
