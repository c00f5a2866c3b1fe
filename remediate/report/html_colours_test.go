package report_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// token is a colour of the style sheet, by its name.
var token = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`)

// luminance is relative luminance, see
// https://www.w3.org/TR/WCAG22/#dfn-relative-luminance.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	linear := func(c uint64) float64 {
		v := float64(c&0xff) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
}

// TestHTMLContrast: text has the contrast of WCAG 2.2, level AA, and what is
// drawn has that of 1.4.11, in light and in dark. A browser cannot tell it of
// text inside of charts.
func TestHTMLContrast(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("html/style.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, ok := strings.Cut(string(css), "@media screen and (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("there is no dark scheme")
	}
	for scheme, text := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]float64{}
		for _, m := range token.FindAllStringSubmatch(text, -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		check := func(least float64, on string, names ...string) {
			for _, name := range names {
				a, okA := colours[name]
				b, okB := colours[on]
				if !okA || !okB {
					t.Fatalf("%s: there is no colour %s or %s", scheme, name, on)
				}
				if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < least {
					t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", scheme, name, on, ratio, least)
				}
			}
		}
		check(4.5, "paper", "text", "quiet", "link", "good", "warn", "bad")
		check(4.5, "gap-paper", "text", "link", "warn")
		check(4.5, "raised", "text")
		check(3, "paper", "rule-strong", "c-clear", "c-removed", "c-exempt", "c-unseen", "c-present", "c-reappeared")
	}
}
