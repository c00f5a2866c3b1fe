// Package winrm reaches Windows hosts over WinRM (WS-Management, MS-WSMV). It
// implements the contract of package transports: commands run in a cmd shell,
// messages travel over TLS or sealed, and no call outlives its deadline
// whatever the peer does.
//
// Of github.com/masterzen/winrm it uses the builders of requests, but for that
// of Command, and the parsers of the replies to Create and Command. Its Client, Shell and Command
// are not used: they take faults for output, wait for ever on a peer that
// stalls, and fall back to messages in the clear. Its parser of the reply to
// Receive is not used either: it takes a missing exit code for 0 and ignores
// broken base64. NTLM is github.com/bodgit/ntlmssp, with a check in front of
// what it would not survive.
//
// Kerberos is made of the messages and the ciphers of
// github.com/jcmturner/gokrb5. Its client is not used: its talks with KDCs
// know no context, and are not bounded in size; its tokens cannot be bound to
// TLS; it does not check the host's proof, and has no seals.
//
// A connection is one TCP connection with one login and one shell, since NTLM
// logs a TCP connection in and its seals count messages. HTTP is therefore
// spoken on that connection directly, and no pool of net/http stands between.
// A second one is opened for a while where input and output must flow at the
// same time.
package winrm
