package playbooks

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"oust/remediate"
)

type object = map[string]any

// schemaOf makes the schema of a type from its keys, from what the guide says of
// each, and from schemaWords.
type schemaOf struct {
	t    *testing.T
	text string
	defs object
}

// schemaWords says of keys what their type does not.
func schemaWords() map[string]object {
	list := func(items object) object { return object{"items": items, "minItems": 1} }
	words := func(known []string) object { return object{"enum": known} }
	platforms := list(words([]string{string(remediate.Linux), string(remediate.MacOS), string(remediate.Windows)}))
	confidence := words([]string{ConfidenceVendor, ConfidencePublic, ConfidenceUnverified})
	like := func(p *regexp.Regexp) object { return object{"type": "string", "pattern": p.String()} }
	some := object{"pattern": `\S`}
	grace := object{"type": "string", "pattern": `^[0-9hms.]+$`}
	exit := object{"type": "object", "patternProperties": object{`^-?[0-9]+$`: words(verdicts)}, "additionalProperties": false}
	return map[string]object{
		"Playbook.format": {"type": "integer", "const": Format}, "Playbook.name": like(namePattern), "Playbook.kind": words(kinds),
		"Playbook.title": some, "Playbook.vendor": some, "Playbook.platforms": platforms, "Playbook.owns": {"items": like(ownPattern)},
		"Playbook.detect": {"minItems": 1}, "Playbook.sources": {"minItems": 1}, "Playbook.confidence": confidence,
		"Playbook.reboot":  words([]string{RebootNever, RebootMaybe, RebootNeeded}),
		"Playbook.restart": words(restartPolicies), "Source.confidence": confidence, "Source.claim": some, "Source.source": some,
		"PackageSign.managers": list(words([]string{"dpkg", "rpm", "apk", "pkgutil", "app"})), "PackageStep.managers": list(words([]string{"dpkg", "rpm"})),
		"UninstallSign.upgrade_codes": {"items": like(guidPattern)}, "Block.why": some, "ScriptStep.what": some, "ScriptStep.text": some,
		"Secret.encoding": words([]string{EncodingPlain, EncodingUTF16LEHex}), "Secret.name": like(secretPattern),
		"Step.platforms": platforms, "Protection.platforms": platforms, "Protection.defender": words([]string{DefenderRunning}),
		"PackageStep.exit": exit, "MSIStep.exit": exit, "UninstallerStep.exit": exit, "ScriptStep.exit": exit,
		"PackageStep.names": {"minItems": 1}, "ServiceStep.names": {"minItems": 1},
		"UninstallerStep.wait": grace, "ProcessStep.grace": grace,
		"MSIStep.properties": {"propertyNames": object{"pattern": propertyPattern.String()}},
	}
}

// schemaRules are what holds of the keys of a type together.
func schemaRules() map[string]object {
	need := func(keys ...string) object { return object{"required": keys} }
	oneOf := func(keys ...string) (out []any) {
		for _, k := range keys {
			out = append(out, need(k))
		}
		return out
	}
	never := object{}
	for _, k := range []string{"after", "blocks", "steps", "residue", "shared", "secrets", "reboot", "restart", "protection"} {
		never[k] = false
	}
	sign := []string{"package", "uninstall", "service", "path", "key", "msix"}
	return map[string]object{
		"Playbook": {"required": []string{"format", "name", "title", "vendor", "platforms", "detect", "confidence", "sources"},
			"anyOf": oneOf("steps", "manual"),
			"if":    object{"properties": object{"kind": object{"enum": []string{KindEmbedded, KindPublisher}}}, "required": []string{"kind"}},
			"then":  object{"properties": never}},
		"Sign": {"anyOf": oneOf(sign...)}, "Block": {"anyOf": oneOf(sign...), "required": []string{"why"}},
		"Protection": {"anyOf": oneOf("defender", "package", "uninstall", "service", "path", "key")},
		"Step":       {"oneOf": oneOf("package", "msi", "uninstaller", "service", "process", "file", "key", "script")},
		"Residue":    {"oneOf": oneOf("path", "service", "package", "key")}, "PackageSign": {"required": []string{"managers"}, "anyOf": oneOf("names", "vendors")},
		"UninstallSign": {"anyOf": oneOf("names", "upgrade_codes", "publishers")}, "MSIXSign": {"anyOf": oneOf("names", "publishers")},
		"PackageStep": need("managers", "names"), "MSIPassword": need("secret", "property"), "ServiceStep": need("names"), "ProcessStep": {"anyOf": oneOf("paths", "names")},
		"FileStep": need("path"), "KeyStep": need("key"), "ScriptStep": need("what", "text", "exit"), "Secret": need("name"),
		"Source": need("claim", "source", "confidence"),
	}
}

func (s schemaOf) build(t reflect.Type) object {
	switch t.Kind() {
	case reflect.Pointer:
		return s.build(t.Elem())
	case reflect.Slice:
		return object{"type": "array", "maxItems": maxList, "items": s.build(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.build(t.Elem())}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int:
		return object{"type": "integer"}
	case reflect.String:
		return object{"type": []string{"string", "number"}} // a name such as 360 needs no quotes
	}
	if _, done := s.defs[t.Name()]; !done {
		s.defs[t.Name()] = nil // against circles
		s.defs[t.Name()] = s.structure(t)
	}
	return object{"$ref": "#/$defs/" + t.Name()}
}

func (s schemaOf) structure(t reflect.Type) object {
	properties := object{}
	for f := range t.Fields() {
		key := f.Tag.Get("yaml")
		if key == "" {
			continue
		}
		one := s.build(f.Type)
		for word, value := range schemaWords()[t.Name()+"."+key] {
			one[word] = value
		}
		if _, named := one["enum"]; named {
			delete(one, "type")
		}
		if said := s.guide(t, key); said != "" {
			one["description"] = said
		}
		properties[key] = one
	}
	out := object{"type": "object", "properties": properties, "additionalProperties": false}
	for word, value := range schemaRules()[t.Name()] {
		out[word] = value
	}
	return out
}

var guideLink = regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`)

// guide is what the guide says of a key, in plain words.
func (s schemaOf) guide(t reflect.Type, key string) string {
	for _, p := range guideParts {
		if reflect.TypeOf(p.of) != t {
			continue
		}
		_, row, ok := strings.Cut(between(s.t, s.text, p.from, p.to), "\n| `"+key+"` | ")
		row, _, _ = strings.Cut(row, " |\n")
		if ok {
			return guideLink.ReplaceAllString(strings.NewReplacer("`", "", "**", "", `\|`, "|").Replace(row), "$1")
		}
	}
	return ""
}

// TestSchemaIsTheFormat: the schema that ships has every key of the format, what
// the guide says of it, and no other. -update writes it anew.
func TestSchemaIsTheFormat(t *testing.T) {
	t.Parallel()
	s := schemaOf{t: t, text: guide(t), defs: object{}}
	root := s.build(reflect.TypeFor[Playbook]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"], root["description"] = "A playbook of oust", "What is known about removing one product. Format 1."
	root["$defs"] = s.defs
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("playbook.schema.json", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(b.String(), string(Schema())); diff != "" {
		t.Errorf("playbook.schema.json (-want +got; -update writes it anew):\n%s", diff)
	}
}

func mustSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("playbook.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("playbook.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// refuses says why the schema does not take a text, nil if it does.
func refuses(s *jsonschema.Schema, text string) error {
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// TestSchemaAgrees: what loads is valid under the schema, and where a rule is
// about keys and words alone, what the schema can tell it does tell.
func TestSchemaAgrees(t *testing.T) {
	t.Parallel()
	s := mustSchema(t)
	for _, p := range mustEmbedded(t).List() {
		if err := refuses(s, string(p.Text())); err != nil {
			t.Errorf("%s ships, and is not valid: %v", p.Name, err)
		}
	}
	for _, text := range []string{good, catchAll, engine, shippedTool, encrypts} {
		if err := refuses(s, text); err != nil {
			t.Errorf("a good playbook is not valid: %v\n%s", err, text)
		}
	}
	told := 0
	for _, c := range lintCases {
		text := strings.Replace(good, c.old, c.new, 1)
		_, err := Parse("x.yaml", []byte(text))
		bad := refuses(s, text)
		if err == nil && bad != nil {
			t.Errorf("%s: it loads, and the schema refuses it: %v", c.name, bad)
		}
		if bad != nil {
			told++
		}
	}
	if told < len(lintCases)/4 {
		t.Errorf("the schema refuses only %d of %d bad playbooks", told, len(lintCases))
	}
	for name, c := range map[string][2]string{
		"unknown key": {"title: ", "titel: x\ntitle: "}, "no name": {"name: acme/widget\n", ""}, "no detect": {"detect:", "owns:"}, "kind": {"title: ", "kind: thing\ntitle: "},
		"two kinds of step": {"  - service: {names: [widgetd]}\n", "  - {service: {names: [widgetd]}, file: {path: /opt/acme/widget}}\n"}, "a verdict": {"3: reboot", "3: restart"},
		"an unknown step": {"- service: {names: [widgetd]}", "- servce: {names: [widgetd]}"}, "platform": {"[linux]", "[linux, solaris]"}, "no sources": {"sources:", "owns:"},
		"embedded with steps": {"title: ", "kind: embedded\ntitle: "}, "residue of nothing": {"{service: widgetd}", "{remove: true}"}, "format": {"format: 1", "format: 2"},
	} {
		text := strings.Replace(good, c[0], c[1], 1)
		if _, err := Parse("x.yaml", []byte(text)); err == nil {
			t.Errorf("%s: it loads", name)
		}
		if refuses(s, text) == nil {
			t.Errorf("%s: the schema takes it", name)
		}
	}
}
