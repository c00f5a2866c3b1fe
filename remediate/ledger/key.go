package ledger

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// Signer signs heads with an Ed25519 key. It prints as its public key.
type Signer struct {
	note   note.Signer
	public string
	secret string // as note.GenerateKey writes it
}

// Origin is the name of the key of a campaign: "oust/" and the campaign's name,
// with a dash for every character that names of keys do not have.
func Origin(campaign string) string {
	const most = 200
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}, strings.ToValidUTF8(campaign, "-"))
	for len(name) > most {
		_, last := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-last]
	}
	return "oust/" + name
}

// NewSigner makes a new key with the name origin, which has no spaces and no
// "+". It is in memory alone: see Save.
func NewSigner(origin string) (*Signer, error) {
	if !validName(origin) {
		return nil, fmt.Errorf("make a key: the name %q: want no spaces and no +", origin)
	}
	secret, _, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return parseSigner(secret)
}

// errNoKey says nothing of what was found instead, which may be a secret.
var errNoKey = errors.New("it is not a key of a ledger")

// parseSigner reads the line that note.GenerateKey writes.
func parseSigner(secret string) (*Signer, error) {
	s, err := note.NewSigner(secret)
	if err != nil {
		return nil, errNoKey
	}
	parts := strings.SplitN(secret, "+", 5) // PRIVATE+KEY+NAME+HASH+BASE64
	seed, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return nil, errNoKey
	}
	public, ok := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return nil, errNoKey
	}
	key, err := note.NewEd25519VerifierKey(s.Name(), public)
	if err != nil {
		return nil, errNoKey
	}
	return &Signer{note: s, public: key, secret: secret}, nil
}

// Public is the public key, as note.NewVerifier reads it.
func (s *Signer) Public() string { return s.public }

// Origin is the key's name.
func (s *Signer) Origin() string { return s.note.Name() }

// String is Public; the secret is never printed.
func (s *Signer) String() string { return s.public }

// GoString is String.
func (s *Signer) GoString() string { return s.public }

// Sign signs a head, whose origin is that of the key; an empty one becomes it.
func (s *Signer) Sign(h Head) (string, error) {
	if h.Origin == "" {
		h.Origin = s.Origin()
	}
	if h.Origin != s.Origin() {
		return "", fmt.Errorf("sign a head: it is of %s, and the key of %s", h.Origin, s.Origin())
	}
	text, err := h.text()
	if err != nil {
		return "", fmt.Errorf("sign a %w", err)
	}
	signed, err := note.Sign(&note.Note{Text: text}, s.note)
	if err != nil {
		return "", fmt.Errorf("sign a head: %w", err)
	}
	return string(signed), nil
}

// Countersign adds a signature to a signed head; those that it has stay, and
// one of the same key is replaced. It does not say that they are right.
func (s *Signer) Countersign(signed string) (string, error) {
	if len(signed) > MaxHead {
		return "", fmt.Errorf("countersign a head: %d bytes are more than the %d that a head may have", len(signed), MaxHead)
	}
	_, err := note.Open([]byte(signed), nil)
	unknown, ok := errors.AsType[*note.UnverifiedNoteError](err)
	if !ok {
		return "", fmt.Errorf("countersign a head: %w", err)
	}
	if _, err := parseHead(unknown.Note.Text); err != nil {
		return "", fmt.Errorf("countersign a head: %w", err)
	}
	out, err := note.Sign(unknown.Note, s.note)
	if err != nil {
		return "", fmt.Errorf("countersign a head: %w", err)
	}
	return string(out), nil
}

// newVerifier reads a public key in its one form: NAME+HASH+BASE64.
func newVerifier(key string) (note.Verifier, error) {
	v, err := note.NewVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("%q is no public key: %w; want NAME+HASH+BASE64", shown(key), err)
	}
	parts := strings.SplitN(key, "+", 3)
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil {
		return nil, fmt.Errorf("%q is no public key: %w", shown(key), err)
	}
	if again, err := note.NewEd25519VerifierKey(v.Name(), raw[1:]); err != nil || again != key {
		return nil, fmt.Errorf("%q is no public key in its one form", shown(key))
	}
	return v, nil
}

// shown keeps a secret key, given in place of a public one, out of errors.
func shown(key string) string {
	if strings.Contains(key, "PRIVATE") {
		return "PRIVATE..."
	}
	const most = 200
	return key[:min(len(key), most)]
}

// CheckPublic reports what is wrong with a public key, and returns its name.
func CheckPublic(key string) (name string, err error) {
	v, err := newVerifier(key)
	if err != nil {
		return "", err
	}
	return v.Name(), nil
}
