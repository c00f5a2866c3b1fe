package ledger

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// consentLine cannot stand in a head, whose second line is a number.
const consentLine = "this key is followed by the key"

// Consent says, signed with this key, that another one follows it: what
// remediate.KeyChanged has of it. The text is a signed note of three lines: the
// key's name, consentLine and the other public key.
func (s *Signer) Consent(next string) (string, error) {
	if _, err := newVerifier(next); err != nil {
		return "", fmt.Errorf("consent to another key: %w", err)
	}
	text, err := note.Sign(&note.Note{Text: consentText(s.Origin(), next)}, s.note)
	if err != nil {
		return "", fmt.Errorf("consent to another key: %w", err)
	}
	return string(text), nil
}

func consentText(origin, next string) string {
	return strings.Join([]string{origin, consentLine, next, ""}, "\n")
}

// checkConsent reports whether the key before has signed that next follows it.
func checkConsent(consent, before, next string) error {
	v, err := newVerifier(before)
	if err != nil {
		return err
	}
	n, err := note.Open([]byte(consent), note.VerifierList(v))
	if err != nil {
		return fmt.Errorf("the consent of the key before: %w", err)
	}
	if n.Text != consentText(v.Name(), next) {
		return errors.New("the key before has consented to another key")
	}
	return nil
}
