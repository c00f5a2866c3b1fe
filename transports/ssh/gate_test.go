package ssh

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

const sudoPassword = "it's $ecret %s"

// fakeSudo is a host whose sudo does what a test says. It has what the gate
// has sent: the prompt and the sign that it is to print, and all of stdin.
type fakeSudo struct {
	xssh.Channel
	line, prompt, sign string

	mu    sync.Mutex
	lines []string // of stdin, so far
}

var (
	promptIn = regexp.MustCompile(`-p (\S+)`)
	signIn   = regexp.MustCompile(`echo (oust-[0-9a-f]{32}-ready)`)
)

// answer reads one line of stdin.
func (s *fakeSudo) answer() string {
	var line []byte
	for one := make([]byte, 1); ; {
		if _, err := s.Read(one); err != nil {
			return "" // the end
		}
		if one[0] == '\n' {
			break
		}
		line = append(line, one[0])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, string(line))
	return string(line)
}

func (s *fakeSudo) says(text string) { _, _ = io.WriteString(s.Stderr(), text) }

// asks prompts, and reports whether the answer is right.
func (s *fakeSudo) asks() bool {
	s.says(s.prompt)
	return s.answer() == sudoPassword
}

// opens is the root shell's sign; then stdin is the command's, until its end.
func (s *fakeSudo) opens() {
	_, _ = io.WriteString(s, s.sign+"\n")
	rest, _ := io.ReadAll(s)
	s.mu.Lock()
	s.lines = append(s.lines, "stdin: "+string(rest))
	s.mu.Unlock()
	_, _ = io.WriteString(s, "ran as root\n")
}

// sudoAt runs an elevated command against a fake sudo in a bubble.
func sudoAt(t *testing.T, password string, sudo func(*fakeSudo) int) (got *fakeSudo, res transports.Result, took time.Duration, err error) {
	p := newPlace(t)
	got = &fakeSudo{}
	p.server.session = func(ch xssh.NewChannel) {
		c, requests, line := begin(ch)
		go xssh.DiscardRequests(requests)
		got.Channel, got.line = c, line
		if m := promptIn.FindStringSubmatch(line); m != nil {
			got.prompt = m[1]
		}
		if m := signIn.FindStringSubmatch(line); m != nil {
			got.sign = m[1]
		}
		end(c, sudo(got))
	}
	target := p.target()
	target.Credential.Become, target.Credential.BecomePassword = "sudo", transports.NewSecret(password)
	conn, dialErr := newDialer(t, p.config()).Dial(t.Context(), target)
	if dialErr != nil {
		t.Fatal(dialErr)
	}
	start := time.Now()
	res, err = conn.Run(t.Context(), transports.Command{Line: "cat", Stdin: []byte("the script"), Elevate: true, Timeout: time.Minute})
	took = time.Since(start)
	conn.Close()
	synctest.Wait()
	time.Sleep(time.Minute) // for the host to see the end
	return got, res, took, err
}

func TestBecomeRoot(t *testing.T) {
	t.Parallel()
	const script = "stdin: the script"
	for name, c := range map[string]struct {
		password string
		sudo     func(*fakeSudo) int
		class    transports.Class
		words    string
		exit     int
		took     time.Duration
		lines    []string // what came on stdin
	}{
		"with a password": {sudoPassword, func(s *fakeSudo) int { s.asks(); s.opens(); return 7 }, "", "", 7, 0, []string{sudoPassword, script}},
		"a password that is not asked for": {sudoPassword, func(s *fakeSudo) int { s.opens(); return 0 }, "", "", 0, 0,
			[]string{script}},
		"without a password": {"", func(s *fakeSudo) int { s.opens(); return 3 }, "", "", 3, 0, []string{script}},
		"a profile that asks": {sudoPassword, func(s *fakeSudo) int {
			s.says("[sudo] password for ops: Password: oust-00000000000000000000000000000000-password:")
			_, _ = io.WriteString(s, s.prompt+"on stdout\noust-ready\n")
			s.asks()
			s.opens()
			return 0
		}, "", "", 0, 0, []string{sudoPassword, script}},
		"a prompt in pieces": {sudoPassword, func(s *fakeSudo) int {
			for _, c := range []byte(s.prompt) {
				s.says(string(c))
			}
			s.answer()
			s.opens()
			return 0
		}, "", "", 0, 0, []string{sudoPassword, script}},
		"a wrong password": {"wrong", func(s *fakeSudo) int {
			for range 3 {
				if s.asks() {
					s.opens()
					return 0
				}
				s.says("Sorry, try again.\n")
			}
			s.says("sudo: 3 incorrect password attempts\n")
			return 1
		}, transports.Privilege, "sudo refused the password of user ops", 0, 0, []string{"wrong"}},
		"a wrong password, asked once": {"wrong", func(s *fakeSudo) int {
			s.asks()
			s.says("sudo: 1 incorrect password attempt\n")
			return 1
		}, transports.Privilege, "it was tried once", 0, 0, []string{"wrong"}},
		"a sudo that hangs": {sudoPassword, func(s *fakeSudo) int { s.answer(); return 0 }, transports.Timeout, "no end in 1m0s", 0,
			time.Minute, nil},
		"a sudo that hangs after the password": {sudoPassword, func(s *fakeSudo) int { s.asks(); s.answer(); return 0 }, transports.Timeout,
			"no end in 1m0s", 0, time.Minute, []string{sudoPassword}},
		"a sudo that repeats the password": {sudoPassword, func(s *fakeSudo) int {
			s.says("error near " + s.mustAsk() + "\n")
			return 1
		}, transports.Privilege, "error near [redacted]", 0, 0, []string{sudoPassword}},
		"dies": {sudoPassword, func(s *fakeSudo) int { return 255 }, transports.Privilege, "sudo failed", 0, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				got, res, took, err := sudoAt(t, c.password, c.sudo)
				if transports.ClassOf(err) != c.class || (err != nil && !strings.Contains(err.Error(), c.words)) {
					t.Errorf("class %s: %v; want %s with %q", transports.ClassOf(err), err, c.class, c.words)
				}
				if err != nil && strings.Contains(err.Error(), sudoPassword) {
					t.Error("the error holds the password")
				}
				if err == nil && (res.Exit != c.exit || !strings.HasSuffix(string(res.Stdout), "ran as root\n")) {
					t.Errorf("exit %d, stdout %q", res.Exit, res.Stdout)
				}
				if took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if text := string(res.Stdout) + string(res.Stderr); strings.Contains(text, got.sign) && c.class == "" {
					t.Errorf("the sign is in the output: %q", text)
				}
				if strings.Contains(got.line, sudoPassword) || strings.Contains(got.line, "$ecret") {
					t.Error("the password is in the command line")
				}
				got.mu.Lock()
				defer got.mu.Unlock()
				if fmt.Sprintf("%q", got.lines) != fmt.Sprintf("%q", c.lines) {
					t.Errorf("on stdin came %q, want %q", got.lines, c.lines)
				}
			})
		})
	}
}

// mustAsk asks and returns the answer.
func (s *fakeSudo) mustAsk() string {
	s.says(s.prompt)
	return s.answer()
}

// TestSudoWords are what sudo 1.8, 1.9 and sudo-rs, shells without sudo and
// PAM say, and what is made of it.
func TestSudoWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"sudo: a password is required\n":                                                   "sudo wants a password",
		"sudo: a terminal is required to read the password; either use the -S option\n":    "sudo wants a password, and none is set",
		"sudo: sorry, you must have a tty to run sudo\n":                                   "requiretty",
		"ops is not in the sudoers file.  This incident will be reported.\n":               "the user may not use sudo",
		"Sorry, user ops is not allowed to execute '/bin/sh -c x' as root on web1.\n":      "allow /bin/sh in its sudo rule",
		"Sorry, user ops may not run sudo on web1.\n":                                      "add a rule for the user to sudoers",
		"sudo: Account or password is expired, reset your password and try again\n":        "the password has expired",
		"sudo: account validation failure, is your account locked?\n":                      "the account is locked or expired",
		"sudo: 1 incorrect password attempt\n":                                             "it was tried once",
		"sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set\n":         "sudo is broken on the host",
		"/etc/sudoers:3:9: syntax error\nsudo: no valid sudoers sources found, quitting\n": "visudo",
		"bash: line 1: sudo: command not found\n":                                          "install sudo",
		"fish: Unknown command: sudo\n":                                                    "install sudo",
		"sudo: The \"no new privileges\" flag is set, which prevents sudo from running.\n": "no-new-privileges",
		"sudo: Authentication required\nsudo: interactive authentication is required\n":    "set become_password",
		"sudo: Passwort ist notwendig\n":                                                   "sudo failed (sudo: Passwort ist notwendig)",
		"\x1b[31mred\x1b[0m\r\n" + strings.Repeat("long ", 2000):                           "...",
	} {
		g, err := newGate(&peer{host: "web1", user: "ops", cred: transports.Credential{Become: "sudo"}}, newCapture(0))
		if err != nil {
			t.Fatal(err)
		}
		g.take(stderr, []byte(text))
		e := g.denied(1)
		if e.Class != transports.Privilege || !strings.Contains(e.Error(), want) || strings.ContainsAny(e.Error(), "\x1b\r\n") || len(e.Error()) > 700 {
			t.Errorf("%q: %v; want %q", text, e, want)
		}
	}
}

func TestGateRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cred  transports.Credential
		class transports.Class
	}{
		"unknown become":                {transports.Credential{Become: "su"}, transports.Unsupported},
		"a line break in the password":  {transports.Credential{Become: "sudo", BecomePassword: transports.NewSecret("a\nb")}, transports.Privilege},
		"a NUL in the password":         {transports.Credential{Become: "sudo", BecomePassword: transports.NewSecret("a\x00b")}, transports.Privilege},
		"a carriage return in the same": {transports.Credential{Become: "sudo", BecomePassword: transports.NewSecret("a\r")}, transports.Privilege},
	} {
		if _, err := newGate(&peer{host: "web1", cred: c.cred}, newCapture(0)); transports.ClassOf(err) != c.class {
			t.Errorf("%s: class %s: %v", name, transports.ClassOf(err), err)
		}
	}
}

// FuzzMarker: whatever comes, in whatever pieces, the text is taken out and
// counted, and nothing else is lost.
func FuzzMarker(f *testing.F) {
	f.Add([]byte("a"), []byte("aab\x00aabaab"), byte(1))
	f.Add([]byte("oust-0-ready\n"), []byte("oust-0-\x00x\x00\x00oust"), byte(3))
	f.Fuzz(func(t *testing.T, text, stream []byte, step byte) {
		if len(text) == 0 || len(text) > 64 || len(stream) > 4096 || bytes.Contains(text, []byte{0}) {
			return
		}
		stream = bytes.ReplaceAll(stream, []byte{0}, text)
		m, got, hits := marker{text: text}, []byte(nil), 0
		for rest := stream; len(rest) > 0; {
			n := min(int(step)+1, len(rest))
			out, h := m.feed(rest[:n])
			got, hits, rest = append(got, out...), hits+h, rest[n:]
		}
		got = append(got, m.rest()...)
		if want := bytes.ReplaceAll(stream, text, nil); !bytes.Equal(got, want) || hits != bytes.Count(stream, text) {
			t.Errorf("%q out of %q in steps of %d: %q and %d, want %q and %d", text, stream, step, got, hits, want, bytes.Count(stream, text))
		}
	})
}

// FuzzSudo: whatever a host prints while it becomes root, the output is
// bounded, errors are clean, and the password stands in none.
func FuzzSudo(f *testing.F) {
	f.Add([]byte("Sorry, try again.\n"), []byte("motd\n"), true)
	f.Add([]byte("\xff\x00PROMPTPROMPT"), []byte("SIGNSIGN"), false)
	f.Fuzz(func(t *testing.T, errText, outText []byte, together bool) {
		p := &peer{host: "web1", user: "ops", cred: transports.Credential{Become: "sudo", BecomePassword: transports.NewSecret(sudoPassword)}}
		g, err := newGate(p, newCapture(1000))
		if err != nil {
			t.Fatal(err)
		}
		errText = bytes.ReplaceAll(errText, []byte("PROMPT"), []byte(g.prompt()))
		outText = bytes.ReplaceAll(outText, []byte("SIGN"), []byte(g.sign()+"\n"))
		if together {
			errText = append(errText, sudoPassword...)
		}
		for i := range max(len(errText), len(outText)) {
			if i < len(errText) {
				g.take(stderr, errText[i:i+1])
			}
			if i < len(outText) {
				g.take(stdout, outText[i:i+1])
			}
		}
		g.flush()
		if res := g.out.seal(0); len(res.Stdout)+len(res.Stderr) > 1000 {
			t.Errorf("%d bytes of output", len(res.Stdout)+len(res.Stderr))
		}
		if len(g.words) > wordsMost {
			t.Errorf("%d bytes of words", len(g.words))
		}
		if want := bytes.Contains(outText, []byte(g.sign()+"\n")); g.passed() != want {
			t.Errorf("passed %v, want %v", g.passed(), want)
		}
		for _, e := range []*transports.Error{g.denied(1), g.refused()} {
			if text := e.Error(); strings.Contains(text, sudoPassword) || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("error %q", text)
			}
		}
	})
}
