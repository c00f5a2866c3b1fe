package engine

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

// minForm is how long a form that is not the secret as it is must be, in bytes.
const minForm = 6

// maskForms are the forms in which a secret may stand in what a host prints:
// as it is, quoted for shells and Windows Installer, escaped for JSON, XML and
// addresses, in UTF-16, and each of the bytes in hexadecimal and in base64.
func maskForms(plain string) []string {
	if plain == "" {
		return nil
	}
	out := []string{
		plain,
		strings.ReplaceAll(plain, `"`, `""`),     // as Windows Installer is given it
		strings.Join(strings.Fields(plain), " "), // as oneLine leaves it
		strings.ReplaceAll(plain, "%", "%%"),     // in a batch file
		strings.ReplaceAll(plain, `'`, `'\''`),   // as sh -x shows it
		strings.ReplaceAll(plain, `'`, `'"'"'`),  // and as some quote for it
		strings.ReplaceAll(plain, `'`, `''`),     // in PowerShell and in YAML
		strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(plain),
		strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(plain), // in double quotes of sh
	}
	out = append(out, escapedForms(plain)...)
	little, big := utf16Bytes(plain, binary.LittleEndian), utf16Bytes(plain, binary.BigEndian)
	for _, data := range [][]byte{[]byte(plain), little, big} {
		out = append(out, byteForms(data)...)
	}
	out = append(out, string(little), string(big))
	return slices.DeleteFunc(out, func(form string) bool { return form != plain && len(form) < minForm })
}

// escapedForms are those of addresses, JSON, XML and HTML, and what a console
// leaves that has no letters beyond ASCII.
func escapedForms(plain string) []string {
	var x bytes.Buffer
	_ = xml.EscapeText(&x, []byte(plain)) // to a buffer
	named := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(plain)
	query, path := url.QueryEscape(plain), url.PathEscape(plain)
	lossy := strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, plain)
	return []string{
		x.String(), named, html.EscapeString(plain), query, path, lowerPercent(query), lowerPercent(path),
		jsonText(plain, false), jsonText(plain, true), asciiJSON(jsonText(plain, false)), asciiJSON(jsonText(plain, true)), lossy, tickedForm(plain),
	}
}

// tickedForm is how look.ps1 prints what is not ASCII.
func tickedForm(plain string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(plain)) {
		if u >= ' ' && u <= '~' && u != '`' {
			b.WriteByte(byte(u))
		} else {
			b.WriteString("`" + hex.EncodeToString([]byte{byte(u >> 8), byte(u)}))
		}
	}
	return b.String()
}

func jsonText(plain string, escapeHTML bool) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(escapeHTML)
	_ = e.Encode(plain) // a string, to a buffer
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimRight(b.String(), "\n"), `"`), `"`)
}

// asciiJSON writes letters beyond ASCII with their numbers.
func asciiJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r <= unicode.MaxASCII {
			b.WriteRune(r)
			continue
		}
		for _, u := range utf16.Encode([]rune{r}) {
			b.WriteString(`\u` + hex.EncodeToString([]byte{byte(u >> 8), byte(u)}))
		}
	}
	return b.String()
}

// lowerPercent writes the digits after percent signs in small letters.
func lowerPercent(text string) string {
	out := []byte(text)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:i+3], bytes.ToLower(out[i+1:i+3]))
		}
	}
	return string(out)
}

func utf16Bytes(text string, order binary.AppendByteOrder) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

// byteForms are bytes in hexadecimal, and what base64 of any text has in
// common that holds them, wherever in it they stand.
func byteForms(data []byte) []string {
	small := hex.EncodeToString(data)
	out := []string{small, strings.ToUpper(small)}
	for before := range 3 {
		padded := append(make([]byte, before), data...)
		from, to := (8*before+5)/6, 8*len(padded)/6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			out = append(out, encoding.EncodeToString(padded)[from:to])
		}
	}
	return out
}

// sortForms puts the longest first, each once, and leaves out empty ones.
func sortForms(forms []string) []string {
	forms = slices.DeleteFunc(forms, func(form string) bool { return form == "" })
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(forms)
}
