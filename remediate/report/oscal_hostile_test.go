package report_test

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"oust/remediate"
	"oust/remediate/report"
	"oust/remediate/report/reporttest"
)

// hostile are texts that a host could print, or a person type.
var hostile = rapid.OneOf(
	rapid.String(),
	rapid.Just(""),
	rapid.SampledFrom([]string{
		reporttest.Hostile, " ", "\n", "\u00a0x\u00a0", "\ufeffx", "a\u2028b\u2029c", "\x00\x1f\x7f\u0085", "\xff\xfe", "\u202etxt",
		"<img src=x onerror=alert(1)>", "![x](http://evil.example/)", "`{{ insert: param, x }}`", "-", "@", "a@b", "a@b@c", "\"a b\"@c.example",
		"ada@agency.example", "http:", "http://[::1", "urn:x", "https://example.gov/%zz", "https://example.gov/a b", "https://example.gov/ä", "1", "+1-202",
		"192.0.2.1", "fe80::1%eth0", "::ffff:192.0.2.1", "256.1.1.1", "host.corp.example", "-.example", "2026-12-30", "2026-02-30", "0000-00-00", "Europe/Berlin",
		strings.Repeat("long ", 2000), strings.Repeat("\u202f", 300) + "x", strings.Repeat("é", 3000),
	}),
)

var moments = rapid.OneOf(
	rapid.Just(time.Time{}),
	rapid.Custom(func(t *rapid.T) time.Time {
		zone := time.FixedZone("odd", rapid.IntRange(-14*3600, 14*3600).Draw(t, "zone"))
		return time.Unix(rapid.Int64Range(-62135596800, 253402300799+1e9).Draw(t, "unix"), rapid.Int64Range(0, 999999999).Draw(t, "nano")).In(zone)
	}),
)

// spoil puts other values in the place of some of v's.
func spoil(t *rapid.T, v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		if rapid.IntRange(0, 3).Draw(t, "spoil") == 0 {
			v.Set(reflect.ValueOf(moments.Draw(t, "time")))
		}
		return
	case v.Kind() == reflect.String:
		if rapid.IntRange(0, 3).Draw(t, "spoil") == 0 {
			v.SetString(hostile.Draw(t, "text"))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			spoil(t, field)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(t, v.Elem())
		}
	case reflect.Slice:
		if v.Len() > 0 && rapid.IntRange(0, 5).Draw(t, "cut") == 0 {
			v.Set(v.Slice(0, rapid.IntRange(0, v.Len()).Draw(t, "length")))
		}
		for i := range v.Len() {
			spoil(t, v.Index(i))
		}
	case reflect.Int, reflect.Int64:
		if rapid.IntRange(0, 5).Draw(t, "spoil") == 0 {
			v.SetInt(rapid.Int64Range(-5, 1<<40).Draw(t, "number"))
		}
	case reflect.Bool:
		v.SetBool(v.Bool() != (rapid.IntRange(0, 5).Draw(t, "spoil") == 0))
	}
}

// distinct makes names differ that differ in every snapshot.
func distinct(s *report.Snapshot) {
	for i := range s.Hosts {
		s.Hosts[i].Name += fmt.Sprint(" ", i)
	}
	for i := range s.Products {
		s.Products[i].Playbook += fmt.Sprint(" ", i)
	}
	for i := range s.Methods {
		s.Methods[i].Probe += fmt.Sprint(" ", i)
	}
	for i := range s.Unseen {
		s.Unseen[i].Why += fmt.Sprint(" ", i)
	}
	for i := range s.Milestones {
		s.Milestones[i].Name += fmt.Sprint(" ", i)
	}
	for i := range s.Duties {
		s.Duties[i].Name += fmt.Sprint(" ", i)
	}
	for i := range s.Waves {
		s.Waves[i].Plan += fmt.Sprint(" ", i)
	}
	classes := map[remediate.Class]bool{}
	for i := range s.Failures {
		if f := &s.Failures[i]; classes[f.Class] {
			f.Class += remediate.Class(fmt.Sprint(" ", i))
		} else {
			classes[f.Class] = true
		}
	}
}

// Whatever hosts and persons write, a plan is valid, and all that it refers to
// stands in it.
func TestOSCALHostileTexts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(remediate.ReportKinds()).Draw(t, "kind")
		s := reporttest.Sample(kind)
		if rapid.Bool().Draw(t, "nil") {
			s = reporttest.NilSample(kind)
		}
		s.Hosts = s.Hosts[:min(len(s.Hosts), 12)]
		spoil(t, reflect.ValueOf(&s).Elem())
		distinct(&s)
		s.At = reporttest.Now
		writeOSCAL(t, s)
	})
}

// bigFleet repeats the sample's hosts.
func bigFleet(hosts int) report.Snapshot {
	s := reporttest.Sample(remediate.ReportStatus)
	rows := s.Hosts
	s.Hosts = make([]report.HostRow, hosts)
	for i := range s.Hosts {
		s.Hosts[i] = rows[i%len(rows)]
		s.Hosts[i].Name = fmt.Sprintf("%s-%06d", rows[i%len(rows)].Name, i)
	}
	return s
}

func BenchmarkWriteOSCAL(b *testing.B) {
	s := bigFleet(100_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := report.WriteOSCAL(io.Discard, s); err != nil {
			b.Fatal(err)
		}
	}
}
