package winrm

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"oust/transports"
	"oust/transports/lab/wsman"
	"oust/transports/transporttest"
)

// fewWords is as much of Windows as the conformance suite asks for: cmd with
// /c, cmd that reads lines, find and ping.
func fewWords(ctx context.Context, c wsman.Command) int {
	name, rest, _ := strings.Cut(c.Line, " ")
	switch {
	case strings.HasPrefix(c.Line, "cmd /d /c exit "):
		n, _ := strconv.Atoi(strings.TrimPrefix(c.Line, "cmd /d /c exit "))
		return n
	case strings.HasPrefix(c.Line, "cmd /d /c "):
		fmt.Fprint(c.Stderr, "it is not recognized as an internal or external command,\r\noperable program or batch file.\r\n")
		return 1
	case name == "find" && rest == `/v ""`:
		_, _ = io.Copy(c.Stdout, c.Stdin)
		return 0
	case name == "ping":
		<-ctx.Done()
		return 1
	case name == "cmd":
		return readLines(ctx, c)
	}
	return 9009
}

// readLines is cmd that reads its commands from its input.
func readLines(ctx context.Context, c wsman.Command) int {
	fmt.Fprint(c.Stdout, "Microsoft Windows [Version 10.0.20348.1]\r\n(c) Microsoft Corporation. All rights reserved.\r\n\r\n")
	vars := map[string]string{}
	lines := bufio.NewScanner(c.Stdin)
	for lines.Scan() && ctx.Err() == nil {
		line := lines.Text()
		for name, value := range vars {
			line = strings.ReplaceAll(line, "%"+name+"%", value)
		}
		word, rest, _ := strings.Cut(strings.NewReplacer("^|", "|", " >nul", "").Replace(line), " ")
		switch word {
		case "echo":
			say := c.Stdout
			if text, ok := strings.CutSuffix(rest, ">&2"); ok {
				rest, say = text, c.Stderr
			}
			fmt.Fprint(say, rest, "\r\n")
		case "set":
			name, value, _ := strings.Cut(rest, "=")
			vars[name] = value
		case "exit":
			n, _ := strconv.Atoi(rest)
			return n
		case "ping":
			<-ctx.Done()
			return 1
		case "<nul":
			fmt.Fprint(c.Stdout, strings.TrimPrefix(rest, "set /p ="))
		case "for": // without an end
			for ctx.Err() == nil {
				fmt.Fprint(c.Stdout, "0123456789\r\n")
			}
		}
	}
	return 0
}

func TestConformance(t *testing.T) {
	for name, config := range map[string]wsman.Config{
		"sealed over HTTP": {}, "over TLS": {TLS: serverTLS(t), Bindings: wsman.BindingsStrict},
	} {
		t.Run(name, func(t *testing.T) {
			config.Backend = wsman.Func(fewWords)
			transporttest.Run(t, harness(t, newRig(t, config)))
		})
	}
}

func harness(t *testing.T, r *rig) transporttest.Harness {
	dialer := func(t *testing.T) transports.Dialer { return newDialer(t, r.config()) }
	h := transporttest.Harness{
		Shell: "cmd", Dialer: dialer, Target: r.target(), Log: r.log.String,
		Secrets: []transports.Secret{transports.NewSecret(testPassword), transports.NewSecret("wrong-1")},
		WrongPassword: func(t *testing.T) (transports.Dialer, transports.Target) {
			target := r.target()
			target.Credential.Password = transports.NewSecret("wrong-1")
			return dialer(t), target
		},
		RefusedPort: func(t *testing.T) (transports.Dialer, transports.Target) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			target := targetOf(l.Addr().(*net.TCPAddr).Port)
			_ = l.Close()
			return dialer(t), target
		},
		SilentPeer: func(t *testing.T) (transports.Dialer, transports.Target) {
			port, err := strconv.Atoi(listen(t, func(conn net.Conn) {
				_, _ = io.Copy(io.Discard, conn) // until the client has had enough
				_ = conn.Close()
			}))
			if err != nil {
				t.Fatal(err)
			}
			config := r.config()
			config.Handshake, config.Login = 50*time.Millisecond, 50*time.Millisecond
			return newDialer(t, config), targetOf(port)
		},
	}
	if r.caFile == "" {
		return h
	}
	h.UnknownKey = func(t *testing.T) (transports.Dialer, transports.Target) {
		config := r.config()
		config.CAFile = ""
		return newDialer(t, config), r.target()
	}
	h.ChangedKey = func(t *testing.T) (transports.Dialer, transports.Target) {
		config := r.config()
		config.CAFile, config.Fingerprints = "", []string{strings.Repeat("ab", 32)}
		return newDialer(t, config), r.target()
	}
	return h
}

// TestFewWords keeps the stand-in honest in what the suite does not show.
func TestFewWords(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	exit := fewWords(t.Context(), wsman.Command{Line: "cmd /d /q /e:on /v:off", Stdin: strings.NewReader("set a=b\r\necho %a%%c%\r\nexit 300\r\n"), Stdout: &out, Stderr: io.Discard})
	if exit != 300 || !strings.HasSuffix(out.String(), "\r\n\r\nb%c%\r\n") {
		t.Errorf("exit %d, %q", exit, out.String())
	}
}
