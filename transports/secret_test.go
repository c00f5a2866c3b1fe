package transports_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"oust/transports"
)

const hidden = "hunter2-hunter2"

func TestSecretNeverPrints(t *testing.T) {
	s := transports.NewSecret(hidden)
	holder := transports.Credential{User: "root", Password: s, KeyPassphrase: s, BecomePassword: s}
	type unexported struct {
		s transports.Secret
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%20s", "%T"} {
		for _, value := range []any{s, &s, holder, &holder, unexported{s: s}, &unexported{s: s}, []transports.Secret{s}, map[string]transports.Secret{"k": s}} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, hidden) || strings.Contains(text, fmt.Sprintf("%x", hidden)) {
				t.Errorf("%s of %T prints the secret", verb, value)
			}
		}
	}
}

func TestSecretNeverMarshals(t *testing.T) {
	s := transports.NewSecret(hidden)
	raw, err := json.Marshal(map[string]any{"a": s, "b": &s, "c": transports.Credential{Password: s}})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte(hidden)) {
		t.Errorf("JSON holds the secret: %s", raw)
	}
	if !bytes.Contains(raw, []byte(`"a":"[redacted]"`)) {
		t.Errorf("JSON %s, want [redacted] for a", raw)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "secret", s, "in", transports.Credential{Password: s})
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "secret", s, "in", transports.Credential{Password: s})
	if strings.Contains(log.String(), hidden) {
		t.Errorf("the log holds the secret: %s", log.String())
	}
}

func TestSecretReveals(t *testing.T) {
	if got := transports.NewSecret(hidden).Reveal(); got != hidden {
		t.Errorf("got %q", got)
	}
	if transports.NewSecret(hidden).Empty() || !(transports.Secret{}).Empty() {
		t.Error("Empty is wrong")
	}
}
