package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"pgregory.net/rapid"
)

// twoViews are root's views of two hosts of one image.
func twoViews(t *testing.T) (a, b view) {
	t.Helper()
	store := imageStore{clock: NewClock(1)}
	im := store.get(kindNamed(t, "debian"), setOf(kesl))
	fresh := func() view {
		return view{t: &tree{root: im.root, ino: im.lastIno, now: func() int64 { return 1 }}}
	}
	return fresh(), fresh()
}

func TestCopyOnWrite(t *testing.T) {
	a, b := twoViews(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const file, config = "/opt/kaspersky/kesl/bin/kesl-control", "/etc/opt/kaspersky/kesl/kesl.ini"
	must(a.writeFile(config, []byte("changed"), 0o600))
	must(a.chmod(file, func(fs.FileMode) fs.FileMode { return 0 }))
	must(a.mkdirAll("/var/lib/oust/x", 0o700))
	must(a.rename("/opt/kaspersky/kesl/doc", "/root/doc"))
	a.removeAll("/usr", func(name string, err error) { t.Error(name, err) })
	must(a.link("/etc/passwd", "/etc/passwd2"))
	for _, name := range []string{"/var/lib/oust", "/root/doc", "/etc/passwd2"} {
		if _, err := b.stat(name, false); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s appears on another host: %v", name, err)
		}
	}
	if data, err := b.readFile(config); err != nil || string(data) == "changed" {
		t.Errorf("%s of another host: %q, %v", config, data, err)
	}
	if info, err := b.stat(file, false); err != nil || info.mode.Perm() != 0o755 {
		t.Errorf("%s of another host: %v, %v", file, info.mode, err)
	}
	if _, err := b.stat("/usr/bin/cat", false); err != nil {
		t.Error(err)
	}
	if info, err := b.stat("/etc/passwd", false); err != nil || info.nlink != 1 {
		t.Errorf("/etc/passwd of another host: %d links, %v", info.nlink, err)
	}
	fresh := &tree{root: b.t.root}
	if fresh.root.owner != nil {
		t.Error("a look has changed the image")
	}
}

// TestHandles: an open file goes on after its name is gone, and appends do not
// overwrite each other.
func TestHandles(t *testing.T) {
	v, _ := twoViews(t)
	open := func(flag int) *handle {
		t.Helper()
		h, err := v.open("/tmp/f", flag, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	write := func(h *handle, text string) {
		t.Helper()
		if _, err := h.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	a, b := open(os.O_WRONLY|os.O_CREATE|os.O_TRUNC), open(os.O_WRONLY|os.O_APPEND)
	write(a, "one ")
	write(b, "two ")
	write(a, "x")
	write(b, "three")
	reader := open(os.O_RDONLY)
	if err := v.remove("/tmp/f", false); err != nil {
		t.Fatal(err)
	}
	write(b, "!")
	data := make([]byte, 64)
	if n, err := reader.Read(data); err != nil || string(data[:n]) != "one xwo three!" {
		t.Errorf("read %q, %v", data[:n], err)
	}
	if _, err := v.open("/tmp/f", os.O_RDONLY, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := v.open("/dev/null", os.O_WRONLY|os.O_TRUNC, 0); err != nil {
		t.Error(err)
	}
	big, err := v.open("/tmp/big", os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := big.Write(make([]byte, mostFile+1)); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("a file of more than %d bytes: %v", mostFile, err)
	}
}

func TestPermissions(t *testing.T) {
	_, h := oneHost(t, "debian")
	runSteps(t, h, []step{{"umask 022; mkdir /srv/d; echo s >/srv/d/secret; chmod 600 /srv/d/secret; echo o >/srv/d/open; mkdir -m 700 /srv/p; echo x >/srv/p/f; echo r >/tmp/roots", "", 0}})
	for _, c := range []struct {
		script string
		exit   int
	}{
		{"cat /srv/d/open", 0},
		{"cat /srv/d/secret", 1},
		{"echo x >/srv/d/open", 1},
		{"echo x >/srv/d/new", 1},
		{"rm -f /srv/d/open", 1},
		{"ls /srv/p", 2},
		{"cat /srv/p/f", 1},
		{"[ -e /srv/p/f ]", 1},
		{"rm -f /tmp/roots", 1}, // the sticky bit
		{"mv /tmp/roots /tmp/other", 1},
		{"echo mine >/tmp/mine && rm /tmp/mine", 0},
		{"echo mine >~/f && cat ~/f && chmod 600 ~/f && rm ~/f", 0},
		{"chmod 777 /srv/d/open", 1},
		{"cat /etc/shadow", 1},
		{"ls /root", 2},
		{"mkdir /var/lib/oust", 1},
		{"cat /home/ops/x 2>&1 | grep -c 'Permission denied'", 0},
		{"echo x >/proc/uptime", 1},
		{"rm -f /proc/uptime", 1},
	} {
		if got := runAs(t, h, "guest", c.script); got.Exit != c.exit {
			t.Errorf("%s: %+v, want exit %d", c.script, got, c.exit)
		}
	}
}

// TestAtomic: of many who make the same folder or link at once, one does.
func TestAtomic(t *testing.T) {
	v, _ := twoViews(t)
	for name, try := range map[string]func(i, n int) error{
		"mkdir":   func(i, _ int) error { return v.mkdir(fmt.Sprintf("/tmp/d%d", i), 0o700) },
		"symlink": func(i, n int) error { return v.symlink(fmt.Sprint(n), fmt.Sprintf("/tmp/s%d", i)) },
		"link":    func(i, _ int) error { return v.link("/etc/passwd", fmt.Sprintf("/tmp/l%d", i)) },
		"excl": func(i, _ int) error {
			_, err := v.open(fmt.Sprintf("/tmp/x%d", i), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			return err
		},
		"remove": func(i, _ int) error {
			return v.remove([]string{"/etc/hosts", "/etc/fstab", "/etc/group", "/etc/profile"}[i], false)
		},
	} {
		for i := range 4 {
			var wg sync.WaitGroup
			var won atomic.Int32
			for n := range 8 {
				wg.Go(func() {
					if try(i, n) == nil {
						won.Add(1)
					}
				})
			}
			wg.Wait()
			if won.Load() != 1 {
				t.Errorf("%s %d: %d of 8 succeeded", name, i, won.Load())
			}
		}
	}
}

// TestClaim: of many scripts that claim the same folder at once, one does.
func TestClaim(t *testing.T) {
	_, h := oneHost(t, "debian")
	got := run(t, h, `cd /tmp
for i in 1 2 3 4 5 6 7 8; do (mkdir claim 2>/dev/null && echo $i; ln -s $i lock 2>/dev/null && echo $i) >>winners & done
wait; wc -l <winners; readlink lock`)
	if n, owner, _ := strings.Cut(got.Out, "\n"); n != "2" || len(owner) != 2 {
		t.Errorf("%+v", got)
	}
}

func TestLinksAndPaths(t *testing.T) {
	_, h := oneHost(t, "debian")
	runSteps(t, h, []step{
		{"cd /tmp; ln -s a b; ln -s b a; cat a", "cat: a: Too many levels of symbolic links\n", 1},
		{"readlink -f /bin/cat; readlink -f /etc/os-release; readlink -f /var/run/lock/../x", "/usr/bin/cat\n/usr/lib/os-release\n/run/x\n", 0},
		{"cat /etc/passwd/ 2>&1; cat /etc/passwd/x; cat //etc/./hosts", "...cat: /etc/passwd/x: Not a directory\n", 0},
		{"cd /tmp; mkdir -p m/n; mv m m/n/o", "mv: cannot move 'm' to 'm/n/o': Invalid argument\n", 1},
		{"rm -rf /; ls / | wc -l", "...it is dangerous to operate recursively", 0},
		{"rmdir /proc; rm -rf /proc/self/status 2>&1 | head -n 1; ls /proc/$$ | wc -l", "...6\n", 0},
		{"cat /root; echo x >/root", "...cat: /root: Is a directory\n", 1},
		{"echo ~ ~root", "/root /root\n", 0},
	})
}

// TestTreeAgainstMap: a tree does to plain files what a map of them would.
func TestTreeAgainstMap(t *testing.T) {
	names := []string{"/tmp/a", "/tmp/b", "/tmp/d/a", "/tmp/d/b"}
	rapid.Check(t, func(r *rapid.T) {
		v, _ := twoViews(t)
		if err := v.mkdir("/tmp/d", 0o755); err != nil {
			r.Fatal(err)
		}
		want := map[string]string{}
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			from, to := rapid.SampledFrom(names).Draw(r, "from"), rapid.SampledFrom(names).Draw(r, "to")
			_, there := want[from]
			var err error
			switch rapid.SampledFrom([]string{"write", "append", "remove", "rename"}).Draw(r, "op") {
			case "write":
				text := rapid.StringN(0, 5, 20).Draw(r, "text")
				err, there, want[from] = v.writeFile(from, []byte(text), 0o644), true, text
			case "append":
				var h *handle
				if h, err = v.open(from, os.O_WRONLY|os.O_APPEND, 0); err == nil {
					_, err = h.Write([]byte("x"))
					want[from] += "x"
				}
			case "remove":
				err = v.remove(from, false)
				delete(want, from)
			case "rename":
				err = v.rename(from, to)
				if there && from != to {
					want[to] = want[from]
					delete(want, from)
				}
			}
			if (err == nil) != there {
				r.Fatalf("%s: %v, and it is there: %v", from, err, there)
			}
		}
		for _, name := range names {
			data, err := v.readFile(name)
			if text, there := want[name]; there != (err == nil) || text != string(data) {
				r.Errorf("%s: %q, %v; want %q, %v", name, data, err, text, there)
			}
		}
	})
}
