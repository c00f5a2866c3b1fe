package remediate

// Class says why an attempt or a look failed. Each class has its own retry
// rule and its own advice.
type Class string

// The failure classes.
const (
	ClassUnreachable  Class = "unreachable"
	ClassAuth         Class = "auth"
	ClassUntrusted    Class = "untrusted"
	ClassBusy         Class = "busy"
	ClassProtected    Class = "protected"
	ClassPrivilege    Class = "privilege"
	ClassTimeout      Class = "timeout"
	ClassLostContact  Class = "lost-contact"
	ClassUninstaller  Class = "uninstaller"
	ClassResidue      Class = "residue"
	ClassStillPresent Class = "still-present"
	ClassUnsupported  Class = "unsupported"
	ClassInternal     Class = "internal"
)

type classInfo struct {
	class   Class
	meaning string
	advice  string
}

var classTable = []classInfo{
	{ClassUnreachable, "no connection could be made", "check that the host is on, its address and port, and the firewall between"},
	{ClassAuth, "the host refused the login", "check the credential's user, key or password; do not repeat it blindly, accounts lock"},
	{ClassUntrusted, "the host could not prove who it is", "find out why its key or certificate changed before you trust the new one"},
	{ClassBusy, "another installer or another attempt is at work", "run again later; it ends by itself"},
	{ClassProtected, "the product refused its removal", "give the right uninstall password, or switch off self-protection in its console"},
	{ClassPrivilege, "administrator rights could not be had", "use root or a credential with become: sudo, and check the sudo rules"},
	{ClassTimeout, "a step took longer than it was given", "look at the host; a removal that had begun goes on there: apply or verify again later"},
	{ClassLostContact, "the connection ended and the host did not come back in time", "run the same command again; the job on the host is joined, not repeated"},
	{ClassUninstaller, "the uninstaller failed", "read its output with 'oust status HOST' and mend the host or the playbook"},
	{ClassResidue, "the product is gone, parts of it are not", "remove what is listed by hand, or plan again if the playbook can remove it"},
	{ClassStillPresent, "the uninstaller said it was done, and the product is still there", "look at the host; the uninstaller's exit code is not to be believed"},
	{ClassUnsupported, "oust has no way to do this on this host", "remove the product by hand, or write a playbook for it"},
	{ClassInternal, "oust itself failed", "please report it with the log"},
}

// Classes lists all classes in the order in which reports show them.
func Classes() []Class {
	out := make([]Class, len(classTable))
	for i, c := range classTable {
		out[i] = c.class
	}
	return out
}

// Meaning is one clause that explains the class to a person.
func (c Class) Meaning() string { return c.info().meaning }

// Advice is one clause that says what to do next.
func (c Class) Advice() string { return c.info().advice }

// Known reports whether c is one of the classes.
func (c Class) Known() bool { return c.info().class == c && c != "" }

func (c Class) info() classInfo {
	for _, i := range classTable {
		if i.class == c {
			return i
		}
	}
	return classInfo{class: ClassInternal, meaning: "unknown class", advice: "please report it with the log"}
}
