package wsman

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pyJob is what testdata/pywinrm.py takes.
type pyJob struct {
	URL        string      `json:"url"`
	Transport  string      `json:"transport"` // ssl (Basic), ntlm or kerberos
	User       string      `json:"user"`
	Password   string      `json:"password"`
	CA         string      `json:"ca,omitempty"`
	Encryption string      `json:"encryption,omitempty"` // auto, always, never
	CBT        *bool       `json:"cbt,omitempty"`
	Timeout    int         `json:"timeout,omitempty"`
	Host       string      `json:"host,omitempty"` // its name in Kerberos
	Commands   []pyCommand `json:"commands"`

	env []string // of the process; nil for ours
}

type pyCommand struct {
	Line      string   `json:"line"`
	Arguments []string `json:"arguments,omitempty"`
	Stdin     []string `json:"stdin,omitempty"`
}

type pyResult struct {
	Stdout, Stderr string
	Exit           int
}

// opensslLegacy lets Python have MD4, which NTLM needs.
const opensslLegacy = `openssl_conf = init
[init]
providers = providers
[providers]
default = on
legacy = on
[on]
activate = 1
`

// pywinrm runs commands through Debian's pywinrm, a client that is not ours.
func pywinrm(t *testing.T, job pyJob) (results []pyResult, failure string) {
	t.Helper()
	const python = "/usr/bin/python3" // Debian's, which has Debian's packages
	if err := exec.Command(python, "-c", "import winrm, requests_ntlm, requests_kerberos").Run(); err != nil {
		reason := "pywinrm is not on this machine (packages python3-winrm, python3-requests-ntlm and python3-requests-kerberos)"
		if os.Getenv("OUST_NO_SKIP") == "1" {
			t.Fatal(reason + " (and OUST_NO_SKIP=1 forbids to skip)")
		}
		t.Skip(reason)
	}
	config := filepath.Join(t.TempDir(), "openssl.cnf")
	if err := os.WriteFile(config, []byte(opensslLegacy), 0o600); err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/pywinrm.py")
	if job.env == nil {
		job.env = os.Environ()
	}
	cmd.Env = append(job.env, "OPENSSL_CONF="+config, "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
	cmd.Stdin, cmd.WaitDelay = bytes.NewReader(input), time.Second
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("pywinrm.py: %v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var answer struct {
		Results []pyResult
		Error   string
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return answer.Results, answer.Error
}

// TestPywinrm runs commands, input and long output over each kind of login.
func TestPywinrm(t *testing.T) {
	t.Parallel()
	no := false
	for name, c := range map[string]struct {
		config func(*testing.T) Config
		job    pyJob
		sealed bool
	}{
		"basic":                  {func(t *testing.T) Config { return Config{Basic: true, TLS: serverTLS(t)} }, pyJob{Transport: "ssl"}, false},
		"ntlm over tls":          {func(t *testing.T) Config { return Config{NTLM: true, TLS: serverTLS(t)} }, pyJob{Transport: "ntlm"}, false},
		"ntlm, bindings strict":  {func(t *testing.T) Config { return Config{NTLM: true, TLS: serverTLS(t), Bindings: BindingsStrict} }, pyJob{Transport: "ntlm"}, false},
		"ntlm, no bindings":      {func(t *testing.T) Config { return Config{NTLM: true, TLS: serverTLS(t)} }, pyJob{Transport: "ntlm", CBT: &no}, false},
		"ntlm, sealed":           {func(*testing.T) Config { return Config{NTLM: true} }, pyJob{Transport: "ntlm"}, true},
		"ntlm, sealed, over tls": {func(t *testing.T) Config { return Config{NTLM: true, TLS: serverTLS(t)} }, pyJob{Transport: "ntlm", Encryption: "always"}, true},
		"ntlm, sealed, a domain": {func(*testing.T) Config { return Config{NTLM: true} }, pyJob{Transport: "ntlm", User: `corp\` + testUser}, true},
		"ntlm, unencrypted":      {func(*testing.T) Config { return Config{NTLM: true, AllowUnencrypted: true} }, pyJob{Transport: "ntlm", Encryption: "never"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sealed, plain atomic.Int32
			config := c.config(t)
			config.OnRequest = func(s Seen) {
				if s.Sealed {
					sealed.Add(1)
				} else {
					plain.Add(1)
				}
			}
			r := newRig(t, config)
			job := c.job
			job.URL, job.Password, job.CA = r.url, testPassword, r.caFile
			if job.User == "" {
				job.User = testUser
			}
			job.Commands = []pyCommand{
				{Line: "both"},
				{Line: "echo", Arguments: []string{"a & b", "<ü>"}},
				{Line: "cat", Stdin: []string{"one\r\n", strings.Repeat("x", 30000), "\r\nэнд"}},
				{Line: "fill 500000"},
				{Line: "nonsense"},
			}
			got, failure := pywinrm(t, job)
			if failure != "" {
				t.Fatal(failure)
			}
			want := []pyResult{
				{"out", "err", 3},
				{"a & b <ü>\r\n", "", 0},
				{"one\r\n" + strings.Repeat("x", 30000) + "\r\nэнд", "", 0},
				{string(filler(500000)), "", 0},
				{"", "'nonsense' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n", 1},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("results (-want +got):\n%.3000s", diff)
			}
			if c.sealed && plain.Load() > 0 || !c.sealed && sealed.Load() > 0 {
				t.Errorf("%d messages were sealed, %d were not", sealed.Load(), plain.Load())
			}
		})
	}
}

// TestPywinrmRefused: what Windows refuses is refused, in the way that
// pywinrm knows.
func TestPywinrmRefused(t *testing.T) {
	t.Parallel()
	no := false
	const rejected = "InvalidCredentialsError: the specified credentials were rejected by the server"
	for name, c := range map[string]struct {
		config func(*testing.T) Config
		job    pyJob
		want   string
	}{
		"basic, wrong password":   {func(t *testing.T) Config { return Config{Basic: true, TLS: serverTLS(t)} }, pyJob{Transport: "ssl", Password: "wrong"}, rejected},
		"ntlm, wrong password":    {func(*testing.T) Config { return Config{NTLM: true} }, pyJob{Transport: "ntlm", Password: "wrong"}, rejected},
		"ntlm, unknown user":      {func(*testing.T) Config { return Config{NTLM: true} }, pyJob{Transport: "ntlm", User: "nobody"}, rejected},
		"ntlm, bindings missing":  {func(t *testing.T) Config { return Config{NTLM: true, TLS: serverTLS(t), Bindings: BindingsStrict} }, pyJob{Transport: "ntlm", CBT: &no}, rejected},
		"basic is not offered":    {func(t *testing.T) Config { return Config{NTLM: true, TLS: serverTLS(t)} }, pyJob{Transport: "ssl"}, rejected},
		"ntlm, not sealed":        {func(*testing.T) Config { return Config{NTLM: true} }, pyJob{Transport: "ntlm", Encryption: "never"}, "WinRMTransportError: Bad HTTP response returned from server. Code 500"},
		"basic over plain HTTP":   {func(*testing.T) Config { return Config{Basic: true} }, pyJob{Transport: "plaintext"}, rejected},
		"the quota of operations": {func(*testing.T) Config { return Config{NTLM: true, Operations: 1} }, pyJob{Transport: "ntlm"}, "2150859174"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, c.config(t))
			job := c.job
			job.URL, job.CA, job.Commands = r.url, r.caFile, []pyCommand{{Line: "both"}, {Line: "both"}}
			if job.User == "" {
				job.User = testUser
			}
			if job.Password == "" {
				job.Password = testPassword
			}
			if _, failure := pywinrm(t, job); !strings.Contains(failure, c.want) {
				t.Errorf("failure %q, want %q", failure, c.want)
			}
		})
	}
}
