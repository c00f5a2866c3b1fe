package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/defenseunicorns/go-oscal/src/pkg/validation"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"oust/remediate"
	"oust/remediate/report"
	"oust/remediate/report/reporttest"
)

// poamSchema is NIST's published schema, which go-oscal carries.
var poamSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	stub := `{"plan-of-action-and-milestones":{"metadata":{"oscal-version":"` + report.OSCALVersion + `"}}}`
	validator, err := validation.NewValidator([]byte(stub))
	if err != nil {
		return nil, err
	}
	published, err := validator.GetValidationParams()
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("poam.json", published.SchemaData); err != nil {
		return nil, err
	}
	return compiler.Compile("poam.json")
})

// writeOSCAL gives a snapshot as OSCAL, after every check that there is of it.
func writeOSCAL(t interface {
	Helper()
	Fatal(...any)
	Errorf(string, ...any)
}, s report.Snapshot) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := report.WriteOSCAL(&out, s); err != nil {
		t.Fatal(err)
	}
	for _, complaint := range planComplaints(out.Bytes()) {
		t.Errorf("%s", complaint)
	}
	return out.Bytes()
}

// planComplaints says what is wrong with a plan of action and milestones.
func planComplaints(text []byte) []string {
	schema, err := poamSchema()
	if err != nil {
		return []string{"schema: " + err.Error()}
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return []string{"not JSON: " + err.Error()}
	}
	var out []string
	if err := schema.Validate(doc); err != nil {
		out = append(out, err.Error())
	}
	r := references{declared: map[string]int{}}
	r.walk("", doc)
	return append(out, r.complaints()...)
}

// references are the UUIDs of a plan: those that it declares, and those that it
// refers to.
type references struct {
	declared map[string]int
	used     []string
	odd      []string
}

func (r *references) walk(name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		r.props(name, v)
		for key, value := range v {
			r.walk(key, value)
		}
	case []any:
		if len(v) == 0 {
			r.odd = append(r.odd, name+": an empty list")
		}
		for _, value := range v {
			r.walk(name, value)
		}
	case string:
		r.text(name, v)
	}
}

// nistProps are the properties that OSCAL knows, by what has them: the allowed
// values of its metaschemas (github.com/usnistgov/OSCAL, src/metaschema), which
// the JSON schema leaves out.
var nistProps = map[string][]string{
	"inventory-items":        {"asset-id", "ipv4-address", "ipv6-address", "fqdn", "os-name"},
	"implemented-components": {"software-version"},
	"parties":                {"job-title"},
	"resources":              {"type=evidence", "type=citation"},
	"entries":                {"type=status-update", "type=milestone-complete", "type=dr-approved"},
}

func (r *references) props(of string, v map[string]any) {
	list, _ := v["props"].([]any)
	for _, p := range list {
		prop, _ := p.(map[string]any)
		if _, ours := prop["ns"]; ours {
			continue
		}
		if !slices.Contains(nistProps[of], fmt.Sprint(prop["name"])) && !slices.Contains(nistProps[of], fmt.Sprintf("%v=%v", prop["name"], prop["value"])) {
			r.odd = append(r.odd, fmt.Sprintf("%s: OSCAL knows no property %v there", of, prop["name"]))
		}
	}
}

// text looks closer at a string than Go's regular expressions do on behalf of
// the schema: those of other languages know more white space and more ends of
// lines.
func (r *references) text(name, v string) {
	switch {
	case name == "uuid":
		r.declared[v]++
	case strings.HasSuffix(name, "-uuid") || name == "party-uuids" || name == "member-of-organizations":
		r.used = append(r.used, v)
	case name == "href" && strings.HasPrefix(v, "#"):
		r.used = append(r.used, v[1:])
	}
	if v == "" || v != strings.TrimFunc(v, func(c rune) bool { return unicode.IsSpace(c) || c == '\ufeff' }) {
		r.odd = append(r.odd, fmt.Sprintf("%s: %q is empty or has white space around it", name, v))
	}
	if at := strings.IndexFunc(v, func(c rune) bool {
		return unicode.IsControl(c) && (c != '\n' || name != "remarks") || unicode.Is(unicode.Bidi_Control, c) || c == '\u2028' || c == '\u2029' || c == unicode.ReplacementChar
	}); at >= 0 {
		r.odd = append(r.odd, fmt.Sprintf("%s: %q has a control character", name, v))
	}
	if name == "ns" && v != "https://oust.invalid/ns/oscal" {
		r.odd = append(r.odd, "a namespace that is not ours: "+v)
	}
}

func (r *references) complaints() []string {
	out := r.odd
	for id, times := range r.declared {
		if times > 1 {
			out = append(out, fmt.Sprintf("%s is declared %d times", id, times))
		}
	}
	for _, id := range r.used {
		if r.declared[id] == 0 {
			out = append(out, id+" is referred to, and not declared")
		}
	}
	return out
}

// plan is what tests read of a written plan.
type plan struct {
	Plan struct {
		UUID     string
		Metadata struct{ Title, Version, Remarks string }
		System   struct {
			Type string `json:"identifier-type"`
			ID   string
		} `json:"system-id"`
		Local struct {
			Inventory []struct{ UUID, Description string } `json:"inventory-items"`
		} `json:"local-definitions"`
		Observations []struct {
			UUID, Title, Description string
			Subjects                 []struct{ SubjectUUID string }
		}
		Risks []struct {
			UUID, Title, Status, Deadline string
			Factors                       []struct{ Description string } `json:"mitigating-factors"`
		}
		Items []struct{ UUID, Title, Description, Remarks string } `json:"poam-items"`
	} `json:"plan-of-action-and-milestones"`
}

func readPlan(t *testing.T, text []byte) plan {
	t.Helper()
	var p plan
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// statuses are a plan's risks by title.
func (p plan) statuses() map[string]string {
	out := map[string]string{}
	for _, r := range p.Plan.Risks {
		out[r.Title] = r.Status
	}
	return out
}

func TestOSCALComplaintsCanFail(t *testing.T) {
	t.Parallel()
	good := writeOSCAL(t, smallFleet())
	for name, change := range map[string]func(string) string{
		"a version that is no string": func(s string) string { return strings.Replace(s, `"oscal-version":"1.1.3"`, `"oscal-version":3`, 1) },
		"no metadata":                 func(s string) string { return strings.Replace(s, `"metadata"`, `"metabata"`, 1) },
		"a mail address without @":    func(s string) string { return strings.Replace(s, "ada@agency.example", "ada", 1) },
		"a time without a zone":       func(s string) string { return strings.Replace(s, `09:30:00Z`, `09:30:00`, 1) },
		"a line break":                func(s string) string { return strings.Replace(s, `"value":"scan`, `"value":"\nscan`, 1) },
		"a break that Go's `.` takes": func(s string) string { return strings.Replace(s, "Agency of Examples", "Agency\u2028of", 1) },
		"a reference into nothing": func(s string) string {
			return regexp.MustCompile(`"subject-uuid":"........`).ReplaceAllString(s, `"subject-uuid":"00000000`)
		},
		"a property that OSCAL does not know": func(s string) string { return strings.Replace(s, `"asset-id"`, `"asset-name"`, 1) },
		"an empty list":                       func(s string) string { return strings.Replace(s, `"methods":["TEST"]`, `"methods":[]`, 1) },
		"twice declared": func(s string) string {
			return regexp.MustCompile(`"uuid":"[0-9a-f-]{36}"`).ReplaceAllString(s, `"uuid":"00000000-0000-5000-8000-000000000000"`)
		},
	} {
		changed := change(string(good))
		if changed == string(good) && name != "a line break" {
			t.Errorf("%s: the change changes nothing", name)
		}
		if changed != string(good) && len(planComplaints([]byte(changed))) == 0 {
			t.Errorf("%s: nobody complains", name)
		}
	}
}

func TestOSCALTellsWhatIsOpen(t *testing.T) {
	t.Parallel()
	got := readPlan(t, writeOSCAL(t, smallFleet()))
	want := map[string]string{
		"BOD 17-01":                          "remediating",
		"Kaspersky Endpoint Security":        "remediating",
		"Hosts that are exempt":              "deviation-approved",
		"Hosts on which something came back": "open",
		"Hosts that were never seen: no connection could be made":  "investigating",
		"Hosts that stand failed: the product refused its removal": "open",
		"Hosts that nothing protects after a removal":              "open",
	}
	if diff := cmp.Diff(want, got.statuses()); diff != "" {
		t.Errorf("risks (-want +got):\n%s", diff)
	}
	for _, r := range got.Plan.Risks {
		if r.Deadline != "2026-12-30T23:59:59Z" {
			t.Errorf("%s: deadline %q", r.Title, r.Deadline)
		}
	}
	for _, item := range got.Plan.Local.Inventory {
		if item.Description == "clear-1" {
			t.Error("a host that was always clear is listed")
		}
	}
	if n := len(got.Plan.Local.Inventory); n != 7 {
		t.Errorf("%d hosts are listed, want 7", n)
	}
}

func TestOSCALNothingFound(t *testing.T) {
	t.Parallel()
	s := smallFleet()
	s.Hosts = []report.HostRow{s.Hosts[0]}
	s.Statement = []string{"Nothing was found on the 1 host that was looked at"}
	s.Totals = report.Totals{Hosts: 1, Seen: 1, Standing: map[remediate.Standing]int{remediate.StandClear: 1}}
	s.Products[0] = report.Product{Playbook: "kaspersky/kes", Title: "Kaspersky Endpoint Security", Counts: true}
	s.Unseen, s.Failures, s.Exemptions, s.Reappeared, s.Waves = nil, nil, nil, nil, nil
	got := readPlan(t, writeOSCAL(t, s))
	if diff := cmp.Diff(map[string]string{"BOD 17-01": "closed"}, got.statuses()); diff != "" {
		t.Errorf("risks (-want +got):\n%s", diff)
	}
	if len(got.Plan.Items) != 1 || !strings.HasPrefix(got.Plan.Items[0].Description, "Nothing was found on the 1 host that was looked at.") {
		t.Errorf("items are %v", got.Plan.Items)
	}

	s.Totals.Hosts, s.Totals.Never, s.Totals.Open = 2, 1, 1
	s.Unseen = []report.Unseen{{Why: "nobody has looked yet", Hosts: 1, Doing: "scan them"}}
	s.Hosts = append(s.Hosts, report.HostRow{Name: "new-1", Standing: remediate.StandUnseen})
	got = readPlan(t, writeOSCAL(t, s))
	want := map[string]string{"BOD 17-01": "investigating", "Hosts that were never seen: nobody has looked yet": "open"}
	if diff := cmp.Diff(want, got.statuses()); diff != "" {
		t.Errorf("risks with a host unseen (-want +got):\n%s", diff)
	}
}

// What two reports both tell of has one UUID, and equal snapshots are equal
// bytes.
func TestOSCALKeepsUUIDs(t *testing.T) {
	t.Parallel()
	s := smallFleet()
	first := writeOSCAL(t, s)
	if !bytes.Equal(first, writeOSCAL(t, s)) {
		t.Error("the same snapshot gives other bytes")
	}
	later := smallFleet()
	later.At = later.At.AddDate(0, 0, 7)
	later.Hosts = later.Hosts[1:]
	later.Totals.Found++
	ids := func(text []byte) map[string]string {
		out := map[string]string{}
		p := readPlan(t, text)
		for _, r := range p.Plan.Risks {
			out["risk "+r.Title] = r.UUID
		}
		for _, i := range p.Plan.Items {
			out["item "+i.Title] = i.UUID
		}
		out["plan"] = p.Plan.UUID
		return out
	}
	if diff := cmp.Diff(ids(first), ids(writeOSCAL(t, later))); diff != "" {
		t.Errorf("UUIDs a week later (-first +later):\n%s", diff)
	}
	other := smallFleet()
	other.CampaignID = "other"
	for what, id := range ids(writeOSCAL(t, other)) {
		if bytes.Contains(first, []byte(id)) {
			t.Errorf("%s: another campaign has the same UUID", what)
		}
	}
}

func TestOSCALGaps(t *testing.T) {
	t.Parallel()
	s := smallFleet()
	s.Form, s.Ledger = remediate.Form{}, report.Head{}
	s.Items = []report.Item{{ReportItem: remediate.ReportItem{Title: "Costs"}, State: report.ItemGap}}
	got := readPlan(t, writeOSCAL(t, s)).Plan
	for _, want := range []string{"system_id", "agency", "no ledger", "Costs"} {
		if !strings.Contains(got.Metadata.Remarks, want) {
			t.Errorf("remarks do not name %s: %s", want, got.Metadata.Remarks)
		}
	}
	if got.System.ID != s.CampaignID || !strings.HasSuffix(got.System.Type, "/campaign") {
		t.Errorf("the system is %v", got.System)
	}
}

func TestOSCALErrors(t *testing.T) {
	t.Parallel()
	if err := report.WriteOSCAL(io.Discard, report.Snapshot{}); err == nil {
		t.Error("a snapshot without a time is written")
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	if err := report.WriteOSCAL(full, smallFleet()); err == nil || !strings.Contains(err.Error(), "write oscal") {
		t.Errorf("a full disk gives %v", err)
	}
}

func TestOSCALGolden(t *testing.T) {
	t.Parallel()
	golden(t, "oscal-small.json", writeOSCAL(t, smallFleet()))
	golden(t, "oscal-nil.json", writeOSCAL(t, reporttest.NilSample(remediate.ReportIdentify)))
}

func TestOSCALSamples(t *testing.T) {
	t.Parallel()
	for _, s := range samples() {
		writeOSCAL(t, s)
	}
	writeOSCAL(t, bigFleet(3000))
}

// The plan's numbers are the snapshot's.
func TestOSCALNumbers(t *testing.T) {
	t.Parallel()
	s := reporttest.Sample(remediate.ReportStatus)
	got := readPlan(t, writeOSCAL(t, s)).Plan
	subjects := map[string]int{}
	for _, o := range got.Observations {
		subjects[o.Title] = len(o.Subjects)
	}
	want := map[string]int{
		"Hosts from which all that was found is gone": s.Totals.Standing[remediate.StandRemoved],
		"Hosts on which something came back":          len(s.Reappeared),
	}
	for _, p := range s.Products {
		if n := p.Present + p.Residue; n > 0 {
			want[p.Title] = n
		}
	}
	for title, n := range want {
		if subjects[title] != n {
			t.Errorf("%s: %d hosts, want %d", title, subjects[title], n)
		}
	}
	unseen := 0
	for title, n := range subjects {
		if strings.HasPrefix(title, "Hosts that were never seen") {
			unseen += n
		}
	}
	if unseen != s.Totals.Never {
		t.Errorf("%d hosts were never seen, want %d", unseen, s.Totals.Never)
	}
}

// smallFleet has one host of each kind.
func smallFleet() report.Snapshot {
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	seen := at.Add(-2 * time.Hour)
	kes := []report.FoundThing{{Playbook: "kaspersky/kes", Title: "Kaspersky Endpoint Security", Version: "12.6.0.438", Kind: remediate.FindProduct}}
	host := func(name string, standing remediate.Standing) report.HostRow {
		return report.HostRow{Name: name, Address: "192.0.2.7", Site: "north", OS: "Windows 11", Standing: standing, SeenAt: seen}
	}
	rows := []report.HostRow{
		host("clear-1", remediate.StandClear), host("exempt-1", remediate.StandPresent), host("failed-1", remediate.StandPresent),
		host("present-1", remediate.StandPresent), host("reappeared-1", remediate.StandReappeared), host("removed-1", remediate.StandRemoved),
		host("removed-2", remediate.StandRemoved), host("unseen-1", remediate.StandUnseen),
	}
	for _, i := range []int{1, 2, 3, 4} {
		rows[i].Findings = kes
	}
	rows[1].Exempt, rows[1].Until = true, at.AddDate(0, 1, 0)
	rows[2].Class, rows[2].Detail = remediate.ClassProtected, "msiexec: 1603 [password needed]"
	rows[3].Address = "fd00::7"
	rows[4].Address = "reappeared-1.corp.example"
	rows[6].Bare = "Microsoft Defender is off"
	rows[7].Class, rows[7].SeenAt = remediate.ClassUnreachable, time.Time{}
	return report.Snapshot{
		Format: report.Format, Report: remediate.ReportStatus, Title: "Status of the removal", At: at, By: "ada@ops",
		Campaign: "kaspersky-2026", CampaignID: "01kabcdefghjkmnpqrstvwxyz0", Issued: "2026-10-01",
		Mandate: remediate.Mandate{
			Name: "bod-17-01", Title: "BOD 17-01", Issuer: "Department of Examples",
			Sources: []string{"https://example.gov/bod-17-01", "Federal Register, volume 82"}, Covers: []string{"Kaspersky-branded products"},
			Milestones: []remediate.MilestoneRule{{Name: "remove", Met: remediate.MetFinished}},
		},
		Form: remediate.Form{
			Agency: "Agency of Examples", Contact: remediate.Contact{Name: "Ada", Phone: "+1 (202) 555-0100", Mail: "ada@agency.example"},
			SystemID: "SSP-7", SystemIDScheme: "https://fedramp.gov",
			Attest: &remediate.Attested{Name: "Grace", Title: "Chief Information Officer"},
		},
		Ledger:    report.Head{Size: 42, Root: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", Key: "oust+1+x", Note: "oust\n42\nroot\n\n— oust x\n"},
		Items:     []report.Item{{ReportItem: remediate.ReportItem{Ref: "a", Title: "Endpoints with products"}, State: report.ItemAnswered, Text: []string{"4"}}},
		Statement: []string{"4 of 8 hosts have it"},
		Totals: report.Totals{
			Hosts: 8, Exempt: 1, Seen: 7, Never: 1, Found: 6, Open: 4, Failed: 2,
			Standing: map[remediate.Standing]int{
				remediate.StandUnseen: 1, remediate.StandClear: 1, remediate.StandPresent: 2, remediate.StandRemoved: 2, remediate.StandReappeared: 1,
			},
		},
		Products: []report.Product{{
			Playbook: "kaspersky/kes", Digest: "sha256:00", Title: "Kaspersky Endpoint Security", Counts: true, Present: 4, Found: 6,
			Versions: []report.Version{{Version: "12.6.0.438", Hosts: 4}},
		}, {
			Playbook: "kaspersky/oem", Title: "Kaspersky engine", Embedded: true, Found: 1, Present: 1,
		}},
		Methods: []report.Method{{Transport: "winrm", Platform: remediate.Windows, Probe: "sha256:11", Hosts: 7, First: seen, Last: seen}},
		Unseen:  []report.Unseen{{Class: remediate.ClassUnreachable, Why: "no connection could be made", Hosts: 1, Doing: "a knock every 10 minutes"}},
		Milestones: []report.MilestoneState{
			{Name: "remove", What: "remove all", Date: "2026-12-30", State: "due", DaysLeft: 40, Why: "4 hosts are open"},
		},
		Duties: []report.DutyState{{Name: "progress", What: "report every 30 days", Next: "2027-01-29", DaysLeft: 70, Missed: []string{"2026-11-01"}}},
		Waves:  []report.Wave{{Plan: "01kplan", Wave: 1, Approved: at.AddDate(0, 0, -3), Hosts: 6, Done: 2, Failed: 1, Waiting: 3}},
		Timeline: []report.Stage{
			{What: "wave 2", Hosts: 3, From: at.AddDate(0, 0, 1), To: at.AddDate(0, 0, 2)}, {What: "after", Hosts: 1, Note: "waits for a window"},
		},
		Failures: []report.Failure{
			{Class: remediate.ClassProtected, What: "the product refused its removal", Hosts: 1, Person: 1, Advice: "give the right uninstall password"},
			{Class: remediate.ClassUnreachable, What: "no connection could be made", Hosts: 1, Retried: 1, Next: at.Add(time.Hour), Advice: "wait"},
		},
		Exemptions: []report.Exemption{{
			Exemption: remediate.Exemption{
				Host: "exempt-1", Reason: "forensics", Approver: "CIO", Mitigation: "cut off from the network",
				Until: at.AddDate(0, 1, 0), At: at.AddDate(0, 0, -9),
			},
			State: "holds",
		}},
		Reappeared: []string{"reappeared-1"},
		Submissions: []remediate.Submission{{
			Report: remediate.ReportIdentify, At: at.AddDate(0, 0, -20), By: "ada@ops", To: "the department",
			Files: []remediate.FileDigest{{Name: "identify.html", Digest: "sha256:22"}},
		}},
		Hosts: rows,
	}
}
