package report_test

import (
	"bytes"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"oust/remediate"
	"oust/remediate/report"
	"oust/remediate/report/reporttest"
)

func asHTML(t testing.TB, s report.Snapshot) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteHTML(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// page is an HTML page that a test asks.
type page struct{ root *html.Node }

func parse(t testing.TB, text []byte) page {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return page{root}
}

// all returns the elements for which keep is true, in their order.
func all(n *html.Node, keep func(*html.Node) bool) []*html.Node {
	var out []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && keep(d) {
			out = append(out, d)
		}
	}
	return out
}

func tag(names ...string) func(*html.Node) bool {
	return func(n *html.Node) bool { return slices.Contains(names, n.Data) }
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// text is what a reader sees of the element, with single spaces.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "style" && d.Parent.Data != "script" {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func (p page) id(t testing.TB, id string) *html.Node {
	t.Helper()
	found := all(p.root, func(n *html.Node) bool { return attr(n, "id") == id })
	if len(found) != 1 {
		t.Fatalf("%d elements have the id %s", len(found), id)
	}
	return found[0]
}

func TestHTML(t *testing.T) {
	t.Parallel()
	for name, s := range samples() {
		text := asHTML(t, s)
		if name == "sample-plan" || name == "sample-status" || name == "nil-identify" {
			golden(t, name+".html", text)
		}
		checkPage(t, name, text)
	}
	empty, err := report.Build(report.Input{Report: remediate.ReportStatus, Now: reporttest.Now, Campaign: remediate.Campaign{Issued: reporttest.Now}})
	if err != nil {
		t.Fatal(err)
	}
	checkPage(t, "an empty campaign", asHTML(t, empty))
	checkPage(t, "nothing at all", asHTML(t, report.Snapshot{}))
}

// TestHTMLHostile: whatever hosts and persons say, the page's own elements are
// the only ones, and none of them can act or reach out.
func TestHTMLHostile(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := reporttest.Sample(rapid.SampledFrom(remediate.ReportKinds()).Draw(r, "report"))
		s.Hosts = s.Hosts[len(s.Hosts)-12:]
		spoil(r, reflect.ValueOf(&s).Elem())
		var b bytes.Buffer
		if err := report.WriteHTML(&b, s); err != nil {
			r.Fatal(err)
		}
		checkPage(r, "spoiled", b.Bytes())
	})
}

// checkPage holds a page to what all pages promise.
func checkPage(t errorer, name string, text []byte) {
	root, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	for _, complaint := range slices.Concat(reachesOut(root), unlabelled(root), steering(text)) {
		t.Errorf("%s: %s", name, complaint)
	}
}

type errorer interface{ Errorf(string, ...any) }

// inert are the elements that a page may have.
var inert = strings.Fields(`html head meta title style body a svg defs pattern rect circle header p h1 h2 h3 dl div dt dd main section
	nav ol ul li table caption thead tbody tfoot tr th td span strong b small time footer script article figure figcaption
	line text polygon polyline desc code pre blockquote`)

// reachesOut complains of what could load, send or run something.
func reachesOut(root *html.Node) []string {
	var out []string
	scripts := 0
	for _, n := range all(root, func(*html.Node) bool { return true }) {
		if !slices.Contains(inert, n.Data) {
			out = append(out, "there is an element "+n.Data)
		}
		if n.Data == "script" {
			scripts++
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "href" && !strings.HasPrefix(a.Val, "#"),
				slices.Contains([]string{"src", "srcset", "action", "style", "data", "poster", "background", "http-equiv"}, a.Key) && a.Val != "Content-Security-Policy",
				strings.HasPrefix(a.Key, "on"),
				strings.Contains(strings.ReplaceAll(a.Val, "url(#", ""), "url("):
				out = append(out, n.Data+" has the attribute "+a.Key+"="+a.Val)
			}
		}
	}
	for _, style := range all(root, tag("style")) {
		css := strings.ToLower(style.FirstChild.Data)
		if strings.Contains(strings.ReplaceAll(css, "url(#", ""), "url(") || strings.Contains(css, "@import") {
			out = append(out, "the style loads something")
		}
	}
	if scripts != 1 {
		out = append(out, "there is another script than the page's own")
	}
	return out
}

// unlabelled complains of tables, charts and headings that a screen reader
// could not tell.
func unlabelled(root *html.Node) []string {
	var out []string
	ids := map[string]int{}
	for _, n := range all(root, func(*html.Node) bool { return true }) {
		if id := attr(n, "id"); id != "" {
			ids[id]++
		}
	}
	for id, n := range ids {
		if n > 1 {
			out = append(out, "the id "+id+" is there twice")
		}
	}
	for _, table := range all(root, tag("table")) {
		if len(all(table, tag("caption"))) != 1 {
			out = append(out, "the table "+attr(table, "id")+" has no caption")
		}
		for _, th := range all(table, tag("th")) {
			if attr(th, "scope") == "" {
				out = append(out, "a heading of the table "+attr(table, "id")+" has no scope")
			}
		}
	}
	for _, svg := range all(root, tag("svg")) {
		named := attr(svg, "role") == "img" && (attr(svg, "aria-label") != "" || len(all(svg, tag("title"))) == 1 && len(all(svg, tag("desc"))) == 1)
		if !named && attr(svg, "aria-hidden") != "true" {
			out = append(out, "a chart has no name")
		}
	}
	level := 0
	for _, h := range all(root, tag("h1", "h2", "h3")) {
		next := int(h.Data[1] - '0')
		if next > level+1 {
			out = append(out, "a heading skips a level: "+text(h))
		}
		level = next
	}
	return out
}

// steering complains of characters that could make a text read as another.
func steering(text []byte) []string {
	if !utf8.Valid(text) {
		return []string{"there are bytes that are no text"}
	}
	for _, r := range string(text) {
		if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return []string{"there is a character that steers how text looks"}
		}
	}
	return nil
}

func TestPageCheckCanFail(t *testing.T) {
	t.Parallel()
	good := string(asHTML(t, reporttest.Sample(remediate.ReportStatus)))
	for _, c := range []struct{ old, new string }{
		{`<main id="report"`, `<img src="http://evil.example/x.png"><main id="report"`},
		{`<main id="report"`, `<script>alert(1)</script><main id="report"`},
		{`<h1>`, `<h1 onclick="alert(1)">`},
		{`href="#report"`, `href="https://evil.example/"`},
		{`<style>`, `<style>@import "x.css";`},
		{`fill: url(#p-unseen)`, `fill: url(http://evil.example/)`},
		{`<th scope="col">Product</th>`, `<th>Product</th>`},
		{`<caption id="hosts-c">Hosts by standing</caption>`, ``},
		{`id="hosts-table"`, `id="products-table"`},
		{`<desc id="bar-d">`, `<desc id="bar-d"></desc><desc>`},
		{`<h3 `, `<h4 `},
		{`<h1>`, "<h1>\u202e"},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		if bad == good {
			t.Errorf("%q is not in the page", c.old)
		}
		var said saying
		checkPage(&said, "", []byte(bad))
		if said == 0 {
			t.Errorf("%q instead of %q is taken", c.new, c.old)
		}
	}
}

// saying counts complaints.
type saying int

func (s *saying) Errorf(string, ...any) { *s++ }

// failing is a writer that is full.
type failing struct{ left int }

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestHTMLWriterFails(t *testing.T) {
	t.Parallel()
	for _, room := range []int{0, 70_000} {
		if err := report.WriteHTML(&failing{room}, reporttest.Sample(remediate.ReportStatus)); err == nil {
			t.Errorf("a disk with room for %d bytes: no error", room)
		}
	}
}
