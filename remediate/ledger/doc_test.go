package ledger_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the table of kinds into docs/ledger.md")

// TestDocumentedKinds: docs/ledger.md has the body of every kind, key for key.
func TestDocumentedKinds(t *testing.T) {
	const file, header = "../../docs/ledger.md", "| kind | body |\n|---|---|\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), header)
	at := strings.Index(rest, "\n\n") + 1
	if !found || at == 0 {
		t.Fatal("ledger.md has no table of kinds")
	}
	var table strings.Builder
	kinds := samples()
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Fprintf(&table, "| `%s` | %s |\n", kind, keys(reflect.TypeOf(kinds[kind])))
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+header+table.String()+rest[at:]), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if rest[:at] != table.String() {
		t.Errorf("ledger.md has\n%s\nwant\n%s\n(go test -run DocumentedKinds -update writes it)", rest[:at], table.String())
	}
}

// keys lists the keys of a JSON object, with what is below them.
func keys(typ reflect.Type) string {
	var out []string
	for i := range typ.NumField() {
		name, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		key := "`" + name + "`"
		if options != "" {
			key += "?"
		}
		out = append(out, key+meaning(typ.Field(i).Type))
	}
	return strings.Join(out, ", ")
}

func meaning(typ reflect.Type) string {
	switch {
	case typ == reflect.TypeFor[time.Time]():
		return " (time)"
	case typ.Kind() == reflect.Struct:
		return " {" + keys(typ) + "}"
	case typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Struct:
		return " [{" + keys(typ.Elem()) + "}]"
	case typ.Kind() == reflect.Slice:
		return " [texts]"
	case typ.Kind() == reflect.Bool:
		return " (true or false)"
	case typ.Kind() == reflect.String:
		return ""
	}
	return " (number)"
}
