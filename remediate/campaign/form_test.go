package campaign

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

var told = bare + `report:
  agency: Department of Examples
  contact: {name: J. Doe, phone: +1 555 0100, mail: jdoe@example.org}
  components: [Office of Samples, Bureau of Tests]
  mission: |
    desktops
    and laptops
  contracts: none
  requirements: {anti-malware: by Defender}
  replacement: Defender
  replacement_timeline: by Christmas
  challenges: [laptops]
  costs:
    - {what: licences, amount: 12000 USD}
  attestation: {name: J. Roe, title: CIO, date: 2026-12-21}
  fields: {ticket: INC-1}
  system_id: sys-1
  system_id_scheme: https://ietf.org/rfc/rfc4122
ledger: {key: keys/oust.key, passphrase: env:LEDGER}
`

func TestParseForm(t *testing.T) {
	t.Parallel()
	got, err := parse("/c", "/c/campaign.yaml", []byte(told))
	if err != nil {
		t.Fatal(err)
	}
	day := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	want := remediate.Campaign{
		Form: remediate.Form{
			Agency:     "Department of Examples",
			Contact:    remediate.Contact{Name: "J. Doe", Phone: "+1 555 0100", Mail: "jdoe@example.org"},
			Components: []string{"Office of Samples", "Bureau of Tests"}, Mission: "desktops\nand laptops\n", Contracts: []string{"none"},
			Requirements: map[string]string{"anti-malware": "by Defender"}, Replacement: "Defender", ReplaceBy: "by Christmas",
			Challenges: []string{"laptops"}, Costs: []remediate.Cost{{What: "licences", Amount: "12000 USD"}},
			Attest: &remediate.Attested{Name: "J. Roe", Title: "CIO", Date: day("2026-12-21")}, Fields: map[string]string{"ticket": "INC-1"},
			SystemID: "sys-1", SystemIDScheme: "https://ietf.org/rfc/rfc4122",
		},
		Ledger: remediate.LedgerSettings{Key: "/c/keys/oust.key", Passphrase: "env:LEDGER"},
	}
	if d := cmp.Diff(want, remediate.Campaign{Form: got.Form, Ledger: got.Ledger}); d != "" {
		t.Error(d)
	}
	none, err := parse("/c", "/c/campaign.yaml", []byte(bare))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(remediate.Campaign{}, remediate.Campaign{Form: none.Form, Ledger: none.Ledger}); d != "" {
		t.Errorf("left out: %s", d)
	}
}

func TestParseFormRefuses(t *testing.T) {
	t.Parallel()
	edit := func(old, now string) string { return strings.Replace(told, old, now, 1) }
	tests := []struct{ name, text, want string }{
		{"an unknown part of a report", edit("agency:", "agncy:"), `campaign.yaml:19:3: unknown key "agncy"; did you mean "agency"?`},
		{"an agency on two lines", edit("Department of Examples", `"A\nB"`), "campaign.yaml:19: report.agency: at most 300 bytes, on one line"},
		{"a long mission", edit("desktops\n", strings.Repeat("x", 4000)+"\n"), "campaign.yaml:22: report.mission: at most 4000 bytes"},
		{"no address", edit("jdoe@example.org", "jdoe"), `campaign.yaml:20: report.contact.mail: "jdoe" is not an address`},
		{"a contact without a name", edit("name: J. Doe, ", ""), "campaign.yaml:20: report.contact: has no name"},
		{"a contract that says nothing", edit("contracts: none", "contracts: ['']"), "campaign.yaml:25: report.contracts: has an entry that says nothing"},
		{"an answer with control characters", edit("by Defender", `"a\x07b"`), "campaign.yaml:26: report.requirements.anti-malware: at most"},
		{"a cost of nothing", edit("what: licences, ", ""), "campaign.yaml:31: report.costs: entry 1: what: missing"},
		{"a cost without an amount", edit(", amount: 12000 USD", ""), "campaign.yaml:31: report.costs: entry 1: amount: missing"},
		{"a signature of nobody", edit("name: J. Roe, ", ""), "campaign.yaml:32: report.attestation: missing; who signs (name)"},
		{"a signature of no day", edit(", date: 2026-12-21", ""), "campaign.yaml:32: report.attestation: missing; the day"},
		{"a signature of a day that is not there", edit("2026-12-21", "2026-12-32"), `"2026-12-32" is not a date`},
		{"a scheme that is no URI", edit("https://ietf.org/rfc/rfc4122", "uuid"), `campaign.yaml:35: report.system_id_scheme: "uuid" is not a URI`},
		{"a scheme of nothing", edit("  system_id: sys-1\n", ""), "report.system_id_scheme: there is no report.system_id"},
		{"the ledger's secret written out", edit("env:LEDGER", "hunter2"), "campaign.yaml:36: ledger.passphrase: secrets do not stand in this file"},
		{"two ways to open the ledger's key", edit("passphrase: env:LEDGER", "passphrase: env:LEDGER, identity: id"), "campaign.yaml:36: ledger.identity: the key is opened by passphrase or by identity"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse("/c", "/c/campaign.yaml", []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("parse: %v; want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
}
