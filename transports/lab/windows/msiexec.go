package windows

import (
	"context"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"

	"oust/transports/lab/cmdexe"
)

// Exit codes of Windows Installer: Microsoft, "MsiExec.exe and InstMsi.exe
// error messages".
const (
	msiDone            = 0
	msiUserExit        = 1602
	msiFailure         = 1603
	msiUnknown         = 1605
	msiBusy            = 1618
	msiNoLog           = 1622
	msiBadSyntax       = 1639
	msiRebootInitiated = 1641
	msiRebootRequired  = 3010
)

const inProgressKey = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\InProgress`

// msiCall is what a command line of msiexec.exe asks for.
type msiCall struct {
	code             string // ProductCode
	log              string
	quiet, norestart bool
	properties       map[string]string
	dir              string // OUST_DIR
}

var msiGUID = regexp.MustCompile(`^\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}$`)

func parseMSI(args []string) (m msiCall, ok bool) {
	m.properties = map[string]string{}
	for i := 0; i < len(args); i++ {
		a, low := args[i], strings.ToLower(args[i])
		name, data, isProperty := strings.Cut(a, "=")
		next := func() string {
			if i++; i < len(args) {
				return args[i]
			}
			return ""
		}
		switch {
		case a == "":
		case a[0] != '/' && a[0] != '-' && isProperty:
			m.properties[strings.ToUpper(name)] = data
		case low == "/x" || low == "/uninstall":
			m.code = next()
		case len(low) > 2 && low[:3] == "/x{":
			m.code = a[2:]
		case low == "/qn" || low == "/quiet" || low == "/qb" || low == "/passive":
			m.quiet = true
		case low == "/norestart":
			m.norestart = true
		case strings.HasPrefix(low, "/l"):
			m.log = next()
		default:
			return m, false
		}
	}
	if strings.EqualFold(m.properties["REBOOT"], "ReallySuppress") {
		m.norestart = true
	}
	return m, msiGUID.MatchString(m.code)
}

// msiexec is msiexec.exe /x: it removes a product, with a log if one is asked
// for. Without /qn it waits for a person, for ever.
func msiexec(ctx context.Context, s *Session, c *cmdexe.Call) int {
	m, ok := parseMSI(c.Args)
	if !ok {
		return msiBadSyntax
	}
	m.dir = c.Getenv("OUST_DIR")
	log := &msiLog{}
	exit := s.uninstall(ctx, m, log)
	log.line("MainEngineThread is returning %d", exit)
	if m.log != "" && !log.write(s.host.Files, clean(m.log)) {
		return msiNoLog
	}
	if exit == msiRebootInitiated {
		s.host.later.Go(s.host.Reboot)
	}
	return exit
}

func (s *Session) uninstall(ctx context.Context, m msiCall, log *msiLog) int {
	h := s.host
	p := h.image.productByCode(m.code)
	log.line("=== Verbose logging started: %s  Build type: SHIP UNICODE 5.00.10011.00  Calling process: C:\\Windows\\system32\\msiexec.exe ===",
		h.now().Format("1/2/2006  15:04:05"))
	switch {
	case p == nil || !h.Installed(p):
		log.line("MSI (s): Product %s is not installed.", m.code)
		return msiUnknown
	case !s.account.admin:
		log.line("MSI (s): Product: %s. The user may not remove it.", p.Title)
		return msiFailure
	case !m.quiet:
		<-ctx.Done() // a question that nobody answers
		return msiUserExit
	}
	if !h.takeInstaller() {
		log.line("MSI (c): Failed to grab execution mutex. System error 258.")
		return msiBusy
	}
	defer h.freeInstaller()
	h.count(p, m.dir)
	if h.says != "" {
		log.line("%s", h.says)
	}
	log.line("MSI (s): Running product '%s' with elevated privileges: Product is assigned.", strings.ToUpper(m.code))
	return h.removeMSI(ctx, p, m, log)
}

// takeInstaller: one installation runs at a time on a machine.
func (h *Host) takeInstaller() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.installing || h.fault == FaultBusy {
		return false
	}
	h.installing = true
	h.Registry.Set(inProgressKey, "", regSZ, "")
	return true
}

func (h *Host) freeInstaller() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.installing = false
	h.Registry.Remove(inProgressKey)
}

func (h *Host) removeMSI(ctx context.Context, p *Product, m msiCall, log *msiLog) int {
	if !p.allows(h.wanted(), m.properties) {
		log.line("CustomAction CheckPassword returned actual error code 1603")
		log.line("Error 27300. The password is incorrect.")
		log.line("MSI (s): Product: %s -- Removal failed.", p.Title)
		return msiFailure
	}
	takes := p.Takes
	h.mu.Lock()
	fault := h.fault
	h.mu.Unlock()
	if h.victim() != p {
		fault = ""
	}
	if asksRestart(fault) {
		fault = FaultReboot
	}
	switch fault {
	case FaultDrop:
		h.Drop()
	case FaultHangs:
		<-ctx.Done()
		return msiUserExit
	}
	if h.clock.Sleep(ctx, takes) != nil {
		log.line("MSI (s): The operation was cancelled; rolling back.")
		return msiUserExit
	}
	switch fault {
	case FaultFails:
		log.line("CustomAction RemoveDrivers returned actual error code 1603")
		log.line("MSI (s): Product: %s -- Error 1721. A program required for this install to complete could not be run.", p.Title)
		return msiFailure
	case FaultLies:
		log.line("MSI (s): Product: %s -- Removal completed successfully.", p.Title)
		return msiDone
	}
	restart := h.remove(p, fault) || fault == FaultReboot
	log.line("MSI (s): Product: %s -- Removal completed successfully.", p.Title)
	h.changed()
	switch {
	case !restart:
		return msiDone
	case m.norestart:
		log.line("MSI (s): Windows Installer requires a system restart.")
		return msiRebootRequired
	}
	return msiRebootInitiated
}

// wanted is the password that products ask for.
func (h *Host) wanted() string {
	if h.hasFault(FaultPassword) {
		return "another one than anybody was told"
	}
	return h.password
}

// allows reports whether the properties of a call have the product's password.
func (p *Product) allows(password string, properties map[string]string) bool {
	if password == "" || p.asks == "" {
		return true
	}
	given := properties[p.asks]
	if p.hexadecimal {
		return strings.EqualFold(given, utf16Hex(password))
	}
	return given == password && (p.login == "" || strings.EqualFold(properties["KLLOGIN"], p.login))
}

// utf16Hex is a text in UTF-16LE as hexadecimal digits.
func utf16Hex(s string) string { return hex.EncodeToString(utf16LE(s)) }

func utf16LE(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// msiLog is a log of Windows Installer: UTF-16LE with a mark of the byte
// order.
type msiLog struct{ text strings.Builder }

func (l *msiLog) line(format string, args ...any) { fmt.Fprintf(&l.text, format+"\r\n", args...) }

func (l *msiLog) write(files cmdexe.Files, path string) bool {
	f, err := files.Create(path, false)
	if err != nil {
		return false
	}
	_, err = f.Write(append([]byte{0xff, 0xfe}, utf16LE(l.text.String())...))
	return f.Close() == nil && err == nil
}
