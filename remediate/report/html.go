package report

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"sync"
)

//go:embed html/*.tmpl html/style.css html/filter.js
var htmlFiles embed.FS

// WriteHTML writes the snapshot as one page for people: no other file, no
// network, readable and printable without its one small script. The page's own
// policy forbids everything else, so that nothing that a host said can act.
//
// Lists are bounded, see maxRows and maxListed; what is left out is counted
// where it would stand.
func WriteHTML(w io.Writer, s Snapshot) error {
	parts, err := htmlParts()
	if err != nil {
		return fmt.Errorf("report as HTML: %w", err)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	if err := parts.page.ExecuteTemplate(visible{out}, "page", newHTMLPage(s, parts)); err != nil {
		return fmt.Errorf("report as HTML: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("report as HTML: %w", err)
	}
	return nil
}

// htmlKit is what all pages are made from.
type htmlKit struct {
	page   *template.Template
	style  template.CSS
	script template.JS
	policy string
}

// htmlParts reads the embedded files, once and not before a page is wanted.
var htmlParts = sync.OnceValues(func() (htmlKit, error) {
	var k htmlKit
	style, err := htmlFiles.ReadFile("html/style.css")
	if err != nil {
		return k, err
	}
	script, err := htmlFiles.ReadFile("html/filter.js")
	if err != nil {
		return k, err
	}
	k.page, err = template.New("").Funcs(htmlFuncs).ParseFS(htmlFiles, "html/*.tmpl")
	k.style, k.script = template.CSS(style), template.JS(script) //nolint:gosec // our own files
	k.policy = fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; base-uri 'none'; form-action 'none'", hashSource(style), hashSource(script))
	return k, err
})

// hashSource names an inline block in a content security policy.
func hashSource(block []byte) string {
	sum := sha256.Sum256(block)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
