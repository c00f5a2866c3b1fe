package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	_ "modernc.org/sqlite" // to read every table as it stands
)

// wide is a text in UTF-16.
func wide(s string, bigEndian bool) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		if bigEndian {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return out
}

// base64Core is what base64 of any text has in common that holds data after a
// number of bytes that leaves rest when it is divided by 3.
func base64Core(e *base64.Encoding, data []byte, rest int) string {
	text := e.EncodeToString(append(bytes.Repeat([]byte{0x5a}, rest), data...))
	from, to := (rest*8+5)/6, (rest+len(data))*8/6
	return text[from:to]
}

// disguises are all forms in which a secret is looked for, by name. The same
// form may have two names.
func disguises(secret string) map[string]string {
	out := map[string]string{}
	bytesOf := map[string][]byte{"": []byte(secret), "utf-16le ": wide(secret, false), "utf-16be ": wide(secret, true)}
	for kind, data := range bytesOf {
		out[kind+"plain"] = string(data)
		out[kind+"hex"] = hex.EncodeToString(data)
		out[kind+"HEX"] = strings.ToUpper(hex.EncodeToString(data))
		for rest := range 3 {
			out[fmt.Sprint(kind, "base64 ", rest)] = base64Core(base64.RawStdEncoding, data, rest)
			out[fmt.Sprint(kind, "base64url ", rest)] = base64Core(base64.RawURLEncoding, data, rest)
		}
	}
	out["query"], out["path"] = url.QueryEscape(secret), url.PathEscape(secret)
	out["query in small letters"] = smallPercent(url.QueryEscape(secret))
	for name, escape := range map[string]bool{"json": false, "json for html": true} {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(escape)
		if e.Encode(secret) == nil {
			out[name] = strings.Trim(b.String(), "\n")
			out[name] = out[name][1 : len(out[name])-1]
		}
	}
	var b bytes.Buffer
	if xml.EscapeText(&b, []byte(secret)) == nil {
		out["xml"] = b.String()
	}
	out["html"] = html.EscapeString(secret)
	out["doubled quotes"] = strings.ReplaceAll(secret, `"`, `""`)
	out["sh quoted"] = strings.ReplaceAll(secret, `'`, `'\''`)
	return out
}

// smallPercent writes percent signs' digits in small letters.
func smallPercent(s string) string {
	out := []byte(s)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:], bytes.ToLower(out[i+1:i+3]))
		}
	}
	return string(out)
}

// leaks says which secrets stand in a text, and how; secrets are by name.
func leaks(text []byte, secrets map[string]string) []string {
	var out []string
	for name, secret := range secrets {
		for form, disguised := range disguises(secret) {
			if bytes.Contains(text, []byte(disguised)) {
				out = append(out, name+" as "+form)
			}
		}
	}
	slices.Sort(out)
	return out
}

// TestLeaks: the search finds each form wherever it stands, and nothing where
// nothing is.
func TestLeaks(t *testing.T) {
	t.Parallel()
	secrets := map[string]string{"one": `Zq7&"x'<%41>\ö`, "other": "correct horse battery"}
	filling := []byte(strings.Repeat("The quick brown fox: 0123456789abcdef / ABCDEF+_-=\n", 50))
	if got := leaks(filling, secrets); got != nil {
		t.Errorf("found in nothing: %v", got)
	}
	for name, secret := range secrets {
		for form, disguised := range disguises(secret) {
			if len(disguised) < len(secret) {
				t.Errorf("%s as %s is %q", name, form, disguised)
			}
			text := slices.Concat(filling, []byte(disguised), filling)
			if !slices.Contains(leaks(text, secrets), name+" as "+form) {
				t.Errorf("%s is not found as %s", name, form)
			}
		}
		for rest := range 7 { // whatever stands before it and after
			text := []byte(strings.Repeat("<", rest) + secret + strings.Repeat("y", 7-rest))
			for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
				if leaks([]byte(e.EncodeToString(text)), secrets) == nil {
					t.Errorf("%s is not found in base64 after %d bytes", name, rest)
				}
			}
		}
	}
}

// unpacked adds what stands in packed places: the rows of a store, with kept
// texts as they were, and the files of an archive.
func unpacked(t *testing.T, places map[string][]byte) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(places)) {
		switch filepath.Ext(name) {
		case ".db":
			places[name+" rows"] = everyRow(t, name)
		case ".zip":
			unzipped(t, places, name)
		}
	}
}

func unzipped(t *testing.T, places map[string][]byte, name string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(places[name]), int64(len(places[name])))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		places[name+" "+f.Name] = data
		_ = r.Close()
	}
}

// everyRow is every value of every table, one a line. A value that is packed
// stands there as it was, too.
func everyRow(t *testing.T, path string) []byte {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var out bytes.Buffer
	for _, table := range oneColumn(t, db, "SELECT name FROM sqlite_master WHERE type = 'table'") {
		rows, err := db.QueryContext(t.Context(), `SELECT * FROM "`+table+`"`)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new([]byte)
			}
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			for i, v := range values {
				value := *v.(*[]byte)
				fmt.Fprintf(&out, "%s.%s: %s\n", table, columns[i], value)
				if text, err := io.ReadAll(flate.NewReader(bytes.NewReader(value))); err == nil {
					fmt.Fprintf(&out, "%s.%s unpacked: %s\n", table, columns[i], text)
				}
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		_ = rows.Close()
	}
	return out.Bytes()
}

func oneColumn(t *testing.T, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
