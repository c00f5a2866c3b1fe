package report

import (
	"crypto/sha1" //nolint:gosec // RFC 9562 makes version 5 of it; nothing is kept secret or safe by it.
	"encoding/binary"
	"encoding/hex"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// oscalSpace is the namespace of all UUIDs of campaigns: a random one that
// never changes.
var oscalSpace = oscalUUID{0x6f, 0x1c, 0x5b, 0x0e, 0x93, 0x7d, 0x4a, 0x52, 0xa8, 0x44, 0x1d, 0xc0, 0x37, 0x2e, 0x95, 0xbb}

// oscalUUID is a UUID in its 16 bytes.
type oscalUUID [16]byte

// name is the version 5 UUID of some words inside the namespace u, see RFC
// 9562, section 5.5. Equal words give an equal UUID, in every report.
func (u oscalUUID) name(words ...string) oscalUUID {
	h := sha1.New() //nolint:gosec // see the import
	h.Write(u[:])
	for _, word := range words {
		h.Write(binary.AppendUvarint(nil, uint64(len(word))))
		h.Write([]byte(word))
	}
	var out oscalUUID
	copy(out[:], h.Sum(nil))
	out[6] = out[6]&0x0f | 0x50
	out[8] = out[8]&0x3f | 0x80
	return out
}

// String implements fmt.Stringer.
func (u oscalUUID) String() string {
	var b [36]byte
	hex.Encode(b[:8], u[:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:], u[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// Bounds of text from elsewhere, in bytes.
const (
	oscalMaxLine  = 1 << 10
	oscalMaxProse = 4 << 10
)

// oscalLine makes text fit OSCAL's StringDatatype: one line without control
// characters, that neither begins nor ends with white space and is not empty.
func oscalLine(text string) string {
	if line := oscalPlain(text, oscalMaxLine); line != "" {
		return line
	}
	return "-"
}

// oscalPlain is text on one line of at most limit bytes: white space of any
// kind, control characters and what is no UTF-8 become single spaces, and
// characters that turn the direction of text are left out.
func oscalPlain(text string, limit int) string {
	var out strings.Builder
	gap := false
	for _, r := range text {
		if unicode.Is(unicode.Bidi_Control, r) {
			continue
		}
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) ||
			r == utf8.RuneError || r == '\ufeff' {
			gap = out.Len() > 0
			continue
		}
		if out.Len()+utf8.RuneLen(r)+1 > limit {
			break
		}
		if gap {
			out.WriteByte(' ')
			gap = false
		}
		out.WriteRune(r)
	}
	return out.String()
}

// oscalMarks are what OSCAL's markup (a Markdown) gives a meaning to.
var oscalMarks = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", `*`, `\*`, `[`, `\[`, `]`, `\]`, `<`, `\<`, `>`, `\>`, `~`, `\~`, `^`, `\^`, `{`, `\{`, `|`, `\|`)

// oscalQuote is text from elsewhere as it stands inside markup: on one line,
// and without a meaning of its own.
func oscalQuote(text string) string { return oscalMarks.Replace(oscalPlain(text, oscalMaxProse)) }

// oscalWhen writes a moment, or nothing for one that OSCAL cannot write.
func oscalWhen(t time.Time) string {
	t = t.UTC()
	if t.IsZero() || t.Year() < 1900 || t.Year() > 2999 {
		return ""
	}
	return t.Format(time.RFC3339)
}

// oscalDay is the last second of a date in a zone (see Mandate.Zone), zero if it
// is no date.
func oscalDay(date, zone string) time.Time {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return time.Time{}
	}
	where, err := time.LoadLocation(zone)
	if err != nil {
		where = time.UTC
	}
	return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, -1, 0, where)
}

var (
	oscalURIShape  = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+\-.]+:[!-~]+$`)
	oscalURIOdd    = regexp.MustCompile("[\"<>\\\\^`{|}\\[\\]]|%([^0-9a-fA-F]|.[^0-9a-fA-F]|.?$)")
	oscalMailShape = regexp.MustCompile(`^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$`)
	oscalDialled   = regexp.MustCompile(`^[0-9]{4,15}$`)
)

// oscalURI reports whether text is an absolute URI.
func oscalURI(text string) bool {
	if len(text) > oscalMaxLine || !oscalURIShape.MatchString(text) || oscalURIOdd.MatchString(text) {
		return false
	}
	u, err := url.Parse(text)
	return err == nil && u.IsAbs()
}

// oscalMail reports whether text is a bare mail address.
func oscalMail(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text && len(text) <= 254 && oscalMailShape.MatchString(text)
}

// oscalNumber is a telephone number in the digits that OSCAL wants, or as a
// person wrote it where it holds more than digits and what parts them.
func oscalNumber(text string) string {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" +-.()/", r) {
			return -1
		}
		return r
	}, text)
	if oscalDialled.MatchString(digits) {
		return digits
	}
	return oscalLine(text)
}
