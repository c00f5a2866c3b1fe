package ssh

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

const (
	rightPassword = "correct horse"
	wrongPassword = "battery staple"
)

// attempts counts what reached a server's password checks.
type attempts struct {
	mu        sync.Mutex
	passwords []string
	answers   [][]string
}

// passwordServer takes rightPassword in the ways named.
func passwordServer(p *place, a *attempts, password, interactive bool, ask func(xssh.KeyboardInteractiveChallenge) error) {
	p.server.setup = func(c *xssh.ServerConfig) {
		c.PublicKeyCallback = nil
		if password {
			c.PasswordCallback = func(_ xssh.ConnMetadata, got []byte) (*xssh.Permissions, error) {
				a.mu.Lock()
				defer a.mu.Unlock()
				a.passwords = append(a.passwords, string(got))
				if string(got) != rightPassword {
					return nil, errors.New("wrong")
				}
				return nil, nil
			}
		}
		if interactive {
			c.KeyboardInteractiveCallback = func(_ xssh.ConnMetadata, client xssh.KeyboardInteractiveChallenge) (*xssh.Permissions, error) {
				return nil, ask(client)
			}
		}
	}
}

// askPassword asks as pam_unix does: again after a wrong password, three times.
func askPassword(a *attempts) func(xssh.KeyboardInteractiveChallenge) error {
	return func(client xssh.KeyboardInteractiveChallenge) error {
		if _, err := client("", "Welcome", nil, nil); err != nil {
			return err
		}
		for range 3 {
			got, err := client("", "", []string{"Password: "}, []bool{false})
			if err != nil {
				return err
			}
			a.mu.Lock()
			a.passwords = append(a.passwords, got...)
			a.mu.Unlock()
			if len(got) == 1 && got[0] == rightPassword {
				return nil
			}
		}
		return errors.New("wrong")
	}
}

func TestPasswordIsShownOnce(t *testing.T) {
	for _, c := range []struct {
		name                  string
		password, interactive bool
		given                 string
		ok                    bool
		words                 string
	}{
		{"password", true, false, rightPassword, true, ""},
		{"interactive", false, true, rightPassword, true, ""},
		{"both", true, true, rightPassword, true, ""},
		{"wrong password", true, false, wrongPassword, false, "tried password"},
		{"wrong interactive", false, true, wrongPassword, false, "asked again"},
		{"wrong in both", true, true, wrongPassword, false, "the host offers password, keyboard-interactive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, a := newPlace(t), &attempts{}
			passwordServer(p, a, c.password, c.interactive, askPassword(a))
			target := p.target()
			target.Credential.KeyFile, target.Credential.Password = "", transports.NewSecret(c.given)
			conn, err := newDialer(t, p.config()).Dial(t.Context(), target)
			if err == nil {
				conn.Close()
			}
			if (err == nil) != c.ok || (!c.ok && transports.ClassOf(err) != transports.Auth) {
				t.Errorf("error %v of class %s", err, transports.ClassOf(err))
			}
			if !c.ok && (!strings.Contains(err.Error(), c.words) || strings.Contains(err.Error(), c.given)) {
				t.Errorf("error %v, want %q in it and no password", err, c.words)
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			if !slices.Equal(a.passwords, []string{c.given}) {
				t.Errorf("the host was shown %d passwords, want one", len(a.passwords))
			}
		})
	}
}

// TestQuestionsThatGetNoPassword: each of these ends without an answer.
func TestQuestionsThatGetNoPassword(t *testing.T) {
	for name, q := range map[string]struct {
		prompts []string
		echos   []bool
	}{
		"verification code": {[]string{"Verification code: "}, []bool{false}},
		"one-time password": {[]string{"One-time password (OATH) for `ops': OTP"}, []bool{false}},
		"token":             {[]string{"Enter PASSCODE or token:"}, []bool{false}},
		"new password":      {[]string{"New password: "}, []bool{false}},
		"shown answer":      {[]string{"Password: "}, []bool{true}},
		"two questions":     {[]string{"Password: ", "Domain: "}, []bool{false, true}},
		"user name":         {[]string{"login: "}, []bool{true}},
	} {
		t.Run(name, func(t *testing.T) {
			p, a := newPlace(t), &attempts{}
			passwordServer(p, a, false, true, func(client xssh.KeyboardInteractiveChallenge) error {
				got, err := client("", "", q.prompts, q.echos)
				if err == nil {
					a.answers = append(a.answers, got)
				}
				return errors.New("no")
			})
			target := p.target()
			target.Credential.KeyFile, target.Credential.Password = "", transports.NewSecret(rightPassword)
			_, err := newDialer(t, p.config()).Dial(t.Context(), target)
			if transports.ClassOf(err) != transports.Auth || !strings.Contains(err.Error(), "something other than a password") {
				t.Errorf("error %v of class %s", err, transports.ClassOf(err))
			}
			if len(a.answers) != 0 {
				t.Errorf("%d answers were given", len(a.answers))
			}
		})
	}
}

func TestPromptsThatAskForThePassword(t *testing.T) {
	for _, prompt := range []string{"Password: ", "Password for pinky@EXAMPLE.ORG: ", "Passwort: ", "Mot de passe : ", "ops's password:", "密码："} {
		if asksSecondFactor(prompt) {
			t.Errorf("%q is taken for a second factor", prompt)
		}
	}
}

// TestKeyThenPassword: a host that wants both gets both.
func TestKeyThenPassword(t *testing.T) {
	p := newPlace(t)
	p.server.setup = func(c *xssh.ServerConfig) {
		c.PublicKeyCallback = func(xssh.ConnMetadata, xssh.PublicKey) (*xssh.Permissions, error) {
			return nil, &xssh.PartialSuccessError{Next: xssh.ServerAuthCallbacks{
				PasswordCallback: func(_ xssh.ConnMetadata, got []byte) (*xssh.Permissions, error) {
					if string(got) != rightPassword {
						return nil, errors.New("wrong")
					}
					return nil, nil
				},
			}}
		}
	}
	target := p.target()
	target.Credential.Password = transports.NewSecret(rightPassword)
	conn, err := newDialer(t, p.config()).Dial(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestRefusedKeySaysWhatWasTried(t *testing.T) {
	p := newPlace(t)
	p.server.setup = func(c *xssh.ServerConfig) {
		c.PublicKeyCallback = func(xssh.ConnMetadata, xssh.PublicKey) (*xssh.Permissions, error) { return nil, errors.New("no") }
		c.GSSAPIWithMICConfig = nil
	}
	_, err := newDialer(t, p.config()).Dial(t.Context(), p.target())
	if transports.ClassOf(err) != transports.Auth {
		t.Fatalf("class %s: %v", transports.ClassOf(err), err)
	}
	for _, want := range []string{"web1: login: user ops", "tried key ED25519 SHA256:", "the host offers publickey", "credential linux"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}

// TestCredentialWithNothing: there is nothing to try, and that is said.
func TestCredentialWithNothing(t *testing.T) {
	p := newPlace(t)
	target := p.target()
	target.Credential.KeyFile = ""
	_, err := newDialer(t, p.config()).Dial(t.Context(), target)
	if transports.ClassOf(err) != transports.Auth || !strings.Contains(err.Error(), "tried nothing") {
		t.Errorf("error %v of class %s", err, transports.ClassOf(err))
	}
}

// TestBannerIsNoMatter: a login banner does not disturb.
func TestBannerIsNoMatter(t *testing.T) {
	p := newPlace(t)
	p.server.setup = func(c *xssh.ServerConfig) {
		c.BannerCallback = func(xssh.ConnMetadata) string { return strings.Repeat("Authorized use only\n", 100) }
	}
	conn, err := newDialer(t, p.config()).Dial(t.Context(), p.target())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if res, err := conn.Run(t.Context(), transports.Command{Line: "cat", Stdin: []byte("x")}); err != nil || string(res.Stdout) != "x" {
		t.Errorf("%q, %v", res.Stdout, err)
	}
}
