package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"oust/remediate"
)

// line is a record's text: one JSON object, its keys in this order.
type line[B any] struct {
	N    int64                `json:"n"`
	Kind remediate.RecordKind `json:"kind"`
	At   time.Time            `json:"at"`
	By   string               `json:"by"`
	Host string               `json:"host,omitempty"`
	Body B                    `json:"body"`
}

// Encode gives the one text of a record: a line of JSON without its end.
//
//   - Keys stand in the order of the fields of the record and of its body, and
//     nothing stands between tokens.
//   - Strings are written as RFC 8785 (3.2.2.2) has it; bytes that are no UTF-8
//     have become U+FFFD.
//   - Times are UTC in RFC 3339, cut to whole microseconds, with no zeros at
//     the end of a fraction and no fraction that is zero.
//   - A list that may not be left out and has no entries is [].
//
// The text is at most remediate.MaxRecord bytes.
func Encode(number int64, r remediate.Record) ([]byte, error) {
	if number < 0 {
		return nil, fmt.Errorf("encode a record: the number %d is below 0", number)
	}
	f, ok := forms[r.Kind]
	if !ok {
		return nil, fmt.Errorf("encode record %d: there is no kind %q", number, r.Kind)
	}
	body, err := f.settle(r.Body)
	if err != nil {
		return nil, fmt.Errorf("encode record %d: kind %s: %w", number, r.Kind, err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(line[any]{N: number, Kind: r.Kind, At: moment(r.At), By: r.By, Host: r.Host, Body: body}); err != nil {
		return nil, fmt.Errorf("encode record %d: %w", number, err)
	}
	text := plain(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	if len(text) > remediate.MaxRecord {
		return nil, fmt.Errorf("encode record %d: %d bytes are more than the %d that a record may have", number, len(text), remediate.MaxRecord)
	}
	return text, nil
}

// errForm: the text is JSON, and not what Encode writes.
var errForm = errors.New("it is not written as records are written")

// Decode reads what Encode wrote, and refuses any other text.
func Decode(text []byte) (number int64, r remediate.Record, err error) {
	if len(text) > remediate.MaxRecord {
		return 0, r, fmt.Errorf("read a record: %d bytes are more than the %d that a record may have", len(text), remediate.MaxRecord)
	}
	f, ok := forms[kindOf(text)]
	if !ok {
		return 0, r, fmt.Errorf("read a record: %w, or of no kind that there is", errForm)
	}
	if number, r, err = f.read(text); err != nil {
		return 0, remediate.Record{}, fmt.Errorf("read a record: %w", err)
	}
	again, err := Encode(number, r)
	if err != nil || !bytes.Equal(again, text) {
		return 0, remediate.Record{}, fmt.Errorf("read a record: %w", errors.Join(errForm, err))
	}
	return number, r, nil
}

// kindOf finds the kind where Encode writes it.
func kindOf(text []byte) remediate.RecordKind {
	number, rest, _ := bytes.Cut(text, []byte(`,"kind":"`))
	kind, _, _ := bytes.Cut(rest, []byte(`"`))
	if !bytes.HasPrefix(number, []byte(`{"n":`)) {
		return ""
	}
	return remediate.RecordKind(kind)
}

// plain puts the characters that encoding/json escapes, and RFC 8785 does not,
// in place of their escapes. It works in place.
func plain(text []byte) []byte {
	out := text[:0]
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 || i+1 >= len(text) {
			return append(out, text...)
		}
		out, text = append(out, text[:i]...), text[i:]
		c, n := rune(0), 0
		if text[1] == 'u' {
			c, n = bare(text)
		}
		if n == 0 {
			out, text = append(out, text[:2]...), text[2:]
			continue
		}
		out, text = utf8.AppendRune(out, c), text[n:]
	}
}

// bare is the character that the escape at the beginning of text should not
// hide, and the escape's length; 0 if it is another escape.
func bare(text []byte) (c rune, n int) {
	for _, c := range [...]rune{'\u2028', '\u2029', utf8.RuneError} {
		if escape := fmt.Sprintf(`\u%04x`, c); bytes.HasPrefix(text, []byte(escape)) {
			return c, len(escape)
		}
	}
	return 0, 0
}

// moment is a time as records have it.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
