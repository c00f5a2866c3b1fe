package winrm

import (
	"context"
	"testing"

	"oust/transports"
	"oust/transports/lab/cmdexe"
	"oust/transports/lab/windows"
	"oust/transports/lab/wsman"
	"oust/transports/transporttest"
	"oust/transports/transporttest/kdclab"
)

// TestConformanceKerberos runs the suite with logins by Kerberos, sealed.
func TestConformanceKerberos(t *testing.T) {
	image, err := windows.NewImage(windows.Releases()[0])
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	host, err := windows.New(ctx, windows.Config{Name: "WIN1", Image: image, Clock: wallClock{}, Shell: cmdexe.Run})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close(); end() })
	r := newKerberosRig(t, wsman.Config{Backend: asAdministrator{host.Backend()}})
	h := harness(t, r.rig)
	h.Dialer = func(t *testing.T) transports.Dialer { return newDialer(t, r.config()) }
	h.Target = r.target()
	h.Secrets = append(h.Secrets, transports.NewSecret(kdclab.Password))
	h.WrongPassword = func(t *testing.T) (transports.Dialer, transports.Target) {
		target := r.target()
		target.Credential.Password = transports.NewSecret("wrong-1")
		return h.Dialer(t), target
	}
	transporttest.Run(t, h)
}
