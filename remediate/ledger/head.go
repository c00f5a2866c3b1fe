package ledger

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// Head says what a ledger was at one moment. Its text is a checkpoint
// (c2sp.org/tlog-checkpoint) with two lines of extension:
//
//	oust/NAME
//	SIZE
//	BASE64 OF THE ROOT
//	time 2026-11-29T14:54:41.25Z
//	campaign ID
type Head struct {
	Origin     string // "oust/" and the campaign's name; also the name of its key
	Size       int64  // in records
	Root       [32]byte
	At         time.Time
	CampaignID string
}

// MaxHead bounds the text of a signed head, in bytes.
const MaxHead = 64 << 10

const (
	timeLine     = "time "
	campaignLine = "campaign "
)

// text is what is signed.
func (h Head) text() (string, error) {
	switch {
	case !validName(h.Origin):
		return "", fmt.Errorf("head: %q is no name of a key: want no spaces and no +", h.Origin)
	case h.Size < 0:
		return "", fmt.Errorf("head: a size of %d", h.Size)
	case !validName(h.CampaignID):
		return "", fmt.Errorf("head: %q is no id of a campaign", h.CampaignID)
	}
	at := moment(h.At)
	if y := at.Year(); y < 0 || y > 9999 {
		return "", fmt.Errorf("head: the year %d", y)
	}
	return fmt.Sprintf("%s\n%d\n%s\n%s%s\n%s%s\n", h.Origin, h.Size, base64.StdEncoding.EncodeToString(h.Root[:]),
		timeLine, at.Format(time.RFC3339Nano), campaignLine, h.CampaignID), nil
}

// validName reports whether a signed note takes a name of a key.
func validName(s string) bool {
	return s != "" && len(s) <= 512 && utf8.ValidString(s) && !strings.Contains(s, "+") &&
		strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) < 0
}

var errHead = errors.New("it is not written as heads are written")

// parseHead reads what text wrote, and nothing else.
func parseHead(text string) (h Head, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 6 {
		return h, errHead
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != len(h.Root) {
		return h, errHead
	}
	at, isTime := strings.CutPrefix(lines[3], timeLine)
	id, isCampaign := strings.CutPrefix(lines[4], campaignLine)
	if !isTime || !isCampaign {
		return h, errHead
	}
	h = Head{Origin: lines[0], CampaignID: id, Root: [32]byte(root)}
	if h.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return h, errHead
	}
	if h.At, err = time.Parse(time.RFC3339Nano, at); err != nil {
		return h, errHead
	}
	h.At = h.At.UTC()
	if again, err := h.text(); err != nil || again != text {
		return h, errHead
	}
	return h, nil
}

// OpenHead reads a signed head. At least one of the trusted keys must have
// signed it, and none of them may have a signature on it that is wrong.
// Signatures by other keys are not looked at.
func OpenHead(text string, trusted ...string) (Head, error) {
	h, _, err := openHead(text, trusted)
	return h, err
}

func openHead(text string, trusted []string) (Head, *note.Note, error) {
	fail := func(err error) (Head, *note.Note, error) { return Head{}, nil, fmt.Errorf("head: %w", err) }
	if len(text) > MaxHead {
		return fail(fmt.Errorf("%d bytes are more than the %d that a head may have", len(text), MaxHead))
	}
	var verifiers []note.Verifier
	for i, key := range trusted {
		if slices.Contains(trusted[:i], key) {
			continue
		}
		v, err := newVerifier(key)
		if err != nil {
			return fail(err)
		}
		verifiers = append(verifiers, v)
	}
	n, err := note.Open([]byte(text), note.VerifierList(verifiers...))
	if unknown, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		return fail(fmt.Errorf("none of the trusted keys has signed it; it is signed by %s", signers(unknown.Note)))
	}
	if err != nil {
		return fail(err)
	}
	for _, s := range n.Sigs {
		if raw, err := base64.StdEncoding.DecodeString(s.Base64); err != nil || base64.StdEncoding.EncodeToString(raw) != s.Base64 {
			return fail(fmt.Errorf("the signature of %s: %w", s.Name, errHead))
		}
	}
	h, err := parseHead(n.Text)
	if err != nil {
		return fail(err)
	}
	return h, n, nil
}

// signers names the keys of a note's signatures.
func signers(n *note.Note) string {
	var names []string
	for _, s := range n.UnverifiedSigs {
		names = append(names, fmt.Sprintf("%s+%08x", s.Name, s.Hash))
	}
	return strings.Join(names, ", ")
}
