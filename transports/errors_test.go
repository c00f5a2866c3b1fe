package transports_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"oust/transports"
)

func TestErrorText(t *testing.T) {
	e := &transports.Error{Class: transports.Unreachable, Host: "web1", Op: "connect", Err: errors.New("connection refused")}
	if got, want := e.Error(), "web1: connect: connection refused"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e.Advice = "is sshd running?"
	if got, want := e.Error(), "web1: connect: connection refused; is sshd running?"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestClassOf(t *testing.T) {
	inner := &transports.Error{Class: transports.Timeout, Host: "web1", Op: "run", Err: context.DeadlineExceeded}
	for _, c := range []struct {
		name string
		err  error
		want transports.Class
	}{
		{"nil", nil, ""},
		{"its own", inner, transports.Timeout},
		{"wrapped", fmt.Errorf("scan: %w", inner), transports.Timeout},
		{"joined", errors.Join(errors.New("other"), inner), transports.Timeout},
		{"foreign", errors.New("odd"), transports.Internal},
	} {
		if got := transports.ClassOf(c.err); got != c.want {
			t.Errorf("%s: class %q, want %q", c.name, got, c.want)
		}
	}
	if !errors.Is(inner, context.DeadlineExceeded) {
		t.Error("the cause is not reachable through Unwrap")
	}
}
