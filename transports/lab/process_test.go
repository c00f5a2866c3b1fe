package lab

import (
	"strings"
	"testing"
)

func TestProcesses(t *testing.T) {
	_, h := oneHostWith(t, Config{Speed: 1000}, lot{kind: kindNamed(t, "debian"), products: setOf(kesl)})
	runSteps(t, h, []step{
		{"ps -o pid=,comm= -p 1; ps -p 99999; echo $?", "...      1 init\n", 0},
		{"ps | wc -l; ps -f | grep -c '^root.*sh$'", "2\n1\n", 0},
		{"ps -e -o user,args | head -n 2", "USER COMMAND\nroot /sbin/init\n", 0},
		{"ps -o nice", "...does not know the column", 1},
		{"sleep 1000000 & until [ \"$(ps -o stat= -o args= -p $!)\" = 'S sleep 1000000' ]; do sleep 1; done; cat /proc/$!/comm; kill $!; wait $!; [ -d /proc/$! ] || echo gone", "sleep\ngone\n", 0},
		{"sh -c 'sleep 1000000' & p=$!; cat /proc/$p/cmdline | grep -c 'sh'; kill -9 $p; wait $p; echo $?", "1\n137\n", 0},
		{"for p in /proc/[0-9]*; do [ $p/exe -ef /opt/kaspersky/kesl/libexec/kesl ] && read -r c <$p/comm && echo $c; done; true", "kesl\n", 0},
		{"kill -TERM $(ps -e -o pid=,args= | grep libexec/kesl | while read -r p a; do echo $p; done); ps -e | grep -c kesl", "0\n", 1},
		{"kill 99999; kill -ZZ 1; kill x; kill", "...(99999) - No such process", 2},
		{"kill -9 1; kill -0 1 && echo there", "there\n", 0},
		{"sleep 1000000 & until ps -e -o args= | grep -q 'sleep 1000000'; do sleep 1; done; pkill -KILL -f 'sleep 10*$'; wait $!; echo $?; pkill none; echo $?", "137\n1\n", 0},
		{"read -r u i </proc/uptime; [ ${u%.*} -ge 3600 ] && cat /proc/sys/kernel/hostname", "lab-0001\n", 0},
		{"grep -c ^Uid: /proc/self/status; while read -r k _ u _; do [ $k = Uid: ] && echo $u; done </proc/self/status; true", "1\n0\n", 0},
		{"hostname; uname -n; cat /etc/hostname; sysctl kernel.hostname; sysctl -n none.such", "...lab-0001\nlab-0001\nlab-0001\nkernel.hostname = lab-0001\n", 1},
	})
	if got := runAs(t, h, "guest", "kill -9 511; echo $?"); !strings.Contains(got.Err, "Operation not permitted") {
		t.Errorf("a user's kill: %+v", got)
	}
	if n := len(h.procs); n != 0 {
		t.Errorf("%d processes are left", n)
	}
}

// TestSignals: a shell that is killed runs nothing more.
func TestSignals(t *testing.T) {
	f, h := oneHost(t, "debian")
	client := dial(t, f, h, "root")
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(`/bin/sh -c 'echo a >/tmp/a; kill -KILL $$; echo b >/tmp/b'`); err == nil || !strings.Contains(err.Error(), "KILL") {
		t.Errorf("the end by a signal is reported as %v", err)
	}
	if got := run(t, h, "ls /tmp"); got.Out != "a\n" {
		t.Errorf("left: %+v", got)
	}
}

// TestPanic: a panic in a program is the end of the process that called it,
// wherever the interpreter runs it, and of nothing else.
func TestPanic(t *testing.T) {
	f, h := oneHost(t, "debian")
	f.programs["boom"] = program{run: func(*call) int { panic("boom") }}
	f.programs["bang"] = program{run: func(*call) int { panic("bang") }, process: true}
	v := view{t: h.tree}
	for _, name := range []string{"boom", "bang"} {
		if err := v.writeFile("/usr/bin/"+name, []byte(programMark+name+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	client := dial(t, f, h, "root")
	for _, script := range []string{
		"boom; echo not", "bang; echo not", "echo $(boom); echo not", "true | boom; sleep 10000; echo not",
		"boom & wait $!; sleep 10000; echo not", "{ bang; } & sleep 10000; echo not", "(boom); echo not",
	} {
		s, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		s.Stdin, s.Stdout = strings.NewReader(script), &out
		if err := s.Run(shLine); err == nil || !strings.Contains(err.Error(), "ABRT") {
			t.Errorf("%s: %v", script, err)
		}
		if strings.Contains(out.String(), "not") {
			t.Errorf("%s: the shell went on: %q", script, out.String())
		}
	}
	for _, script := range []string{"setsid boom; echo on", "systemd-run -q --wait boom; echo on", "nohup bang & wait $!; echo on"} {
		if got := remote(t, client, shLine, script); got.Out != "on\n" {
			t.Errorf("%s: %+v", script, got)
		}
	}
	if got := remote(t, client, "id -u", ""); got.Out != "0\n" {
		t.Errorf("after the panics: %+v", got)
	}
}
