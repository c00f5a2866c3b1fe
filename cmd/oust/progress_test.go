package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/engine"
)

func TestProgressDraw(t *testing.T) {
	now := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	p := newProgress(func() time.Time { return now })
	p.event(engine.RunStarted{Kind: "apply", Hosts: 1000, Waves: []int{1, 999}})
	p.event(engine.WaveStarted{Wave: 2, Of: 2, Hosts: 999})
	for i := range 20 {
		p.event(engine.HostStarted{Host: fmt.Sprintf("h%02d", i)})
		now = now.Add(time.Second)
	}
	p.event(engine.HostStep{Host: "h00", Step: "join"})
	for i := 1; i < 11; i++ {
		p.event(engine.HostEnded{Host: fmt.Sprintf("h%02d", i), Outcome: remediate.Outcome{Kind: remediate.OutcomeRemoved}})
	}
	p.event(engine.HostEnded{Host: "h11", Outcome: remediate.Failed(remediate.ClassBusy, "lock")})
	p.event(engine.HostEnded{Host: "h12", Outcome: remediate.Outcome{Kind: remediate.OutcomeStale}})
	want := []string{
		"apply  12/1,000 done  8 running  wave 2/2  0.6/s  27m26s left",
		"  ok 10  busy 1  stale 1",
		"  20s      join     h00",
		"  7.0s     start    h13",
		"  6.0s     start    h14",
	}
	if d := cmp.Diff(want, p.draw(100)); d != "" {
		t.Error(d)
	}
	for _, l := range p.draw(30) {
		if n := len([]rune(l)); n > 30 {
			t.Errorf("%q has %d columns", l, n)
		}
	}
}

func TestProgressResumed(t *testing.T) {
	now := time.Unix(1000, 0)
	p := newProgress(func() time.Time { return now })
	p.event(engine.RunStarted{Kind: "apply", Hosts: 10, Resumed: true, Done: 6})
	now = now.Add(10 * time.Second)
	if p.rate() != 0 {
		t.Errorf("rate %v counts hosts of the interrupted process", p.rate())
	}
	p.event(engine.HostEnded{Host: "a", Outcome: remediate.Outcome{Kind: remediate.OutcomeRemoved}})
	if p.rate() != 0.1 || p.left() != 30*time.Second {
		t.Errorf("rate %v, left %v; want 0.1 a second, 30s", p.rate(), p.left())
	}
}

func TestSummaryLinesCountEveryHost(t *testing.T) {
	s := engine.Summary{Kind: "apply", Hosts: 12,
		Outcomes: map[remediate.OutcomeKind]int{remediate.OutcomeRemoved: 7, remediate.OutcomeFailed: 3, remediate.OutcomeNotStarted: 2},
		Failed:   map[remediate.Class]int{remediate.ClassUnreachable: 2, remediate.ClassAuth: 1},
		Stopped:  "wave 2: 3 of 10 hosts failed",
	}
	text := strings.Join(summaryLines(s), "\n")
	for _, want := range []string{"apply: 12 hosts", "removed              7", "not-started          2", "2  unreachable", "1  auth", "held: wave 2"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestPrintable(t *testing.T) {
	if got := printable("a\x1b[31mb\x00c\u202ed\ne"); got != "a?[31mb?c?d?e" {
		t.Errorf("printable = %q", got)
	}
}

func TestFew(t *testing.T) {
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("web%04d", i)
	}
	got := few(names, 60)
	if len(got) > 60 || !strings.HasPrefix(got, "web0000, web0001, ") || !strings.HasSuffix(got, " more") {
		t.Errorf("few = %q", got)
	}
	if got := few([]string{"a", "b"}, 60); got != "a, b" {
		t.Errorf("few = %q", got)
	}
}

func TestThousandsAndShort(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %s; want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		1500 * time.Millisecond: "1.5s", 59 * time.Second: "59s", 190 * time.Second: "3m10s", 125 * time.Minute: "2h05m", -1: "0s",
	} {
		if got := short(d); got != want {
			t.Errorf("short(%v) = %s; want %s", d, got, want)
		}
	}
}

// A plan of a thousand hosts fits a screen: equal scripts are shown together.
func TestPlanOfAThousandHostsFitsAScreen(t *testing.T) {
	p := &remediate.Plan{Campaign: "c", Waves: []int{1, 999}}
	for i := range 1000 {
		f := remediate.Finding{Playbook: "kaspersky/kesl", Kind: remediate.FindProduct, Version: []string{"12.1", "11.4"}[i%2]}
		p.Hosts = append(p.Hosts, remediate.PlanHost{Name: fmt.Sprintf("host%04d", i), Findings: []remediate.Finding{f}, Script: "sha256:aa"})
		p.Left = append(p.Left, remediate.PlanLeft{Name: fmt.Sprintf("left%04d", i), Reason: remediate.LeftUnseen, Detail: "unreachable: no route"})
	}
	var out strings.Builder
	a := &app{Streams: Streams{Out: &out, Err: &out}}
	if err := a.showPlan(p); err != nil {
		t.Fatal(err)
	}
	ls := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	if len(ls) > 24 {
		t.Errorf("%d lines:\n%s", len(ls), out.String())
	}
	for _, want := range []string{"1,000 hosts to change", "500 hosts  script aa  kaspersky/kesl 12.1", "1,000 hosts unseen"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
