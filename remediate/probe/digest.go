package probe

import (
	"bytes"
	"fmt"

	"oust/remediate"
)

// blank stands in a script for the nonce, which is another one each time.
const blank = remediate.Nonce("00000000000000000000000000000000")

// Digest is the digest of the script that looks at hosts of a platform, with
// its questions and without its nonce. second says that Windows is asked the
// second question as well, whose script then follows the first. The error is
// that of Cmd.
func Digest(p remediate.Platform, q remediate.Questions, second bool) (string, error) {
	if p != remediate.Windows {
		return remediate.Digest(Sh(q, blank)), nil
	}
	script, err := Cmd(q, blank)
	if err != nil {
		return "", fmt.Errorf("digest of the look: %w", err)
	}
	if second {
		script = bytes.Join([][]byte{script, PowerShell(blank)}, nil)
	}
	return remediate.Digest(script), nil
}
