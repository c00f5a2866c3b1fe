package ssh

import (
	"testing"

	"oust/transports"
	"oust/transports/transporttest"
	"oust/transports/transporttest/sshdlab"
)

// labTarget is a user of a lab's first host, who logs in with the lab's key.
func labTarget(lab *sshdlab.Lab, user, become string, password transports.Secret) transports.Target {
	h := lab.Hosts[0]
	return transports.Target{
		Host: h.Name, Address: h.Addr, Port: h.Port,
		Credential: transports.Credential{
			Name: user, User: user, KeyFile: lab.KeyFile, Become: become, BecomePassword: password,
		},
	}
}

// TestConformanceLabUsers runs the whole suite as each kind of user, with
// each way to become root, on a Debian host of its own.
func TestConformanceLabUsers(t *testing.T) {
	lab := sshdlab.Start(t, sshdlab.Options{Hosts: 1, Packages: sshdlab.None})
	password, wrong := transports.NewSecret(sshdlab.OpsPassword), transports.NewSecret("wrong-"+sshdlab.OpsPassword)
	var log logBuffer
	config := Config{KnownHosts: []string{lab.KnownHosts}, ConfigFile: ConfigNone, Logger: log.logger()}
	forbidden := labTarget(lab, sshdlab.Nosudo, "sudo", password)
	mistaken := labTarget(lab, sshdlab.Ops, "sudo", wrong)
	dialer := func(t *testing.T) transports.Dialer { return newDialer(t, config) }
	for _, c := range []struct {
		user     string
		password transports.Secret
	}{
		{sshdlab.Ops, password}, {sshdlab.Nopw, transports.Secret{}}, {sshdlab.Fishy, transports.Secret{}},
		{sshdlab.Tcshy, password}, {sshdlab.Noisy, password}, {sshdlab.Nopw, password},
	} {
		name := c.user
		if !c.password.Empty() {
			name += " with password"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := labTarget(lab, c.user, "sudo", c.password)
			h := transporttest.Harness{
				Dialer: dialer, Target: labTarget(lab, c.user, "", transports.Secret{}), Signals: true,
				ElevateNoPassword: &target, Secrets: []transports.Secret{password, wrong}, Log: log.String,
			}
			if !c.password.Empty() {
				h.ElevatePassword, h.ElevateNoPassword = &target, nil
			}
			if c.user == sshdlab.Ops {
				h.ElevateForbidden, h.ElevateWrong = &forbidden, &mistaken
				h.WrongPassword = func(t *testing.T) (transports.Dialer, transports.Target) {
					target := labTarget(lab, sshdlab.Ops, "", transports.Secret{})
					target.Credential.KeyFile, target.Credential.Password = "", wrong
					return dialer(t), target
				}
			}
			transporttest.Run(t, h)
		})
	}
}
