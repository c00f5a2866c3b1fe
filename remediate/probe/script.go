package probe

import (
	_ "embed"
	"regexp"
	"strconv"
	"strings"

	"oust/remediate"
)

// Kind is the kind and version of the framed output.
const Kind = "look-unix 1"

//go:embed look.sh
var lookScript string

// Sh makes the script of a look at a Unix host, for the standard input of
// remediate.ShLine. It forks about ten times on a usual Linux system. As a
// user without rights it finds less, and says what it was not allowed to see.
//
// It writes no file. What the programs do that it asks is theirs: an rpm with
// a SQLite database freshens the database's shared-memory index when root
// asks, and sudo logs. Commands that can hang are ended after 10 to 40 s; a
// folder on a dead network file system can still hold up the shell itself,
// for which the caller's deadline is there.
//
// Whether a service runs is asked of systemd alone: the other service managers
// know that they started one, and not that it still runs. A name that no
// service has is not asked, and stays unknown.
func Sh(q remediate.Questions, nonce remediate.Nonce) []byte {
	return sh(q, nonce, func(string) bool { return true })
}

// pieceMark begins a line of look.sh that names the piece after it: the
// sections of one package manager or of the paths, "always" what every script
// needs, or "once" what is asked once.
const pieceMark = "#: "

// sh makes the script from the pieces that are wanted.
func sh(q remediate.Questions, nonce remediate.Nonce, want func(piece string) bool) []byte {
	var b strings.Builder
	b.WriteString("frame() { printf '\\n@%s %s\\n' " + string(nonce) + " \"$1\"; }\n")
	b.WriteString("ask_paths() {\n:\n")
	for _, p := range q.Paths {
		// The path is printed back quoted, so that any bytes fit on one line.
		b.WriteString("look_at " + quote(p) + " " + quote(strconv.Quote(p)) + "\n")
	}
	b.WriteString("}\n")
	askUnits(&b, q.Services)
	b.WriteString("kind='" + Kind + "'\n")
	in := true
	for l := range strings.Lines(lookScript) {
		if name, ok := strings.CutPrefix(l, pieceMark); ok {
			name = strings.TrimSpace(name)
			in = name == "always" || want(name)
		} else if in {
			b.WriteString(l)
		}
	}
	return []byte(b.String())
}

// serviceName is what a service may be called whose state is asked for: it
// stands in a line of sh or cmd.exe, and begins with no dash.
var serviceName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@:-]{0,127}$`)

// askUnits writes the names that are asked for, and the command that answers
// them all in their order, a line each.
func askUnits(b *strings.Builder, services []string) {
	var names, units []string
	for _, s := range services {
		if serviceName.MatchString(s) {
			names, units = append(names, quote("service "+s)), append(units, quote(s+".service"))
		}
	}
	b.WriteString("ask_services() {\n:\n")
	if len(names) > 0 {
		b.WriteString("frame 'section running'\nprintf '%s\\n' " + strings.Join(names, " ") + "\nunits_run " + strings.Join(units, " ") + "\n")
	}
	b.WriteString("}\n")
}

// quote makes one sh word of any bytes but NUL, which no path can hold.
func quote(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
