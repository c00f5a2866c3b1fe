package engine_test

import (
	"strings"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/transports"
	"oust/transports/lab"
)

// TestRetryOfASelectionKeepsWaves: a host that a person names does not go
// before the waves that come before its own.
func TestRetryOfASelectionKeepsWaves(t *testing.T) {
	inBubble(t, lab.Config{Hosts: 6, Seed: 12}, func(t *testing.T, r *bubbleRig) {
		r.campaign.Waves = []remediate.WaveSize{{Hosts: 1}, {Share: 1}}
		r.campaign.Windows = []remediate.Window{{Days: []time.Weekday{time.Monday}, Start: time.Hour, Length: time.Hour, Tags: []string{"late"}}, {Start: 0, Length: 24 * time.Hour, Tags: []string{"any"}}}
		for i := range r.hosts {
			r.hosts[i].Tags = []string{"any"}
		}
		plan := r.planned()
		first, second := plan.Hosts[0].Name, plan.Hosts[1].Name
		for i := range r.hosts {
			if r.hosts[i].Name == first {
				r.hosts[i].Tags = []string{"late"}
			}
		}
		r.apply(plan, engine.ApplyOptions{})
		sum := r.once(engine.ServeOptions{Forced: true, Only: map[string]bool{second: true}})
		if r.starts() != 0 || sum.Hosts != 1 {
			t.Errorf("%d uninstallers ran before the first wave: %+v", r.starts(), sum)
		}
		if next := r.next(second); !strings.Contains(next.Why, "wave 1 comes first") {
			t.Errorf("%+v", next)
		}
		r.serve(7*24*time.Hour, engine.ServeOptions{})
		if st := r.state(second); st.Standing != remediate.StandRemoved {
			t.Errorf("%+v", st)
		}
	})
}

// TestSecretThatIsGone: where a playbook needs a secret that the campaign has
// no more, its uninstaller is not started without it.
func TestSecretThatIsGone(t *testing.T) {
	inBubble(t, lab.Config{Windows: 2, Seed: 24}, func(t *testing.T, r *bubbleRig) {
		r.secret = func(string) (transports.Secret, error) { return transports.NewSecret("hunter2"), nil }
		plan := r.planned()
		r.setAway(true)
		r.apply(plan, engine.ApplyOptions{})
		r.setAway(false)
		r.secret = func(string) (transports.Secret, error) { return transports.Secret{}, engine.ErrNoSecret }
		r.serve(24*time.Hour, engine.ServeOptions{})
		if n := r.starts(); n != 0 {
			t.Errorf("%d uninstallers were started without their secret", n)
		}
		for _, h := range plan.Hosts {
			if st := r.state(h.Name); st.Class != remediate.ClassUnsupported || !strings.Contains(st.Detail, "campaign.yaml names no such secret") {
				t.Errorf("%s: %+v", h.Name, st.Last)
			}
		}
	})
}
