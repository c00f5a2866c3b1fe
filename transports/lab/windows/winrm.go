package windows

import (
	"context"
	"fmt"
	"strings"

	"oust/transports/lab/wsman"
)

// Backend runs the commands of a server in front of the machine. A command
// ends with its shell, and with the start of the machine that it runs in; a
// task that it has started goes on.
func (h *Host) Backend() wsman.Backend { return wsman.Func(h.command) }

// Run runs one such command and returns its exit code.
func (h *Host) Run(ctx context.Context, c wsman.Command) int { return h.command(ctx, c) }

func (h *Host) command(ctx context.Context, c wsman.Command) int {
	s, err := h.Session(c.User)
	if err != nil {
		fmt.Fprint(c.Stderr, "Access is denied.\r\n")
		return codeDenied
	}
	config := s.Config(c.Stdin, c.Stdout, c.Stderr)
	config.Env = append(config.Env, c.Shell.Env...)
	if c.Shell.CodePage != 0 {
		config.CodePage = c.Shell.CodePage
	}
	if c.Shell.Dir != "" {
		config.Dir = clean(c.Shell.Dir)
	}
	ctx, end := h.begin(ctx, "winrshost.exe", s.account)
	defer end()
	line := "/c " + c.Line
	if name, rest, _ := strings.Cut(c.Line, " "); c.SkipShell && strings.EqualFold(strings.TrimSuffix(name, ".exe"), "cmd") {
		line = rest
	}
	return h.shell(ctx, config, line)
}
