package report_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestHTMLInChromium looks at each report, and at one that found nothing, in a real browser, in light and in
// dark: axe finds nothing to mend, nothing is asked of the network, the page's
// own policy forbids nothing that the page does.
func TestHTMLInChromium(t *testing.T) {
	t.Parallel()
	script := axe(t)
	c := startChromium(t)
	dir := t.TempDir()
	pages := samples()
	for _, name := range []string{"sample-identify", "sample-plan", "sample-status", "nil-identify"} {
		file := filepath.Join(dir, name+".html")
		if err := os.WriteFile(file, asHTML(t, pages[name]), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, scheme := range []string{"light", "dark"} {
			c.open(file, scheme, 1280)
			for _, v := range c.violations(script) {
				t.Errorf("%s, %s: %s", name, scheme, v)
			}
			for _, complaint := range c.complaints(file) {
				t.Errorf("%s, %s: %s", name, scheme, complaint)
			}
		}
	}
	for _, name := range []string{"sample-status", "nil-identify"} {
		file := filepath.Join(dir, name+".html")
		c.open(file, "light", 360)
		var width int
		if c.run("document.documentElement.scrollWidth", &width); width > 360 {
			t.Errorf("%s on a narrow screen is %d wide", name, width)
		}
		c.open(file, "dark", 1280)
		c.checkFilter(t, name, len(pages[name].Hosts))
		c.checkPrint(t, name)
	}
}

// TestAxeCanFail: what axe should find, it finds.
func TestAxeCanFail(t *testing.T) {
	t.Parallel()
	script := axe(t)
	c := startChromium(t)
	file := filepath.Join(t.TempDir(), "bad.html")
	bad := `<!DOCTYPE html><html><head><title>x</title></head><body><p style="color:#ccc;background:#fff">pale<img src="http://127.0.0.1:1/x.png"></body></html>`
	if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	c.open(file, "light", 1280)
	found := strings.Join(c.violations(script), "\n")
	for _, rule := range []string{"color-contrast", "html-has-lang", "image-alt"} {
		if !strings.Contains(found, rule) {
			t.Errorf("%s is not found:\n%s", rule, found)
		}
	}
	if len(c.complaints(file)) == 0 {
		t.Error("what is asked of the network is not seen")
	}
}

// violations runs axe with all its rules.
func (c *chromium) violations(script string) []string {
	c.t.Helper()
	c.run(script, nil)
	var result struct {
		Passes     int
		Violations []string
	}
	c.run(`axe.run({resultTypes: ["violations"]}).then(r => ({passes: r.passes.length, violations: r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes[0].html)}))`, &result)
	if result.Passes < 10 {
		return append(result.Violations, fmt.Sprintf("axe tried only %d rules", result.Passes))
	}
	return result.Violations
}

// complaints are what the browser logged, and what it asked for beside the
// file.
func (c *chromium) complaints(file string) []string {
	var out []string
	for _, e := range c.events {
		switch e.Method {
		case "Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled":
			out = append(out, e.Method+": "+string(e.Params))
		case "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			if err := json.Unmarshal(e.Params, &p); err != nil || p.Request.URL != "file://"+file {
				out = append(out, "it asks for "+p.Request.URL)
			}
		}
	}
	return out
}

// checkFilter types into the filter of hosts.
func (c *chromium) checkFilter(t *testing.T, name string, hosts int) {
	t.Helper()
	type state struct {
		Shown int
		Said  string
	}
	filter := func(text string) (s state) {
		c.run(`(() => { const i = document.querySelector("#hosts-filter input"); i.value = `+fmt.Sprintf("%q", text)+`; i.dispatchEvent(new Event("input"));
			return {shown: [...document.querySelectorAll("tr[data-host]")].filter(r => r.offsetHeight > 0).length, said: document.querySelector("#hosts-filter output").value}; })()`, &s)
		return s
	}
	if got := filter("no host has this"); got != (state{0, fmt.Sprintf("0 of %d listed", hosts)}) {
		t.Errorf("%s: filtered for nothing: %+v", name, got)
	}
	if got := filter(" WINRM "); got.Shown == 0 || got.Shown == hosts {
		t.Errorf("%s: filtered for winrm: %+v", name, got)
	}
	if got := filter(""); got != (state{hosts, ""}) {
		t.Errorf("%s: not filtered: %+v", name, got)
	}
	filter("no host has this") // and it is printed whole nevertheless
}

var pdfPages = regexp.MustCompile(`/Type\s*/Page\b[^s]`)

// checkPrint prints to PDF: on white whatever the scheme, all hosts, on pages
// of both directions.
func (c *chromium) checkPrint(t *testing.T, name string) {
	t.Helper()
	var pdf struct{ Data string }
	c.call("Page.printToPDF", map[string]any{"preferCSSPageSize": true, "printBackground": false, "paperWidth": 8.27, "paperHeight": 11.69}, &pdf)
	data, err := base64.StdEncoding.DecodeString(pdf.Data)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(pdfPages.FindAll(data, -1)); n < 5 || n > 40 {
		t.Errorf("%s: printed on %d pages", name, n)
	}
	c.call("Emulation.setEmulatedMedia", map[string]any{"media": "print", "features": []any{map[string]any{"name": "prefers-color-scheme", "value": "dark"}}}, nil)
	var printed struct {
		Paper  string
		Hidden int
		Wide   bool
	}
	c.run(`({paper: getComputedStyle(document.body).backgroundColor, hidden: [...document.querySelectorAll("tr[data-host]")].filter(r => r.offsetHeight === 0).length,
		wide: getComputedStyle(document.getElementById("hosts")).page === "wide"})`, &printed)
	if printed.Paper != "rgb(255, 255, 255)" || printed.Hidden != 0 || !printed.Wide {
		t.Errorf("%s: printed: %+v", name, printed)
	}
}
