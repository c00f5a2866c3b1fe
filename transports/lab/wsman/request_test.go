package wsman

import (
	"encoding/xml"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRefused: what is not a request that Windows takes is refused, with a
// fault or a status.
func TestRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, basicTLS(t))
	c := r.client(t).open()
	good := c.envelopeOf(actionReceive, receiveXML("X"))
	bare := good[max(0, strings.Index(good, "<e:")):] // without the XML declaration
	replaced := func(old, text string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%s is not there", old)
		}
		return strings.Replace(good, old, text, 1)
	}
	for name, test := range map[string]struct {
		body string
		code string
	}{
		"not XML":             {"hello", "2150858819"},
		"half of it":          {good[:len(good)-20], "2150858819"},
		"two envelopes":       {good + bare, "2150858819"},
		"text behind":         {good + "x", "2150858819"},
		"a document type":     {`<!DOCTYPE x [<!ENTITY a "b">]>` + bare, "2150858819"},
		"too deep":            {replaced("<r:Receive>", strings.Repeat("<x>", 40)+strings.Repeat("</x>", 40)+"<r:Receive>"), "2150858819"},
		"not UTF-8":           {replaced("stdout", "\xff"), "2150858819"},
		"SOAP 1.1":            {replaced(nsSOAP, "http://schemas.xmlsoap.org/soap/envelope/"), "2150858819"},
		"no action":           {replaced("a:Action e:", "a:Motion e:"), "2150858819"},
		"another action":      {replaced(actionReceive, actionReceive+"Nothing"), "2150858771"},
		"another resource":    {replaced(resourceCmd, nsShell+"/Microsoft.PowerShell"), "2150858752"},
		"another shell":       {replaced(c.shell, "F00"), "2150858843"},
		"another command":     {good, "2150858843"},
		"no body":             {replaced(receiveXML("X"), ""), "2150858791"},
		"a silly time":        {replaced("PT20S", "soon"), "2150858767"},
		"no time":             {replaced("PT20S", "PT0S"), "2150858764"},
		"a silly envelope":    {replaced(">153600<", ">large<"), "2150858767"},
		"too small envelope":  {replaced(">153600<", ">8191<"), "2150858878"},
		"no message id":       {replaced("a:MessageID>uuid", "a:Nothing>uuid"), "2150858819"},
		"base64 that is none": {c.envelopeOf(actionSend, `<r:Send><r:Stream Name="stdin" CommandId="X">***</r:Stream></r:Send>`), "2150858791"},
		"another signal":      {c.envelopeOf(actionSignal, signalXML("X", "dance")), "2150858791"},
		"no command":          {c.envelopeOf(actionCommand, commandXML(" ")), "2150858791"},
	} {
		res, text, err := c.post(test.body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := find(text, `WSManFault [^>]*Code="(\d+)"`); res.StatusCode != http.StatusInternalServerError || got != test.code {
			t.Errorf("%s: status %d, fault %s, want %s", name, res.StatusCode, got, test.code)
		}
		if xml.Unmarshal([]byte(text), new(struct{})) != nil {
			t.Errorf("%s: the answer is not XML: %s", name, text)
		}
	}
	if res, _, err := c.post(strings.Repeat(" ", 512_000+sealOverhead+1)); err != nil || res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("too long: %v, %v", res, err)
	}
	other := r.client(t)
	other.shell, other.auth = c.shell, basicAuth(`CORP\`+testUser, testPassword)
	other.fault(CodeAccessDenied, actionCommand, commandXML("both"))
}

func TestPaths(t *testing.T) {
	t.Parallel()
	r := newRig(t, basicTLS(t))
	c := r.client(t)
	base := strings.TrimSuffix(r.url, "/wsman")
	for path, want := range map[string]int{"/": 404, "/wsman/x": 404, "/WSMAN": 200, "/wsman/": 200, "/wsman-anon/identify": 200} {
		r.url = base + path
		if res, _, err := c.post(""); err != nil || res.StatusCode != want {
			t.Errorf("%s: %v, %v; want %d", path, res, err, want)
		}
	}
	res, err := c.http.Get(base + "/wsman")
	if err != nil || res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %v, %v", res, err)
	} else {
		_ = res.Body.Close()
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	r := newRig(t, basicTLS(t))
	c := r.client(t)
	message := `<s:Envelope xmlns:s="` + nsSOAP + `" xmlns:w="` + nsIdentity + `"><s:Header/><s:Body><w:Identify/></s:Body></s:Envelope>`
	if _, text, err := c.post(message); err != nil || !strings.Contains(text, "OS: 10.0.20348 SP") {
		t.Errorf("of a known account: %v, %s", err, text)
	}
	c.auth = ""
	if res, _, err := c.post(message); err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("of a stranger: %v, %v", res, err)
	}
	r.url += "-anon/identify"
	if _, text, err := c.post(message); err != nil || !strings.Contains(text, "OS: 0.0.0 SP") {
		t.Errorf("for strangers: %v, %s", err, text)
	}
}

func TestShellOptions(t *testing.T) {
	t.Parallel()
	r := newRig(t, basicTLS(t))
	specs := make(chan Command, 1)
	r.config.Backend = startFunc(func(c Command) error {
		specs <- c
		return &Fault{Code: 2, Subcode: "w:InternalError", Reason: "The system cannot find the file specified. "}
	})
	c := r.client(t)
	text := c.ask(http.StatusOK, actionCreate, `<r:Shell><r:WorkingDirectory>C:\Temp</r:WorkingDirectory><r:Environment><r:Variable Name="A">b c</r:Variable></r:Environment></r:Shell>`,
		"WINRS_NOPROFILE=TRUE", "WINRS_CODEPAGE=65001")
	c.shell = strings.ToLower(find(text, `Name="ShellId">([^<]*)<`))
	c.fault(CodeNotFound, actionCommand, commandXML("nothing.exe"), "WINRS_CONSOLEMODE_STDIN=FALSE", "WINRS_SKIP_CMD_SHELL=TRUE")
	got := <-specs
	if got.Shell.Dir != `C:\Temp` || len(got.Shell.Env) != 1 || got.Shell.Env[0] != "A=b c" || !got.Shell.NoProfile || got.Shell.CodePage != 65001 {
		t.Errorf("shell %+v", got.Shell)
	}
	if got.Line != "nothing.exe" || got.Console || !got.SkipShell || got.User != testUser || got.Domain != "" {
		t.Errorf("command %+v", got)
	}
	c.shell = ""
	c.fault(CodeInvalidHeader, actionCreate, "<r:Shell/>", "WINRS_CODEPAGE=latin")
	c.fault(CodeInvalidBody, actionCreate, `<r:Shell><r:Environment><r:Variable Name="A=B">c</r:Variable></r:Environment></r:Shell>`)
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"PT20S": 20 * time.Second, "PT60.000S": time.Minute, "P0DT0H1M2.5S": 62500 * time.Millisecond, "P1D": 24 * time.Hour,
		"PT1H": time.Hour, "PT90M": 90 * time.Minute, "P30D": mostDuration,
	} {
		if got, ok := parseDuration(text); !ok || got != want {
			t.Errorf("%s is %v, %t; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "P", "PT", "20S", "PT20", "P1Y", "P1M", "PT1S2M", "PT-1S", "PT1.5M", "P31D", "PT99999999999999999999S", "PT1e9S", "PTInfS", "PT1S ", "P1DT"} {
		if got, ok := parseDuration(text); ok {
			t.Errorf("%s is %v, want none", text, got)
		}
	}
}
