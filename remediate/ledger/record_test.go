package ledger_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
	"oust/remediate/ledger"
)

// samples has one body of every kind, with nothing in it.
func samples() map[remediate.RecordKind]any {
	return map[remediate.RecordKind]any{
		remediate.RecordBegun: remediate.LedgerBegun{}, remediate.RecordKey: remediate.KeyChanged{},
		remediate.RecordSettings: remediate.Settings{}, remediate.RecordRun: remediate.RunBegun{},
		remediate.RecordRunLowered: remediate.RunLowered{}, remediate.RecordRunEnded: remediate.RunEnded{},
		remediate.RecordLook: remediate.LookTaken{}, remediate.RecordPlan: remediate.PlanSaved{},
		remediate.RecordApproval: remediate.ApprovalGiven{}, remediate.RecordApprovedHosts: remediate.ApprovedHosts{},
		remediate.RecordApprovedCode: remediate.ApprovedCode{}, remediate.RecordState: remediate.StateCarried{},
		remediate.RecordAttempt: remediate.AttemptBegun{}, remediate.RecordOutcome: remediate.AttemptEnded{},
		remediate.RecordExemption: remediate.Exemption{}, remediate.RecordExemptionEnded: remediate.ExemptionEnded{},
		remediate.RecordHold: remediate.Hold{}, remediate.RecordRelease: remediate.HoldReleased{},
		remediate.RecordReboot: remediate.Reboot{}, remediate.RecordRebootBack: remediate.RebootBack{},
		remediate.RecordTrust: remediate.KeyTrusted{}, remediate.RecordSubmission: remediate.Submission{},
		remediate.RecordRules: remediate.RulesChanged{},
	}
}

var anyText = rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 8), func(b []byte) string { return string(b) }),
	rapid.SampledFrom([]string{"\u2028", "\u2029x", "\ufffd", `\u2028`, `\\u2029`, "\x00\x1f\x7f\b\f", `<a href="x">&</a>`, "\xff", "long " + strings.Repeat("\"", 300)}))

// drawTime gives times of any zone, and with more digits than records have.
func drawTime(t *rapid.T) time.Time {
	at := time.Unix(rapid.Int64Range(-60_000_000_000, 250_000_000_000).Draw(t, "unix"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
	return at.In(time.FixedZone("x", rapid.IntRange(-14*3600, 14*3600).Draw(t, "zone")))
}

// fill gives every field of v some value.
func fill(t *rapid.T, v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		if rapid.Bool().Draw(t, "has time") {
			v.Set(reflect.ValueOf(drawTime(t)))
		}
	case v.Kind() == reflect.String:
		v.SetString(anyText.Draw(t, "text"))
	case v.CanInt():
		v.SetInt(rapid.Int64Range(-1<<31, 1<<31-1).Draw(t, "number"))
	case v.Kind() == reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "flag"))
	case v.Kind() == reflect.Slice:
		if n := rapid.IntRange(-1, 2).Draw(t, "entries"); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(t, v.Index(i))
			}
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("no values for %v", v.Type())
	}
}

func drawRecord(t *rapid.T, kind remediate.RecordKind) remediate.Record {
	body := reflect.New(reflect.TypeOf(samples()[kind])).Elem()
	fill(t, body)
	return remediate.Record{Kind: kind, At: drawTime(t), By: anyText.Draw(t, "by"), Host: anyText.Draw(t, "host"), Body: body.Interface()}
}

// TestRecordsHaveOneText: whatever a record holds, its text reads back to a
// record with the same text, on one line, and without white space.
func TestRecordsHaveOneText(t *testing.T) {
	t.Parallel()
	for _, kind := range ledger.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				r, n := drawRecord(t, kind), rapid.Int64Range(0, 1<<40).Draw(t, "n")
				before, err := json.Marshal(r.Body)
				if err != nil {
					t.Fatal(err)
				}
				text, err := ledger.Encode(n, r)
				if err != nil {
					t.Fatal(err)
				}
				gotN, got, err := ledger.Decode(text)
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				again, err := ledger.Encode(gotN, got)
				if err != nil || string(again) != string(text) || gotN != n || got.Kind != kind || !got.At.Equal(r.At.Truncate(time.Microsecond)) {
					t.Fatalf("%v\n%s\n%s", err, text, again)
				}
				if reflect.TypeOf(got.Body) != reflect.TypeOf(r.Body) {
					t.Fatalf("the body is %T", got.Body)
				}
				after, err := json.Marshal(r.Body)
				if err != nil || string(after) != string(before) {
					t.Fatalf("Encode changed what it was given: %s\n%s", before, after)
				}
				if strings.ContainsAny(string(text), "\n\r") || strings.Contains(string(text), "null") && !strings.Contains(string(before), "null") {
					t.Fatalf("%s", text)
				}
			})
		})
	}
}

func TestKindsAreComplete(t *testing.T) {
	t.Parallel()
	if got, want := len(ledger.Kinds()), len(samples()); got != want {
		t.Errorf("%d kinds, %d samples", got, want)
	}
	for kind, body := range samples() {
		if _, err := ledger.Encode(0, remediate.Record{Kind: kind, Body: body}); err != nil {
			t.Error(err)
		}
	}
}

var at = time.Date(2026, 10, 3, 4, 5, 6, 120_000_999, time.FixedZone("", 7200))

func TestEncode(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		n    int64
		r    remediate.Record
		want string
	}{
		{"begun", 0, remediate.Record{Kind: remediate.RecordBegun, At: at, By: "ann@ctl", Body: remediate.LedgerBegun{Campaign: "kas-2026", CampaignID: "c1", Key: "k"}},
			`{"n":0,"kind":"begun","at":"2026-10-03T02:05:06.12Z","by":"ann@ctl","body":{"campaign":"kas-2026","campaign_id":"c1","key":"k"}}`},
		{"no escapes for HTML or lines", 7, remediate.Record{Kind: remediate.RecordTrust, At: at.Truncate(time.Second), Host: "web-1", Body: remediate.KeyTrusted{Address: "<&>\u2028\u2029\xff", Fingerprint: `\u2028"`}},
			`{"n":7,"kind":"trust","at":"2026-10-03T02:05:06Z","by":"","host":"web-1","body":{"address":"<&>` + "\u2028\u2029\ufffd" + `","fingerprint":"\\u2028\""}}`},
		{"lists", 8, remediate.Record{Kind: remediate.RecordApprovedHosts, At: at, Body: remediate.ApprovedHosts{Plan: "p", Wave: 1}},
			`{"n":8,"kind":"approved-hosts","at":"2026-10-03T02:05:06.12Z","by":"","body":{"plan":"p","wave":1,"hosts":[]}}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := ledger.Encode(c.n, c.r)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		n    int64
		r    remediate.Record
		want string
	}{
		"number":  {-1, remediate.Record{Kind: remediate.RecordPlan, Body: remediate.PlanSaved{}}, "below 0"},
		"kind":    {0, remediate.Record{Kind: "gossip"}, `no kind "gossip"`},
		"body":    {0, remediate.Record{Kind: remediate.RecordPlan, Body: remediate.RunEnded{}}, "want remediate.PlanSaved"},
		"pointer": {0, remediate.Record{Kind: remediate.RecordPlan, Body: &remediate.PlanSaved{}}, "want remediate.PlanSaved"},
		"nothing": {0, remediate.Record{Kind: remediate.RecordPlan}, "want remediate.PlanSaved"},
		"year":    {0, remediate.Record{Kind: remediate.RecordPlan, At: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC), Body: remediate.PlanSaved{}}, "year"},
		"size":    {0, remediate.Record{Kind: remediate.RecordPlan, By: strings.Repeat("x", remediate.MaxRecord), Body: remediate.PlanSaved{}}, "are more than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := ledger.Encode(c.n, c.r); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestDecodeRefuses: what means the same and is written otherwise is refused.
func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const good = `{"n":3,"kind":"run-ended","at":"2026-10-03T02:05:06Z","by":"a","host":"h","body":{"run":"r","exit":0}}`
	if _, _, err := ledger.Decode([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`{"n"`, `{ "n"`}, {`}}`, `}} `}, {`}}`, `}}{}`}, {`"n":3`, `"n":03`}, {`"n":3`, `"n":3.0`}, {`"n":3`, `"n":-3`}, {`"n":3,`, ``},
		{`"n":3,`, `"n":3,"n":3,`}, {`"n":3,"kind":"run-ended"`, `"kind":"run-ended","n":3`}, {`"kind"`, `"Kind"`}, {`run-ended`, `Run-ended`},
		{`06Z`, `06.0Z`}, {`06Z`, `06.0000001Z`}, {`06Z`, `06+00:00`}, {`T`, `t`}, {`"by":"a"`, `"by":"\u0061"`}, {`"by":"a",`, ``},
		{`"host":"h"`, `"host":""`}, {`"host":"h"`, `"Host":"h"`}, {`"host":"h"`, `"host":"h","x":1`}, {`"exit":0`, `"exit":0,"note":""`}, {`"exit":0`, `"exit":0,"x":1`}, {`"exit":0`, `"exit":-0`},
		{`,"exit":0`, ``}, {`{"run":"r","exit":0}`, `null`}, {`{"run":"r","exit":0}`, `[]`}, {`"r"`, `null`}, {`"r"`, "\"\xff\""}, {`"r"`, `"\ud800"`}, {good, ``}, {good, `null`},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if n, r, err := ledger.Decode([]byte(text)); err == nil {
			t.Errorf("%s was read: %d %v", text, n, r)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for kind, body := range samples() {
		text, err := ledger.Encode(5, remediate.Record{Kind: kind, At: at, By: "a@b", Host: "h", Body: body})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, r, err := ledger.Decode(text)
		if err != nil {
			return
		}
		if again, err := ledger.Encode(n, r); err != nil || string(again) != string(text) {
			t.Errorf("%v\n%s\n%s", err, text, again)
		}
	})
}
