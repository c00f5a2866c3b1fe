package job

import (
	"strings"
	"testing"

	"oust/remediate"
)

func TestWindowsRebootReports(t *testing.T) {
	n := remediate.NewNonce()
	state := func(state, why, runs, code string) string {
		return "state\nstate " + state + "\nwhy " + why + "\nruns " + runs + "\ncode " + code + "\nusers 1\ndelay 60\n"
	}
	for name, c := range map[string]struct {
		said, state string
		want        RebootState
		refusal     Refusal
		detail      string
	}{
		"asked for":      {"", state("-", "-", "-", "0"), RebootScheduled, "", ""},
		"scheduled":      {"scheduled.(1190)\n", state("-", "-", "-", "1190"), RebootPending, "", ""},
		"under way":      {"", state("-", "-", "-", "1115"), RebootPending, "", ""},
		"another boot":   {"", state("over", "-", "-", "-"), RebootOver, "", ""},
		"no boot":        {"", state("over", "boot", "-", "-"), RebootRefused, RefusedBoot, "which boot"},
		"denied":         {"Access is\ndenied.(5)\n", state("-", "-", "-", "5"), RebootRefused, RefusedTool, "Access is denied.(5)"},
		"silent":         {"", state("-", "-", "-", "9009"), RebootRefused, RefusedTool, "9009"},
		"an installer":   {"", state("-", "busy", "-", "-"), RebootRefused, RefusedBusy, "Windows Installer"},
		"no rights":      {"", state("-", "privilege", "-", "-"), RebootRefused, RefusedPrivilege, "administrator"},
		"a strange name": {"", state("-", "busy", "x y", "-"), RebootRefused, RefusedBusy, "a job runs"},
	} {
		out := strings.ReplaceAll(printedByCmd(n, "boot\n"+bootSeven, "said\n"+c.said, c.state), cmdKind, rebootCmdKind)
		r, err := ParseReboot([]byte(out), n)
		if err != nil || r.State != c.want || r.Refusal != c.refusal || !strings.Contains(r.Detail, c.detail) || r.BootID != "boot-7,shutdown-00AABBCCDDEEFF11" {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	for _, id := range []string{"boot-x", "boot-1,shutdown-0", "7f3b", "boot-99999999999"} {
		if out, err := (Windows{}).Reboot(RebootSpec{BootID: id}, n); err == nil || out != nil {
			t.Errorf("the boot id %q was taken", id)
		}
	}
}
