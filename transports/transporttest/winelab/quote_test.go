package winelab

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oust/remediate"
	"oust/transports/lab/wsman"
)

// signs are what a line of cmd can trip over, with words that are variables.
var signs = []string{"%", "^", "&", "|", "<", ">", "(", ")", `"`, "!", "'", "`", ",", ";", "=", " ", "  ", "\t", "%PATH%", "%1", "%*", "!PATH!",
	"%%", "^^", `\`, `\"`, "a", "Z", "0", "~", "@", ":", "echo", "rem", "on", "off", "/?", "*", "?", ".", "-", "+", "#", "$", "{", "}", "[", "]", "2>", "&&"}

func anyText(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(12) {
		b.WriteString(signs[r.IntN(len(signs))])
	}
	return b.String()
}

// through sends texts through SetCmd and EchoCmd and cmd, and returns what
// came of each.
func through(t testing.TB, h *Host, texts []string) (set, echoed []string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("@echo off\r\nsetlocal EnableExtensions DisableDelayedExpansion\r\n")
	for i, text := range texts {
		line, err := remediate.SetCmd(fmt.Sprintf("OUST_T%d", i), text)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(line + "\r\n")
	}
	b.WriteString("set OUST_T\r\n")
	for i, text := range texts {
		line, err := remediate.EchoCmd(text, remediate.CmdBatch)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "echo line %d\r\n%s\r\n", i, line)
	}
	b.WriteString("echo line end\r\n")
	if err := os.WriteFile(filepath.Join(h.Root, "quote.cmd"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var printed lockedBuffer
	p, err := h.Start(t.Context(), wsman.Command{Line: `C:\quote.cmd`, Stdin: strings.NewReader(""), Stdout: &printed, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	out := printed.String()
	set = make([]string, len(texts))
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\r\n")
		var i int
		if n, _ := fmt.Sscanf(line, "OUST_T%d=", &i); n == 1 && i < len(texts) {
			_, set[i], _ = strings.Cut(line, "=")
		}
	}
	for i := range texts {
		_, rest, _ := strings.Cut(out, fmt.Sprintf("line %d\r\n", i))
		next := fmt.Sprintf("\r\nline %d\r\n", i+1)
		if i == len(texts)-1 {
			next = "\r\nline end\r\n"
		}
		text, _, _ := strings.Cut(rest, next)
		echoed = append(echoed, text)
	}
	return set, echoed
}

// check compares, but for what wine reads otherwise than Windows: it takes
// "echo.on" for "echo on", and where a value of SET has quotes it leaves some
// carets double.
func check(t *testing.T, h *Host, texts []string) {
	t.Helper()
	texts = slices.DeleteFunc(texts, func(s string) bool {
		word := strings.ToLower(strings.TrimSpace(s))
		return word == "on" || word == "off"
	})
	if len(texts) == 0 {
		return
	}
	set, echoed := through(t, h, texts)
	for i, text := range texts {
		if set[i] != text && !(strings.Contains(text, `"`) && strings.Contains(text, "^")) {
			t.Errorf("SET: %q came back as %q", text, set[i])
		}
		if echoed[i] != text {
			t.Errorf("ECHO: %q came back as %q", text, echoed[i])
		}
	}
}

// TestQuoting: values come back from a real cmd as they were.
func TestQuoting(t *testing.T) {
	h := Start(t, Options{})
	r := rand.New(rand.NewPCG(1, 2))
	texts := []string{`"C:\Program Files (x86)\u.exe" /S & del`, "100%", `a"b&c"d`, "on", "OFF", "/?", "^", "a^", `"`, `""`, "x "}
	for range 300 {
		texts = append(texts, anyText(r))
	}
	check(t, h, texts)
}

// FuzzQuoting: any text that a line can hold comes back from a real cmd as it
// was.
func FuzzQuoting(f *testing.F) {
	for _, seed := range []string{`%PATH% & "x" ^ !y!`, `a"b|c"d`, "(x) > y < z", "\t"} {
		f.Add(seed)
	}
	h := Start(f, Options{})
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := remediate.SetCmd("X", text); err != nil || len(text) > 2000 {
			return
		}
		for _, r := range text {
			if r > 126 {
				return // wine's cmd has no letters but ASCII here
			}
		}
		check(t, h, []string{text})
	})
}
