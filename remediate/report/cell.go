package report

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxCell bounds the text of a CSV cell, in characters: a cell of Excel holds
// 32,767.
const MaxCell = 32_000

// formulaStarts are the characters with which a spreadsheet's formula can begin
// (OWASP, CSV Injection), and their full-width forms.
const formulaStarts = "=+-@\t\r\n＝＋－＠"

// innerFormula is the start of a formula in the middle of a text. Where commas
// are for decimals, a spreadsheet takes semicolons, or tabs, to part cells
// (OWASP, CSV Injection): what follows one begins a cell there, and quotes do
// not hold it back.
var innerFormula = regexp.MustCompile(`([;\t][\s"]*)([=+\-@＝＋－＠])`)

// cell makes text fit for a cell: what could be taken for a formula is not one,
// line breaks are spaces, and other control characters are U+FFFD.
func cell(s string) string {
	if plainCell(s) {
		return s
	}
	s = strings.ToValidUTF8(s, "\ufffd")
	formula := s != "" && strings.ContainsRune(formulaStarts, firstRune(s))
	s = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\u2028", " ", "\u2029", " ").Replace(s)
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' || r == 0xfeff {
			return '\ufffd'
		}
		return r
	}, s)
	if formula || s != "" && strings.ContainsRune(formulaStarts, firstRune(strings.TrimLeft(s, " "))) {
		s = "'" + s
	}
	s = innerFormula.ReplaceAllString(s, "$1'$2")
	if utf8.RuneCountInString(s) > MaxCell {
		s = string([]rune(s)[:MaxCell-3]) + "..."
	}
	return s
}

// plainCell reports whether s, which most texts are, needs nothing.
func plainCell(s string) bool {
	if s == "" {
		return true
	}
	if first := s[0]; first == '=' || first == '+' || first == '-' || first == '@' || first == ' ' || len(s) > MaxCell || strings.Contains(s, ";") {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}
