package job

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"oust/remediate"
)

func TestLaunchRunsTheScriptAndReports(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, l *lab) {
		s := spec("echo out; echo err >&2; echo '1 ok 0 kaspersky/kesl purge' >>\"$OUST_DIR/result\"; exit 20\n")
		before := time.Now().Add(-2 * time.Second)
		got := l.launch(s)
		want := Report{
			State: StateEnded, BootID: "boot-1", BeganIn: "boot-1", Exit: 20,
			Result: "1 ok 0 kaspersky/kesl purge\n", Log: []byte("out\nerr\n"),
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(Report{}, "PID", "Started", "Ended")); d != "" {
			t.Error(d)
		}
		if got.PID < 2 || got.Started.Before(before) || got.Ended.Before(got.Started) || got.Ended.After(time.Now().Add(2*time.Second)) {
			t.Errorf("pid %d, started %s, ended %s", got.PID, got.Started, got.Ended)
		}
		if d := cmp.Diff(got, l.join(s.ID)); d != "" {
			t.Errorf("join differs from launch: %s", d)
		}
		if d := cmp.Diff(got, l.launch(s)); d != "" {
			t.Errorf("a second launch differs from the first: %s", d)
		}
		for range 2 {
			if c := l.clean(s.ID); c.State != StateCleaned {
				t.Errorf("clean: %+v", c)
			}
		}
		if exists(l.base()) {
			t.Error("the base folder is still there")
		}
		if r := l.join(s.ID); r.State != StateAbsent {
			t.Errorf("after clean: %+v", r)
		}
	})
}

func TestExitCodesAreKept(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, l *lab) {
		for _, code := range []int{0, 30, 255} {
			s := spec(fmt.Sprintf("exit %d", code))
			if r := l.launch(s); r.State != StateEnded || r.Exit != code {
				t.Errorf("exit %d: %+v", code, r)
			}
		}
		if r := l.launch(spec("kill -9 $$")); r.State != StateEnded || r.Exit != 137 {
			t.Errorf("killed: %+v", r)
		}
	})
}

func TestTheScriptFindsACleanPlace(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, l *lab) {
		out := l.path("env")
		l.env = append(l.env, "LD_PRELOAD=", "ENV=/nonexistent", "BASH_ENV=/nonexistent", "IFS=x", "CDPATH=/etc")
		s := spec(`{ echo "$LC_ALL|$HOME|$PATH|$ENV$BASH_ENV$LD_PRELOAD|$(pwd)"; cat; } >'` + out + "'\n" +
			`: >"$OUST_DIR/made" && ls -ld "$OUST_DIR" "$OUST_DIR/made" "$OUST_DIR/secrets" && cat "$OUST_DIR/secrets/password"`)
		s.Secrets = map[string]string{"password": "open sesame"}
		r := l.launch(s)
		want := "C|/root|/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin||/\n"
		if got, err := os.ReadFile(out); err != nil || string(got) != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
		lines := strings.Split(string(r.Log), "\n")
		if len(lines) != 4 || !strings.HasPrefix(lines[0], "drwx------") || !strings.HasPrefix(lines[1], "-rw-------") ||
			!strings.HasPrefix(lines[2], "drwx------") || lines[3] != "open sesame" {
			t.Errorf("log: %q", r.Log)
		}
	})
}

func TestHostileScriptsArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	scripts := []string{
		"\n\n\n-n exit 0\n\n\n", `-- %s %d %% % \n \\ \0 \c '"'"' \`,
		strings.Repeat("long line ", 20_000) + strings.Repeat("x\n", 50_000), everyByte(),
	}
	secrets := map[string]string{"a": everyByte(), "b.c-d_E": "", "empty": "", "long": strings.Repeat("x\n", MaxSecret/2)}
	for i, text := range []string{
		"exit 0", "exit 0\n", "-n", "--", "%s %d %% %", `\n \\ \0 \c '"'"' \`, "'", "'''", "\"$(reboot)\"`reboot`${x}",
		"EOF\nexit 1\n", "a\r\nb\r", "\x01\x02\x7f\x80\x81\x88\xff\xfe", "ÁÀ €\u2028\ufeff\U0010ffff", "\xc3",
		"\xed\xa0\x80", "}\n}; exit 3\n", "\t\x0b\x0c \t", "!$!! ^x^y^",
	} {
		secrets[fmt.Sprint("n", i)] = text
	}
	eachShell(t, func(t *testing.T, l *lab) {
		for i, text := range scripts {
			s := spec(text)
			if i == 0 {
				s.Secrets = secrets
			}
			l.stageOnly(&s, func(file string) string { return l.base(s.ID, "l-*", file) })
		}
	})
}

// everyByte is what a script may hold: each byte but NUL.
func everyByte() string {
	var all []byte
	for c := range 255 {
		all = append(all, byte(c+1))
	}
	return string(all)
}

// stageOnly launches with a start that does nothing, and compares what was
// staged.
func (l *lab) stageOnly(s *Spec, path func(file string) string) {
	l.t.Helper()
	script, nonce := l.launchScript(*s)
	script = []byte(strings.Replace(string(script), "\nstart\n", "\n:\n", 1))
	if r := l.run(script, nonce); r.State != StatePrepared {
		l.t.Fatalf("%+v", r)
	}
	if got := readGlob(l.t, path("script")); got != string(s.Script) {
		l.t.Errorf("script %.100q came as %.100q", s.Script, got)
	}
	for name, value := range s.Secrets {
		if got := readGlob(l.t, path("secrets/"+name)); got != value {
			l.t.Errorf("secret %s: %.100q came as %.100q", name, value, got)
		}
	}
	if r := l.join(s.ID); r.State != StatePrepared {
		l.t.Errorf("join: %+v", r)
	}
	if r := l.clean(s.ID); r.State != StateCleaned {
		l.t.Errorf("clean: %+v", r)
	}
}

func TestSecretsAreSeenNowhereElse(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, l *lab) {
		const secret = "Kq7-very-secret-value-Zx9"
		s := spec("echo $PPID >'" + l.path("ppid") + "'\n" + l.gate())
		s.Secrets = map[string]string{"kaspersky": secret}
		script, nonce := l.launchScript(s)
		cmd := l.start(script)
		l.awaitFile(l.path("ppid"))
		if found := grepProc(t, secret); len(found) > 0 {
			t.Errorf("the secret can be seen in %q", found)
		}
		if found := grepTree(t, l.base(), secret); len(found) != 1 || !strings.HasSuffix(found[0], "/secrets/kaspersky") {
			t.Errorf("while it runs, the secret is in %q", found)
		}
		l.open()
		out := l.finish(cmd)
		r, err := ParseReport(out, nonce)
		if err != nil || r.State != StateEnded {
			t.Fatalf("%+v, %v", r, err)
		}
		if strings.Contains(string(out), secret) {
			t.Error("the report holds the secret")
		}
		if found := grepTree(t, l.dir, secret); len(found) > 0 {
			t.Errorf("after its end, the secret is in %q", found)
		}
	})
}

func TestSpecsAreRefused(t *testing.T) {
	t.Parallel()
	good := spec("exit 0")
	tests := []struct {
		name   string
		change func(*Spec)
		want   string
	}{
		{"id", func(s *Spec) { s.ID = "../../etc" }, `launch: bad attempt id "../../etc"`},
		{"no script", func(s *Spec) { s.Script = nil }, "launch: the script is empty"},
		{"a NUL byte", func(s *Spec) { s.Script = []byte("a\x00b") }, "launch: the script holds a NUL byte"},
		{"size", func(s *Spec) { s.Script = make([]byte, MaxScript+1) }, "launch: the script has 1048577 bytes; at most 1048576 are allowed"},
		{"a campaign of two lines", func(s *Spec) { s.Campaign = "a\nb" }, `launch: the campaign's name "a\nb" holds a control character`},
		{"a long controller", func(s *Spec) { s.Controller = strings.Repeat("x", 300) }, "launch: the controller's name has 300 bytes; at most 253 are allowed"},
		{"a secret's name", func(s *Spec) { s.Secrets = map[string]string{"../x": "v"} }, `launch: bad name of a secret: "../x"`},
		{"no secret's name", func(s *Spec) { s.Secrets = map[string]string{"": "v"} }, `launch: bad name of a secret: ""`},
		{"a NUL in a secret", func(s *Spec) { s.Secrets = map[string]string{"a": "v\x00"} }, "launch: the secret a holds a NUL byte"},
		{"a huge secret", func(s *Spec) { s.Secrets = map[string]string{"a": strings.Repeat("v", MaxSecret+1)} }, "launch: the secret a has 65537 bytes; at most 65536 are allowed"},
		{"many secrets", func(s *Spec) {
			s.Secrets = map[string]string{}
			for i := range MaxSecrets + 1 {
				s.Secrets[fmt.Sprint("n", i)] = "v"
			}
		}, "launch: 65 secrets; at most 64 are allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := good
			tt.change(&s)
			if _, err := Launch(s, remediate.NewNonce()); err == nil || err.Error() != tt.want {
				t.Errorf("%v; want %s", err, tt.want)
			}
		})
	}
	for _, nonce := range []remediate.Nonce{"", "short", remediate.Nonce(strings.Repeat("'", 32)), remediate.Nonce(strings.Repeat("A", 32))} {
		if _, err := Launch(good, nonce); err == nil {
			t.Errorf("nonce %q is taken", nonce)
		}
	}
	for _, make := range []func(string, remediate.Nonce) ([]byte, error){Join, Clean} {
		if _, err := make("a/b", remediate.NewNonce()); err == nil {
			t.Error("a bad id is taken")
		}
	}
}
