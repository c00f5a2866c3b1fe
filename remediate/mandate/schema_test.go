package mandate

import (
	"bytes"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"oust/remediate"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("mandate.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mandate.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// loose reads YAML as an editor does, before it asks the schema.
func loose(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestSchemaTakes: the schema takes what the loader takes.
func TestSchemaTakes(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	if err := s.Validate(loose(t, []byte(whole))); err != nil {
		t.Error(err)
	}
	for _, name := range Builtin() {
		text, err := builtin.ReadFile("builtin/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(loose(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaRefuses: it refuses what the loader refuses, as far as it can tell.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	for _, tt := range refusals {
		err := s.Validate(loose(t, []byte(edit(t, tt.old, tt.now))))
		if (err == nil) != tt.blind {
			t.Errorf("%s: the schema says %v", tt.name, err)
		}
	}
}

// TestSchemaNames: the words of the schema are those of the loader.
func TestSchemaNames(t *testing.T) {
	t.Parallel()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	enum := func(path ...string) []string {
		at := doc
		for _, p := range path {
			at = at.(map[string]any)[p]
		}
		var out []string
		for _, v := range at.(map[string]any)["enum"].([]any) {
			out = append(out, v.(string))
		}
		return out
	}
	for name, pair := range map[string][2][]string{
		"items":   {enum("$defs", "item", "properties", "item"), texts(remediate.ItemKinds())},
		"columns": {enum("$defs", "column", "properties", "column"), texts(remediate.ColumnKinds())},
		"met":     {enum("$defs", "milestone", "properties", "met"), texts(remediate.MetKinds())},
		"reports": {enum("$defs", "kind"), texts(remediate.ReportKinds())},
	} {
		if d := cmp.Diff(pair[1], pair[0]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
