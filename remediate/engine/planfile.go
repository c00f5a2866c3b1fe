package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"oust/remediate"
)

// maxPlanFile bounds a plan file, in bytes; 100,000 hosts take about 60 MiB.
const maxPlanFile = 512 << 20

// RefusedError says why a plan is not applied. Nothing was done on any host.
type RefusedError struct {
	// Reason says what is wrong, Advice what to do next.
	Reason, Advice string
}

func (e *RefusedError) Error() string {
	return "plan refused: " + e.Reason + "; " + e.Advice
}

func refuse(advice, reason string, args ...any) error {
	return &RefusedError{Reason: fmt.Sprintf(reason, args...), Advice: advice}
}

const planAgain = "make a new plan with 'oust plan' and look at it before you apply it"

// PlanDigest is "sha256:HEX" of PlanText.
func PlanDigest(p *remediate.Plan) (string, error) {
	b, err := PlanText(p)
	if err != nil {
		return "", err
	}
	return remediate.Digest(b), nil
}

// PlanText is the plan's JSON with an empty Digest.
func PlanText(p *remediate.Plan) ([]byte, error) {
	bare := *p
	bare.Digest = ""
	b, err := json.Marshal(&bare)
	if err != nil {
		return nil, fmt.Errorf("digest of the plan: %w", err)
	}
	return b, nil
}

// WritePlan writes a plan file.
func WritePlan(w io.Writer, p *remediate.Plan) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	return nil
}

// ReadPlan reads a plan file and checks that it is whole: a known format and
// an unaltered digest. Anything else is a *RefusedError.
func ReadPlan(r io.Reader) (*remediate.Plan, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxPlanFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	if len(b) > maxPlanFile {
		return nil, refuse(planAgain, "the file is larger than %d MiB", maxPlanFile>>20)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	p := new(remediate.Plan)
	if err := dec.Decode(p); err != nil {
		return nil, refuse(planAgain, "it is not a plan file of this version: %v%s", err, jsonLine(b, err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse(planAgain, "there is more in the file after the plan")
	}
	if p.Format != remediate.PlanFormat {
		return nil, refuse(planAgain, "it has format %d, this program applies format %d", p.Format, remediate.PlanFormat)
	}
	digest, err := PlanDigest(p)
	if err != nil {
		return nil, err
	}
	if digest != p.Digest {
		return nil, refuse(planAgain, "it was altered after it was made: its content does not fit its digest")
	}
	// JSON may say a thing twice, and a person would read the other one.
	var again bytes.Buffer
	if err := WritePlan(&again, p); err != nil {
		return nil, err
	}
	if !bytes.Equal(again.Bytes(), b) {
		return nil, refuse(planAgain, "it was altered after it was made: it is not written as oust writes plans")
	}
	return p, nil
}

// jsonLine says on which line a JSON error stands.
func jsonLine(b []byte, err error) string {
	var offset int64 = -1
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = s.Offset
	} else if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = t.Offset
	}
	if offset < 0 || offset > int64(len(b)) {
		return ""
	}
	return fmt.Sprintf(" (line %d)", 1+bytes.Count(b[:offset], []byte("\n")))
}

// CheckPlan decides whether a plan may be applied now, in this campaign, with
// these playbooks. A no is a *RefusedError.
func (e *Engine) CheckPlan(ctx context.Context, p *remediate.Plan) error {
	digest, err := PlanDigest(p)
	if err != nil {
		return err
	}
	if digest != p.Digest {
		return refuse(planAgain, "it was altered after it was made: its content does not fit its digest")
	}
	id, err := e.Store.CampaignID(ctx)
	if err != nil {
		return fmt.Errorf("read the campaign id: %w", err)
	}
	if p.CampaignID != id {
		return refuse("apply it in the folder where it was made, or plan here",
			"it was made for another campaign (%q, store %s; this one's is %s)", p.Campaign, p.CampaignID, id)
	}
	if now := e.Now(); now.After(p.Expires) {
		return refuse(planAgain, "it expired on %s", p.Expires.UTC().Format(time.RFC3339))
	}
	known, err := e.Store.PlanDigest(ctx, p.ID)
	switch {
	case errors.Is(err, remediate.ErrNotFound):
		return refuse(planAgain, "this campaign's store does not know it")
	case err != nil:
		return fmt.Errorf("look the plan up: %w", err)
	case known != digest:
		return refuse(planAgain, "it is not the plan that was made under this id")
	}
	if err := e.checkPlaybooks(p); err != nil {
		return err
	}
	return checkScripts(p)
}

// checkPlaybooks compares the playbooks in force with those of the plan.
func (e *Engine) checkPlaybooks(p *remediate.Plan) error {
	now := map[string]string{}
	for _, r := range e.Library.Refs() {
		now[r.Name] = r.Digest
	}
	for _, r := range p.Playbooks {
		switch digest, ok := now[r.Name]; {
		case !ok:
			return refuse(planAgain, "its playbook %s is not in this campaign any more", r.Name)
		case digest != r.Digest:
			return refuse(planAgain, "playbook %s has changed since the plan was made", r.Name)
		}
		delete(now, r.Name)
	}
	for name := range now {
		return refuse(planAgain, "playbook %s has come to this campaign since the plan was made", name)
	}
	return nil
}

// checkScripts holds every script against its digest and every host against
// the scripts.
func checkScripts(p *remediate.Plan) error {
	have := map[string]bool{}
	for _, s := range p.Scripts {
		if remediate.Digest([]byte(s.Text)) != s.Digest {
			return refuse(planAgain, "script %s does not fit its digest", s.Digest)
		}
		have[s.Digest] = true
	}
	for _, h := range p.Hosts {
		if !have[h.Script] {
			return refuse(planAgain, "host %s has a script that is not in the plan", h.Name)
		}
	}
	return nil
}
