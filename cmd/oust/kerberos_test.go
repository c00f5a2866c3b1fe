package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oust/transports"
	"oust/transports/lab/wsman"
	"oust/transports/transporttest/kdclab"
)

// TestKerberosCampaign: what a campaign says of Kerberos reaches the hosts.
func TestKerberosCampaign(t *testing.T) {
	kdc := kdclab.Start(t)
	keys, err := os.ReadFile(kdc.Service("HTTP/localhost"))
	if err != nil {
		t.Fatal(err)
	}
	port := windowsHost(t, wsman.Config{Kerberos: &wsman.Kerberos{Keytab: keys}})
	for way, credential := range map[string]string{
		"keytab": "user: svc-oust, realm: LAB.TEST, keytab: " + kdc.Keytab(kdclab.User),
		"ccache": "ccache: " + kdc.Kinit(),
	} {
		w := windowsCampaign(t, port, "kerberos", "{plain: true, krb5_conf: "+kdc.Conf+"}")
		for name, change := range map[string][2]string{
			"hosts.csv":     {"win1,127.0.0.1", "win1,localhost"},
			"campaign.yaml": {`user: 'CORP\oust', password: 'env:OUST_TEST_WINDOWS'`, credential},
		} {
			path := filepath.Join(w.campaign.Dir, name)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(strings.Replace(string(text), change[0], change[1], 1)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if w, err = w.a.openCampaign(); err != nil {
			t.Fatal(err)
		}
		conn, err := w.dialHost(t, "win1")
		if err != nil {
			t.Errorf("%s: %v", way, err)
			continue
		}
		res, err := conn.Run(t.Context(), transports.Command{Line: "ver"})
		if err != nil || string(res.Stdout) != `\svc-oust@LAB.TEST runs ver` {
			t.Errorf("%s: %q, %v", way, res.Stdout, err)
		}
		_ = conn.Close()
	}
}
