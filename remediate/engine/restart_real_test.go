package engine_test

import (
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/transports/transporttest/sshdlab"
)

// TestRealHostsRestarted: real hosts whose product asks for a restart are
// warned and restarted where somebody is logged on, restarted at once
// elsewhere, and removed only when they have come back in another boot.
func TestRealHostsRestarted(t *testing.T) {
	t.Parallel()
	r := newRig(t, sshdlab.Options{Hosts: 3, RPM: 1})
	for i := range r.lab.Hosts {
		r.lab.SetFault(i, "needs-reboot")
		r.lab.SetMinute(i, 1)
	}
	r.lab.LogOn(0)
	plan := r.plan(t)
	sum, err := r.engine.Apply(t.Context(), nil, plan, r.hosts, engine.ApplyOptions{})
	if err != nil || sum.Outcomes[remediate.OutcomeRebootPending] != 4 {
		t.Fatalf("without leave to restart: %+v, %v\n%+v", sum, err, r.events)
	}
	boots := map[string]string{}
	for i, h := range r.lab.Hosts {
		boots[h.Name], _ = r.lab.Exec(i, "cat", "/proc/sys/kernel/random/boot_id")
	}
	r.engine.Campaign.Reboot = remediate.RebootSettings{Policy: remediate.RebootAlways, Delay: 2 * time.Minute, Message: "It's \"now\" $HOME"}.WithDefaults()
	sum, err = r.engine.Serve(t.Context(), nil, r.hosts, engine.ServeOptions{Once: true})
	if err != nil || sum.Outcomes[remediate.OutcomeRemoved] != 4 {
		t.Fatalf("with leave: %+v, %v\n%+v", sum, err, r.events)
	}
	for i, h := range r.lab.Hosts {
		if now, _ := r.lab.Exec(i, "cat", "/proc/sys/kernel/random/boot_id"); now == boots[h.Name] {
			t.Errorf("%s was not restarted", h.Name)
		}
		if st, err := r.store.HostState(t.Context(), h.Name); err != nil || st.Standing != remediate.StandRemoved || st.Reboots != 1 {
			t.Errorf("%+v, %v", st, err)
		}
		asked := r.lab.Shutdowns(i)
		want := sshdlab.Shutdown{}
		if i == 0 {
			want = sshdlab.Shutdown{Minutes: 2, Message: "It's \"now\" $HOME"}
		}
		if len(asked) != 1 || asked[0].Minutes != want.Minutes || want.Message != "" && asked[0].Message != want.Message {
			t.Errorf("%s was asked for %+v, want %+v", h.Name, asked, want)
		}
	}
}
