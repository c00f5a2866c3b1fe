package probe

import (
	"fmt"
	"strings"

	"oust/remediate"
)

// askUsers asks for a path below the folder of each user. It prints, as askPaths
// does for one path, a line without attributes for each user, one for each who
// has a folder there, one for each who has anything there, and what dir says of
// the others. Hidden folders, such as the one that those of new users are made
// after, are passed over, as FOR /D does.
func askUsers(line func(string, ...any), path, users, below string) error {
	variable, rest, problem := splitPath(users + `\user\` + below)
	if problem != "" {
		return fmt.Errorf("path %q: %w: %s", clean(path), ErrCannotAsk, problem)
	}
	folders := variable + literal(strings.TrimSuffix(rest, `\user\`+below))
	word := `%~u\` + literal(below)
	line(`echo path %x`, path)
	for _, do := range []string{
		`echo is "` + word + `"`,
		`if exist "` + word + `\" echo is d "` + word + `"`,
		`if exist "` + word + `" echo is - "` + word + `"`,
		`if not exist "` + word + `" dir /b /a "` + word + `" 2>&1 >nul`,
	} {
		// Without quotes, in which wine takes no wildcard; a drive has no blanks.
		line("%s", `for /d %u in (`+folders+`\*) do `+do)
	}
	line(`dir /b /a "%s" 2>&1 >nul`, folders)
	return nil
}

// is takes what a host said of a path. Of a path below the folder of each user
// there is a line for each of them: the first who has it counts.
func (a *pathAnswer) is(attributes, read string) {
	if _, _, users := remediate.PerUserPath(a.path); !users || a.attributes == "" {
		a.attributes, a.read = attributes, read
	}
}

// userPath is path for one below the folder of each user. Only an administrator
// may look into all of these: for others Windows calls absent what they may not
// see.
func (w *winReader) userPath(a pathAnswer) remediate.PathFact {
	w.asked++
	f := remediate.PathFact{Path: clean(a.path), Kind: remediate.PathDenied}
	_, below, _ := remediate.PerUserPath(a.path)
	switch {
	case !strings.HasSuffix(a.read, `\`+below):
		w.incomplete("%s may not be looked at: cmd.exe read it as %q, and said %s", f.Path, clean(a.read), clean(strings.Join(a.said, " ")))
	case a.attributes != "":
		f.Kind, f.Full = kindOf(a.attributes), clean(a.read)
	case !w.facts.Privilege.Root:
		w.incomplete("%s may not be looked at as %s, who is no administrator", f.Path, w.facts.Privilege.User)
	case w.isAbsent("path", a.said):
		f.Kind = remediate.PathAbsent
	default:
		w.unread(a)
	}
	return f
}
