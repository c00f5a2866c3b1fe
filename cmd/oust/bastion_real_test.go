package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"oust/transports"
	"oust/transports/lab/wsman"
	"oust/transports/transporttest/sshdlab"
)

// TestWindowsBehindARealBastion: a Windows host is reached through a real sshd,
// and an error of the bastion is told as one.
func TestWindowsBehindARealBastion(t *testing.T) {
	l := sshdlab.Start(t, sshdlab.Options{Hosts: 1})
	port := windowsHost(t, wsman.Config{})
	jump := net.JoinHostPort(l.Hosts[0].Addr, strconv.Itoa(l.Hosts[0].Port))
	w := windowsCampaign(t, port, "ntlm", "{plain: true}")
	file := filepath.Join(w.campaign.Dir, "campaign.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(
		"winrm: {plain: true}", "winrm: {plain: true, jump: '"+jump+"', jump_credential: bastion}",
		"credentials: {", fmt.Sprintf("credentials: {bastion: {user: %s, key: %s}, ", sshdlab.Root, l.KeyFile),
		"ssh: {config: none}", "ssh: {config: none, known_hosts: ["+l.KnownHosts+"]}").Replace(string(text))
	for _, c := range []struct {
		text  string
		class transports.Class
	}{
		{changed, ""},
		{strings.Replace(changed, l.KnownHosts, filepath.Join(t.TempDir(), "none"), 1), transports.Untrusted},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := w.a.openCampaign()
		if err != nil {
			t.Fatal(err)
		}
		conn, err := w.dialHost(t, "win1")
		if c.class != "" {
			if transports.ClassOf(err) != c.class || !strings.Contains(err.Error(), "win1: bastion "+l.Hosts[0].Addr) {
				t.Errorf("error %v, want class %s", err, c.class)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		res, err := conn.Run(t.Context(), transports.Command{Line: "ver"})
		if err != nil || string(res.Stdout) != `CORP\oust runs ver` {
			t.Errorf("%q, %v", res.Stdout, err)
		}
		_ = conn.Close()
	}
}
