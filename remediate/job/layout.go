package job

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"oust/remediate"
)

//go:embed sh/*.sh
var shFiles embed.FS

// Layout is where things are on a host. The zero value is right for real
// hosts; tests set what they must.
type Layout struct {
	BaseDir    string // default /var/lib/oust
	BootIDFile string // default /proc/sys/kernel/random/boot_id
	Path       string // PATH of all that runs; default the system's folders
	Shell      string // runs the job and its script; default sh
	// SystemdDir exists where systemd is running (sd_booted(3)); default
	// /run/systemd/system.
	SystemdDir string
	// RunDir is emptied by each boot; default /run, or /var/run where there is
	// none.
	RunDir string
}

func (l Layout) withDefaults() Layout {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	def(&l.BaseDir, "/var/lib/oust")
	def(&l.BootIDFile, "/proc/sys/kernel/random/boot_id")
	def(&l.Path, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	def(&l.Shell, "sh")
	def(&l.SystemdDir, "/run/systemd/system")
	def(&l.RunDir, "/run")
	return l
}

// Launch makes the script that starts the job with the zero Layout; see
// Layout.Launch.
func Launch(spec Spec, nonce remediate.Nonce) ([]byte, error) { return Layout{}.Launch(spec, nonce) }

// Join makes the script that looks at the job; see Layout.Join.
func Join(id string, nonce remediate.Nonce) ([]byte, error) { return Layout{}.Join(id, nonce) }

// Clean makes the script that removes the job's folder; see Layout.Clean.
func Clean(id string, nonce remediate.Nonce) ([]byte, error) { return Layout{}.Clean(id, nonce) }

// Launch makes the script that starts the job, waits for its end and reports
// it. It says "accepted" first, so that output which is cut off after that
// stands for a job that goes on without its caller. Launching an id again is
// safe: if the job was claimed, the script reports it at once and starts
// nothing.
func (l Layout) Launch(spec Spec, nonce remediate.Nonce) ([]byte, error) {
	if err := spec.validate(); err != nil {
		return nil, fmt.Errorf("launch: %w", err)
	}
	l = l.withDefaults()
	var w scriptWriter
	w.head(l, spec.ID, nonce)
	launch := "l-" + string(nonce[:min(12, len(nonce))])
	w.set("LAUNCH", launch)
	w.set("SYSTEMD", l.SystemdDir)
	w.set("SHELL_", l.Shell)
	job := jobScript(l, spec, launch)
	size := len(job) + len(spec.Script)
	for _, secret := range spec.Secrets {
		size += len(secret)
	}
	w.setInt("SIZE", size)
	w.line("stage_files() {")
	w.file("job", job)
	w.file("script", spec.Script)
	for _, name := range slices.Sorted(maps.Keys(spec.Secrets)) {
		w.file("secrets/"+name, []byte(spec.Secrets[name]))
	}
	w.line("}")
	w.include("base", "report", "launch")
	return w.bytes()
}

// Join makes the script that reports the job as it is, without waiting. Of a
// job that died it removes the secrets; apart from that it changes nothing.
func (l Layout) Join(id string, nonce remediate.Nonce) ([]byte, error) {
	return l.plain("join", id, nonce)
}

// Clean makes the script that removes the attempt's folder and, if it is this
// attempt's, the lock; a job that still runs is left alone. It may be
// repeated. Its output is for ParseCleaned.
func (l Layout) Clean(id string, nonce remediate.Nonce) ([]byte, error) {
	return l.plain("clean", id, nonce)
}

func (l Layout) plain(name, id string, nonce remediate.Nonce) ([]byte, error) {
	if err := checkID(id); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var w scriptWriter
	w.head(l.withDefaults(), id, nonce)
	w.include("base", "report", name)
	return w.bytes()
}

// jobScript is the job's own file.
func jobScript(l Layout, spec Spec, launch string) []byte {
	var w scriptWriter
	w.env(l, spec.ID)
	w.line("export PATH LC_ALL=C HOME=/root")
	w.line("[ -d /root ] || HOME=/var/root")
	w.set("LAUNCH", launch)
	w.set("SHELL_", l.Shell)
	w.set("CAMPAIGN", spec.Campaign)
	w.set("CONTROLLER", spec.Controller)
	w.setInt("MAXKEPT", maxKept)
	w.setInt("HEADKEPT", headKept)
	w.include("base", "job")
	return []byte(w.b.String())
}

// scriptWriter puts a script together. The first error is kept for bytes.
type scriptWriter struct {
	b   strings.Builder
	err error
}

func (w *scriptWriter) line(s string)             { w.b.WriteString(s + "\n") }
func (w *scriptWriter) set(name, value string)    { w.line(name + "=" + quote(value)) }
func (w *scriptWriter) setInt(name string, n int) { w.line(fmt.Sprintf("%s=%d", name, n)) }

// env is what both the scripts and the job start with. What a login may have
// left in the environment must not change what shells and loaders do.
func (w *scriptWriter) env(l Layout, id string) {
	w.line("unset IFS ENV BASH_ENV CDPATH LD_PRELOAD LD_LIBRARY_PATH")
	w.line("umask 077")
	w.set("PATH", l.Path)
	w.set("BASE", l.BaseDir)
	w.set("ID", id)
	w.line(`DIR="$BASE/$ID"`)
	w.set("BOOTFILE", l.BootIDFile)
}

// head is what the scripts about a job start with.
func (w *scriptWriter) head(l Layout, id string, nonce remediate.Nonce) {
	w.env(l, id)
	w.line("export PATH LC_ALL=C")
	w.setInt("MAXLOG", maxTail+1) // one more tells that it was cut
	w.setInt("MAXRESULT", maxResult)
	w.frames(nonce, kind, secAccepted, secWaiting, secState, secDetail, secResult, secHead, secLog)
}

// frames are the functions that print the lines between sections.
func (w *scriptWriter) frames(nonce remediate.Nonce, kind string, sections ...string) {
	if !validNonce(nonce) && w.err == nil {
		w.err = fmt.Errorf("bad nonce %q", remediate.ClipText(string(nonce)))
	}
	w.line("frame_begin() { " + nonce.Begin(kind) + "; }")
	for _, s := range sections {
		w.line("frame_" + s + "() { " + nonce.Section(s) + "; }")
	}
	w.line("frame_end() { " + nonce.End() + "; }")
}

// include adds files of sh/, without their comments and indentation.
func (w *scriptWriter) include(names ...string) {
	for _, name := range names {
		text, err := shFiles.ReadFile("sh/" + name + ".sh")
		if err != nil && w.err == nil {
			w.err = err
		}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimLeft(line, "\t")
			if line == "\n" || strings.HasPrefix(line, "#") {
				continue
			}
			w.b.WriteString(line)
		}
	}
}

// file writes data to a file of the launch's folder. printf is a builtin of
// every shell that we know, so that no data appears on a command line.
func (w *scriptWriter) file(name string, data []byte) {
	w.line(`printf '` + printfFormat(data) + `' >"$RUN_"/` + quote(name) + ` || return 1`)
}

func (w *scriptWriter) bytes() ([]byte, error) {
	if w.err != nil {
		return nil, w.err
	}
	return []byte(w.b.String()), nil
}
