package remediate

import "strings"

// usersPrefix begins a path below the folder of each user of a Windows host.
const usersPrefix = `%SystemDrive%\Users\*\`

// PerUserPath cuts a path that means one below the folder of each user, such as
// %SystemDrive%\Users\*\AppData\Local\Acme, into the folder of the users and what
// is below each of theirs. ok is false for every other path.
//
// A look gives one PathFact for it: what stands there for the first user who has
// it, with Full as that user's path; PathAbsent where no user has it; and
// PathDenied where none was seen to have it and one could not be looked at.
func PerUserPath(path string) (users, below string, ok bool) {
	if len(path) <= len(usersPrefix) || !strings.EqualFold(path[:len(usersPrefix)], usersPrefix) {
		return "", "", false
	}
	below = path[len(usersPrefix):]
	return path[:len(usersPrefix)-len(`\*\`)], below, !strings.ContainsAny(below, "*?")
}
