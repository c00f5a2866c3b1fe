package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"oust/remediate"
	"oust/remediate/report"
	"oust/remediate/report/reporttest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenDir holds the golden reports of this module.
const goldenDir = "../../testdata/reports"

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join(goldenDir, name)
	if *update {
		if err := os.MkdirAll(goldenDir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// samples are all that the formats are tried on, by the name of their files.
func samples() map[string]report.Snapshot {
	out := map[string]report.Snapshot{}
	for _, kind := range remediate.ReportKinds() {
		out["sample-"+string(kind)] = reporttest.Sample(kind)
		out["nil-"+string(kind)] = reporttest.NilSample(kind)
	}
	for name, mandate := range map[string]string{"pspf": "pspf-002-2025", "ed": "ed-21-01", "m-23-13": "m-23-13"} {
		out[name+"-status"] = reporttest.SampleFor(mandate, remediate.ReportStatus)
	}
	return out
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(report.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

func asJSON(t testing.TB, s report.Snapshot) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteJSON(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestJSON(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	for name, s := range samples() {
		text := asJSON(t, s)
		golden(t, name+".json", text)
		if err := validate(t, schema, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var back report.Snapshot
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&back); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(asJSON(t, back), text) {
			t.Errorf("%s: read and written again it differs", name)
		}
	}
	empty, err := report.Build(report.Input{Report: remediate.ReportStatus, Now: reporttest.Now, Campaign: remediate.Campaign{Issued: reporttest.Now}})
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, schema, asJSON(t, empty)); err != nil {
		t.Errorf("an empty campaign: %v", err)
	}
}

// TestSchemaCanFail: a field too many, one too few and a wrong one are found.
func TestSchemaCanFail(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	text := string(asJSON(t, reporttest.NilSample(remediate.ReportIdentify)))
	for _, c := range []struct{ old, new string }{
		{`"format": 1`, `"format": 2`},
		{`"format": 1`, `"format": 1, "more": true`},
		{`"standing":"clear"`, `"standing":"clean"`},
		{`"never_seen": 6`, `"never": 6`},
		{`"seen_at":"2026`, `"seen_at":"on 2026`},
	} {
		bad := strings.Replace(text, c.old, c.new, 1)
		if bad == text {
			t.Fatalf("%s is not in the report", c.old)
		}
		if validate(t, schema, []byte(bad)) == nil {
			t.Errorf("%s is taken", c.new)
		}
	}
}

// TestSchemaFields holds the schema to the types: the same objects, with the
// same fields, and all of them required that are always written.
func TestSchemaFields(t *testing.T) {
	t.Parallel()
	var doc map[string]any
	if err := json.Unmarshal(report.Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	walked := map[reflect.Type]bool{}
	walkFields(t, doc, doc, reflect.TypeFor[report.Snapshot](), walked)
	if len(walked) < 25 {
		t.Errorf("only %d types were looked at", len(walked))
	}
}

// jsonField is a field as encoding/json writes it.
type jsonField struct {
	name   string
	always bool
	t      reflect.Type
}

func jsonFields(t reflect.Type) []jsonField {
	var out []jsonField
	for f := range t.Fields() {
		if f.Anonymous {
			out = append(out, jsonFields(f.Type)...)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		out = append(out, jsonField{name, options == "", f.Type})
	}
	return out
}

func walkFields(t *testing.T, doc, schema map[string]any, typ reflect.Type, walked map[reflect.Type]bool) {
	t.Helper()
	schema = deref(t, doc, schema)
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		if typ.Kind() == reflect.Slice {
			items, _ := schema["items"].(map[string]any)
			schema = deref(t, doc, items)
		}
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() || walked[typ] {
		return
	}
	walked[typ] = true
	properties, _ := schema["properties"].(map[string]any)
	if schema["additionalProperties"] != false {
		t.Errorf("%v: the schema takes other fields", typ)
	}
	var want, required []string
	for _, f := range jsonFields(typ) {
		want = append(want, f.name)
		if f.always {
			required = append(required, f.name)
		}
		below, _ := properties[f.name].(map[string]any)
		if below == nil {
			t.Errorf("%v: the schema has no field %s", typ, f.name)
			continue
		}
		walkFields(t, doc, below, f.t, walked)
	}
	var got, must []string
	for name := range properties {
		got = append(got, name)
	}
	list, _ := schema["required"].([]any)
	for _, name := range list {
		must = append(must, fmt.Sprint(name))
	}
	for _, s := range [][]string{want, required, got, must} {
		slices.Sort(s)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%v: fields (-type +schema):\n%s", typ, diff)
	}
	if diff := cmp.Diff(required, must); diff != "" {
		t.Errorf("%v: required fields (-type +schema):\n%s", typ, diff)
	}
}

func deref(t *testing.T, doc, schema map[string]any) map[string]any {
	t.Helper()
	ref, is := schema["$ref"].(string)
	if !is {
		return schema
	}
	defs, _ := doc["$defs"].(map[string]any)
	out, _ := defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	if out == nil {
		t.Fatalf("the schema has no %s", ref)
	}
	return out
}
