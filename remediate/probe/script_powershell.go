package probe

import (
	_ "embed"
	"fmt"
	"strings"

	"oust/remediate"
)

// KindPowerShell is the kind and version of the framed output of the second
// question to a Windows host.
const KindPowerShell = "look-powershell 1"

//go:embed look.ps1
var lookPowerShell string

// PowerShell makes the script of the second question to a Windows host, for
// the standard input of remediate.CmdLine as that of Cmd. It asks what cmd.exe
// and reg.exe do not show: the uninstall entries of users who are not logged
// on, Appx (MSIX) packages, and the virus scanners that the Security Center
// knows. The host needs Windows PowerShell 3.0, and nothing that does not come
// with Windows; what its language mode forbids comes back as a reason.
//
// The whole question is one argument of powershell.exe, in plain text: it is
// not encoded, for that is what malware does, needs no file, and does not come
// by standard input, which Windows PowerShell reads line by line as if typed.
// The execution policy is set aside for this process, since the host's own
// Appx module is a script; a policy of the domain stays stronger.
//
// It changes the host for a moment. The registry of a user who is not logged on
// is a file, NTUSER.DAT. To mount that file itself would write into it, and
// give a user who logs on meanwhile an empty profile. So each file is copied,
// one at a time, into %SystemRoot%\oust-look-NONCE, which administrators alone
// may open; the copy is mounted as HKU\oust-look-NONCE, asked, unmounted and
// deleted, also after an error. What could not be undone is named in
// WindowsFacts.Warnings, and the next such question removes what is older than
// ten minutes. While a file is copied, for some milliseconds, Windows cannot
// open it to log that user on.
func PowerShell(nonce remediate.Nonce) []byte {
	var words []string
	for l := range strings.Lines(strings.ReplaceAll(lookPowerShell, "NONCE", string(nonce))) {
		words = append(words, strings.TrimSpace(l))
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("chcp 65001 >nul 2>nul <nul")
	line("%s", nonce.CmdBegin(KindPowerShell))
	line(`"%%SystemRoot%%\System32\WindowsPowerShell\v1.0\powershell.exe" -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -Command "%s" 2>&1 <nul`,
		strings.Join(words, " "))
	line("%s", nonce.CmdEnd())
	line("exit 0")
	return []byte(b.String())
}
