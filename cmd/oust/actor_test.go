package main

import (
	"strings"
	"testing"
)

func TestActor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  map[string]string
		want string
	}{
		"nothing":       {nil, ""},
		"sudo":          {map[string]string{"SUDO_USER": "ann"}, " (sudo by ann)"},
		"ssh":           {map[string]string{"SSH_CONNECTION": "10.1.2.3 52000 10.0.0.1 22"}, " (from 10.1.2.3)"},
		"both":          {map[string]string{"SUDO_USER": "ann", "SSH_CONNECTION": "fe80::1%eth0 52000 fe80::2 22"}, " (sudo by ann, from fe80::1)"},
		"no address":    {map[string]string{"SSH_CONNECTION": "evil) (sudo by root 1 2 3"}, ""},
		"a made-up one": {map[string]string{"SUDO_USER": "ann), from 1.1.1.1\x1b[31m\n"}, " (sudo by annfrom1.1.1.1[31m)"},
		"long":          {map[string]string{"SUDO_USER": strings.Repeat("ü", 100)}, " (sudo by " + strings.Repeat("ü", 64) + ")"},
		"no text":       {map[string]string{"SUDO_USER": "\xff \t"}, ""},
	} {
		if got, want := actor(func(k string) string { return c.env[k] }), operator()+c.want; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
