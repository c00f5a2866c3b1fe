package engine

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"oust/remediate"
)

func samplePlan(t *testing.T) *remediate.Plan {
	t.Helper()
	text := "echo hello\n"
	p := &remediate.Plan{
		Format: remediate.PlanFormat, ID: remediate.NewID(time.Unix(1, 0)), Campaign: "c", CampaignID: "id",
		Created: time.Unix(1, 0).UTC(), Expires: time.Unix(100, 0).UTC(),
		Playbooks: []remediate.PlaybookRef{{Name: "kaspersky/kesl", Digest: "sha256:00"}},
		Scripts:   []remediate.Script{{Digest: remediate.Digest([]byte(text)), Shell: remediate.ShellSh, Text: text}},
		Hosts: []remediate.PlanHost{{Name: "a", Address: "a", Findings: []remediate.Finding{productFinding()},
			Script: remediate.Digest([]byte(text)), Wave: 1}},
		Waves: []int{1},
	}
	var err error
	if p.Digest, err = PlanDigest(p); err != nil {
		t.Fatal(err)
	}
	return p
}

func planText(t *testing.T, p *remediate.Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := WritePlan(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPlanRoundTrip(t *testing.T) {
	p := samplePlan(t)
	got, err := ReadPlan(strings.NewReader(planText(t, p)))
	if err != nil {
		t.Fatal(err)
	}
	if again := planText(t, got); again != planText(t, p) {
		t.Errorf("read and written again, the plan differs:\n%s", again)
	}
}

func TestReadPlanRefuses(t *testing.T) {
	sample := samplePlan(t)
	whole := planText(t, sample)
	tests := map[string]struct{ text, want string }{
		"script altered":    {strings.Replace(whole, "echo hello", "echo owned", 1), "altered"},
		"host altered":      {strings.Replace(whole, `"name": "a"`, `"name": "b"`, 1), "altered"},
		"expiry altered":    {strings.Replace(whole, "1970-01-01T00:01:40Z", "2070-01-01T00:01:40Z", 1), "altered"},
		"a key twice":       {strings.Replace(whole, `"scripts"`, `"scripts": [], "scripts"`, 1), "not written as oust writes plans"},
		"a key in capitals": {strings.Replace(whole, `"scripts"`, `"SCRIPTS": [], "scripts"`, 1), "not written as oust writes plans"},
		"unknown key":       {strings.Replace(whole, `"format"`, `"fromat"`, 1), "unknown field"},
		"other format":      {strings.Replace(whole, `"format": 1`, `"format": 2`, 1), "format 2"},
		"cut off":           {whole[:len(whole)/2], "not a plan file"},
		"wrong type":        {strings.Replace(whole, `"format": 1`, `"format": "1"`, 1), "line 2"},
		"something after":   {whole + "{}", "more in the file"},
		"empty":             {"", "not a plan file"},
		"not JSON":          {"hosts: []", "line 1"},
		"digest taken away": {strings.Replace(whole, sample.Digest, "", 1), "altered"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ReadPlan(strings.NewReader(tt.text))
			refused, ok := errors.AsType[*RefusedError](err)
			if !ok || !strings.Contains(refused.Reason, tt.want) || refused.Advice == "" {
				t.Errorf("ReadPlan: %v; want a refusal with %q", err, tt.want)
			}
		})
	}
}

func FuzzReadPlan(f *testing.F) {
	f.Add([]byte(`{"format":1}`))
	f.Add([]byte(`{"format":1,"hosts":[{"name":"a","wave":-1}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ReadPlan(bytes.NewReader(b))
		if err != nil {
			return
		}
		if digest, err := PlanDigest(p); err != nil || digest != p.Digest {
			t.Errorf("an accepted plan has digest %s, computed %s, %v", p.Digest, digest, err)
		}
	})
}
