package engine

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/job"
	"oust/remediate/probe"
	"oust/transports"
)

// TestMask: a secret is masked as it is, as a playbook passes it on, and as a
// line of detail shows it.
func TestMask(t *testing.T) {
	file := filepath.Join(t.TempDir(), "widget.yaml")
	if err := os.WriteFile(file, []byte(`format: 1
name: acme/widget
title: Widget
vendor: Acme
platforms: [linux]
detect: [{package: {managers: [dpkg], names: [widget]}}]
steps:
  - script: {what: ask, text: 'cat "$OUST_DIR/secrets/pass"', exit: {0: ok}}
secrets: [{name: pass, encoding: utf16le-hex}]
confidence: unverified
sources: [{claim: all, source: none, confidence: unverified}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	lib, err := playbooks.LoadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const secret = "two  blanks\tand a tab"
	e := &Engine{Config: Config{Library: lib}.WithDefaults()}
	mask, err := e.newMask(map[string]transports.Secret{"pass": transports.NewSecret("ab")})
	if err != nil {
		t.Fatal(err)
	}
	if got := mask.Replace("ab 61006200"); got != "[redacted] [redacted]" {
		t.Errorf("masked: %q", got)
	}
	if mask, err = e.newMask(map[string]transports.Secret{"pass": transports.NewSecret(secret)}); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"said " + secret, oneLine("said " + secret)} {
		if got := mask.Replace(text); got != "said [redacted]" {
			t.Errorf("masked: %q", got)
		}
	}
}

// TestMaskForms: whatever stands around a form of a secret, the form goes.
func TestMaskForms(t *testing.T) {
	t.Parallel()
	const secret = `Zq7&"x'<%41>\$ö#`
	m := makeMask(maskForms(secret))
	for _, form := range m.forms {
		if got := m.Replace("<" + form + ">"); got != "<"+masked+">" && got != masked+">" {
			t.Errorf("%q becomes %q", form, got)
		}
	}
	for before := range 4 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("<", before) + secret + strings.Repeat(">", 4-before)))
		if got := m.Replace(text); !strings.Contains(got, masked) || len(got) > len(masked)+12 {
			t.Errorf("base64 after %d bytes: %q becomes %q", before, text, got)
		}
	}
	if got := makeMask(maskForms("ab")).Replace("61 YWI= ab 6162"); got != "61 YWI= "+masked+" 6162" {
		t.Errorf("a short secret: %q", got)
	}
	for _, plain := range []string{"", "The password is incorrect. Zq7"} {
		if got := m.Replace(plain); got != plain {
			t.Errorf("%q becomes %q", plain, got)
		}
	}
}

// TestMaskCut: a part of a secret at an end of a text goes, too.
func TestMaskCut(t *testing.T) {
	t.Parallel()
	m := makeMask(maskForms("correct horse battery"))
	for text, want := range map[string]string{
		"it was correct hor...":   "it was [redacted]...",
		"it was correct hor":      "it was [redacted]",
		"se battery was it":       "[redacted] was it",
		"orse battery correct ho": "[redacted] [redacted]",
		"correct...":              "[redacted]...",
		"it is corr":              "it is corr",
		"...":                     "...",
	} {
		if got := m.Replace(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// TestMaskLog: nor is one left where a part of a log is left out.
func TestMaskLog(t *testing.T) {
	t.Parallel()
	m := makeMask(maskForms("correct horse battery"))
	for text, want := range map[string]string{
		"":                               "",
		"\r\n":                           "\r\n",
		"it was correct horse battery\n": "it was [redacted]\n",
		"it was correct horse\n" + job.CutNote + "\nhorse battery, it was\r\n": "it was [redacted]\n" + job.CutNote + "\n[redacted], it was\r\n",
		job.CutNote + "\r\nse battery":                                         job.CutNote + "\r\n[redacted]",
	} {
		if got := string(m.log([]byte(text))); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// maskingEngine is an engine of the playbooks that are shipped, with one
// secret, and what it logs.
func maskingEngine(t *testing.T, secret string) (*Engine, *bytes.Buffer) {
	t.Helper()
	lib, err := playbooks.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	return &Engine{Config: Config{
		Library: lib, Hidden: []transports.Secret{transports.NewSecret(secret)}, Logger: hclog.New(&hclog.LoggerOptions{Output: &said}),
	}.WithDefaults()}, &said
}

// TestMaskLook: a password in a host's registry is not kept with the look, and
// what was found is the same.
func TestMaskLook(t *testing.T) {
	t.Parallel()
	const secret = `Pr7&x'<%41>^y`
	look, err := os.ReadFile("../../testdata/probes/windows/wine-8.0.look")
	if err != nil {
		t.Fatal(err)
	}
	const command = `MsiExec.exe /X{27534751-4A40-48BD-B393-BC3BF28C876E}`
	raw := bytes.ReplaceAll(look[bytes.IndexByte(look, '@'):], []byte(command), []byte(command+" KLPASSWD="+secret))
	facts, err := probe.Reparse(raw)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := maskingEngine(t, secret)
	s := &sight{facts: facts, raw: raw}
	s.findings, s.noted = remediate.Part(e.Library.Match(facts))
	found := PlaybookNames(s.findings)
	facts.Incomplete = []string{"no answer to " + secret}
	e.withoutSecrets(remediate.Host{Name: "h"}, s)
	said, err := json.Marshal([]any{s.facts, s.findings, s.noted})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"raw": string(s.raw), "facts": fmt.Sprintf("%+v", s.facts), "JSON": string(said)} {
		if strings.Contains(text, "Pr7") {
			t.Errorf("%s holds the secret", name)
		}
	}
	if !bytes.Contains(s.raw, []byte("KLPASSWD="+masked)) || len(found) == 0 || !slices.Equal(PlaybookNames(s.findings), found) {
		t.Errorf("found %v, before %v", PlaybookNames(s.findings), found)
	}
	kept, err := e.readFacts(raw)
	if err != nil || strings.Contains(fmt.Sprintf("%+v", kept.Windows), "Pr7") {
		t.Errorf("facts that were kept before hold the secret: %v", err)
	}
}

// TestMaskSecondAnswer: nor is one in the second answer, whose lines are in
// pieces and whose letters are numbers.
func TestMaskSecondAnswer(t *testing.T) {
	t.Parallel()
	const secret = "correct hörse battery staple"
	said := ".hive " + offlineSID + "\n" + `.r HKEY_USERS\oust-look-x\Software\Microsoft\Windows\CurrentVersion\Uninstall\K` + "\n" +
		`.r     DisplayName    REG_SZ    Kaspersky Endpoint Security for Windows` + "\n" + `.r     Publisher    REG_SZ    Kaspersky` + "\n" +
		"+r     UninstallString    REG_SZ    C:\\Program Files\\k.exe /password=correct \n.h`00f6rse battery staple\n.rc 0\n"
	answer := "@" + recordedNonce + " begin look-powershell 1\n@" + recordedNonce + " section profiles\n" + said + ".done\n@" + recordedNonce + " end\n"
	look := dirtyLook(t)
	first := look[bytes.IndexByte(look, '@'):]
	facts, raw, err := probe.Second(first[:bytes.LastIndexByte(bytes.TrimRight(first, "\r\n"), '\n')+1+len("@"+recordedNonce+" end")], []byte(answer), "")
	if err != nil {
		t.Fatal(err)
	}
	if told := fmt.Sprintf("%+v", facts.Windows); !strings.Contains(told, secret) {
		t.Fatalf("the facts do not have it: %s", told)
	}
	e, _ := maskingEngine(t, secret)
	s := &sight{facts: facts, raw: raw}
	s.findings, s.noted = remediate.Part(e.Library.Match(facts))
	e.withoutSecrets(remediate.Host{Name: "h"}, s)
	if told := fmt.Sprintf("%+v %s", s.facts.Windows, probe.Unfold(s.raw)); strings.Contains(told, "battery") || !strings.Contains(told, "/password="+masked) {
		t.Errorf("kept: %s", told)
	}
	if len(s.facts.Windows.Uninstall) != len(facts.Windows.Uninstall) {
		t.Errorf("%d entries, before %d", len(s.facts.Windows.Uninstall), len(facts.Windows.Uninstall))
	}
}

// TestMaskedProduct: a password that is a product's name does not make a host
// clean.
func TestMaskedProduct(t *testing.T) {
	t.Parallel()
	look, err := os.ReadFile("../../testdata/probes/windows/wine-8.0.look")
	if err != nil {
		t.Fatal(err)
	}
	raw := look[bytes.IndexByte(look, '@'):]
	facts, err := probe.Reparse(raw)
	if err != nil {
		t.Fatal(err)
	}
	e, said := maskingEngine(t, "Kaspersky")
	s := &sight{facts: facts, raw: raw}
	s.findings, s.noted = remediate.Part(e.Library.Match(facts))
	before := len(s.findings)
	e.withoutSecrets(remediate.Host{Name: "h"}, s)
	if before == 0 || len(s.findings) != before || !bytes.Equal(s.raw, raw) || s.facts != facts {
		t.Errorf("%d findings, before %d", len(s.findings), before)
	}
	if !strings.Contains(said.String(), "give it another value") {
		t.Errorf("nobody is told: %s", said.String())
	}
}

func BenchmarkMaskLook(b *testing.B) {
	look, err := os.ReadFile("../../testdata/probes/windows/wine-8.0.look")
	if err != nil {
		b.Fatal(err)
	}
	m := makeMask(slices.Concat(maskForms("correct horse battery staple"), maskForms(`Pr7&x'<%41>^y`)))
	text := string(look)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		m.all.Replace(text)
	}
}
