package inventory

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestPlainTablesAreCSV holds that a table without quotes is read as the
// general reader reads it.
func TestPlainTablesAreCSV(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 3000 {
		var b strings.Builder
		for range rng.IntN(40) {
			b.WriteString([]string{"a", "bc", " ", ",", ",", "\n", "\r\n", "#", "\r", "é", "\u00a0"}[rng.IntN(11)])
		}
		text := b.String()
		if got, want := plainRows(text), csvRows(t, text); !slices.Equal(got, want) {
			t.Fatalf("%q is read as\n%q, not\n%q", text, got, want)
		}
	}
}

func plainRows(text string) []string {
	var out []string
	eachRow(text, ',', func(line int, cells []string) bool {
		out = append(out, rowText(line, cells))
		return true
	})
	return out
}

func csvRows(t *testing.T, text string) []string {
	t.Helper()
	r := csv.NewReader(strings.NewReader(text))
	r.Comment, r.TrimLeadingSpace, r.FieldsPerRecord = '#', true, -1
	var out []string
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		line, _ := r.FieldPos(0)
		out = append(out, rowText(line, cells))
	}
}

// rowText is a row as a table takes it: cells without space around them.
func rowText(line int, cells []string) string {
	s := fmt.Sprint(line)
	for _, c := range cells {
		s += "|" + strings.TrimSpace(c)
	}
	return s
}

// TestEmptyCellsBetweenTabs holds that they are not taken for space, with and
// without quotes in the table.
func TestEmptyCellsBetweenTabs(t *testing.T) {
	t.Parallel()
	for _, owner := range []string{"ann", `"ann"`} {
		text := "name\taddress\tport\towner\nweb1\t\t\t" + owner + "\n"
		inv, err := Load([]string{"-"}, Options{Stdin: strings.NewReader(text)})
		if err != nil || len(inv.Hosts) != 1 || inv.Hosts[0].Owner != "ann" || inv.Hosts[0].Address != "" {
			t.Errorf("%s: %+v, %v", owner, inv.Hosts, err)
		}
	}
}

// TestManyPortsOfOneAddress holds that each host of them is found, and the one
// that is there twice.
func TestManyPortsOfOneAddress(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("name,address,port\n")
	const hosts = 5000
	for i := range hosts {
		fmt.Fprintf(&b, "h%d,127.0.0.1,%d\n", i, 1000+i)
	}
	b.WriteString("again,127.0.0.1,3000\n")
	inv, err := Load([]string{"-"}, Options{Stdin: strings.NewReader(b.String())})
	if err != nil || len(inv.Hosts) != hosts+1 {
		t.Fatalf("%d hosts, %v", len(inv.Hosts), err)
	}
	if len(inv.Warnings) != 1 || !strings.Contains(inv.Warnings[0], "again has the address and port of h2000") {
		t.Errorf("warnings are %q", inv.Warnings)
	}
}
