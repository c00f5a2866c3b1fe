package windows

import (
	"strings"
	"testing"
)

// step is a command and what it must print, its exit code first.
type step struct {
	command string
	exit    int
	out     string // all of the output, or the words that it must hold if it begins with "..."
}

func (m *machine) lines(user string, all []step) {
	m.t.Helper()
	for _, l := range all {
		r := m.as(user, l.command)
		got := r.out + r.err
		words, part := strings.CutPrefix(l.out, "...")
		if r.exit != l.exit || part && !strings.Contains(got, words) || !part && got != l.out {
			m.t.Errorf("%s:\nexit %d, want %d\n%q\nwant %q", l.command, r.exit, l.exit, got, l.out)
		}
	}
}

func TestReg(t *testing.T) {
	m := newMachine(t, nil)
	const done = "The operation completed successfully.\r\n"
	m.lines("ops", []step{
		{`reg add HKLM\SOFTWARE\Zed /v Name /d "a b"`, 0, done},
		{`reg add HKLM\Software\ZED /v Number /t REG_DWORD /d 31`, 0, done},
		{`reg add HKLM\SOFTWARE\Zed\Sub /ve /d x`, 0, done},
		{`reg add HKLM\SOFTWARE\Zed\Empty`, 0, done},
		{`reg query HKLM\SOFTWARE\Zed`, 0, "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Zed\r\n    Name    REG_SZ    a b\r\n    Number    REG_DWORD    0x1f\r\n\r\n" +
			"HKEY_LOCAL_MACHINE\\SOFTWARE\\Zed\\Empty\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Zed\\Sub\r\n"},
		{`reg query HKLM\software\zed /v number`, 0, "\r\nHKEY_LOCAL_MACHINE\\software\\zed\r\n    Number    REG_DWORD    0x1f\r\n\r\n"},
		{`reg query HKLM\SOFTWARE\Zed /s`, 0, "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Zed\r\n    Name    REG_SZ    a b\r\n    Number    REG_DWORD    0x1f\r\n" +
			"\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Zed\\Sub\r\n    (Default)    REG_SZ    x\r\n\r\n"},
		{`reg query HKLM\SOFTWARE\Zed /s /v Number`, 0, "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Zed\r\n    Number    REG_DWORD    0x1f\r\n\r\nEnd of search: 1 match(es) found.\r\n"},
		{`reg query HKLM\SOFTWARE\Zed /s /v None`, 1, "\r\nEnd of search: 0 match(es) found.\r\n"},
		{`reg query HKLM\SOFTWARE\Zed /v None`, 1, regNotFound},
		{`reg query HKLM\SOFTWARE\None /s`, 1, regNotFound},
		{`reg query HKLM\SOFTWARE\Zed /reg:32`, 1, regNotFound},
		{`reg add HKLM\SOFTWARE\Zed32 /v V /d 1 /reg:32`, 0, done},
		{`reg query HKLM\SOFTWARE\WOW6432Node\Zed32 /v V`, 0, "...    V    REG_SZ    1"},
		{`reg query HKLM\SOFTWARE\Zed32 /v V /reg:32`, 0, "...HKEY_LOCAL_MACHINE\\SOFTWARE\\Zed32\r\n    V "},
		{`reg add HKLM\SOFTWARE\Zed /v Name /d other <nul`, 0, "Value Name exists, overwrite(Yes/No)? The operation was canceled by the user.\r\n"},
		{`reg delete HKLM\SOFTWARE\Zed /v Name /f`, 0, done},
		{`reg delete HKLM\SOFTWARE\Zed /v Name /f`, 1, regNotFound},
		{`reg delete HKLM\SOFTWARE\Zed <nul`, 0, "...canceled"},
		{`reg delete HKLM\SOFTWARE\Zed /f`, 0, done},
		{`reg query HKLM\SOFTWARE\Zed`, 1, regNotFound},
		{`reg query HKCR\Installer`, 0, "\r\nHKEY_CLASSES_ROOT\\Installer\\UpgradeCodes\r\n"},
		{`reg query "HKCU\Control Panel\International" /v sShortDate`, 0, "...M/d/yyyy"},
		{`reg query HKLM\SYSTEM\ControlSet001\Services\Tcpip /v Start`, 0, "...0x0"},
		{`reg add HKLM\SOFTWARE\Zed /v N /t REG_DWORD /d 4294967296 /f`, 1, "...Invalid syntax"},
		{`reg query HKXX\SOFTWARE`, 1, "...Invalid key name"},
		{`reg`, 1, "...Invalid syntax"},
		{`reg save x y`, 1, "...Invalid argument"},
	})
	m.lines("guest", []step{
		{`reg query HKU\S-1-5-19`, 1, regDenied},
		{`reg add HKLM\SOFTWARE\Zed /v A /d b /f`, 1, regDenied},
		{`reg add HKCU\Software\Zed /v A /d b /f`, 0, done},
	})
}

// TestRegistryClones: what one machine changes no other sees.
func TestRegistryClones(t *testing.T) {
	a := &Registry{}
	a.Set(`HKLM\SOFTWARE\X`, "v", regSZ, "1")
	b := a.Clone()
	b.Set(`HKLM\SOFTWARE\X`, "v", regSZ, "2")
	b.Set(`HKLM\SOFTWARE\X\Y`, "", "", "")
	if v, _ := a.Get(`hklm\software\x`, "V"); v != "1" || a.Has(`HKLM\SOFTWARE\X\Y`) {
		t.Errorf("the clone's change shows: %q, %t", v, a.Has(`HKLM\SOFTWARE\X\Y`))
	}
	if !b.Remove(`HKLM\SOFTWARE\X`) || b.Has(`HKLM\SOFTWARE\X`) || !a.Has(`HKLM\SOFTWARE\X`) || b.Remove(`HKLM\SOFTWARE\X`) {
		t.Error("a key is not removed from the clone alone")
	}
}

func FuzzReg(f *testing.F) {
	for _, s := range []string{`query HKLM /s`, `add HKLM\A\B /v x /t REG_BINARY /d zz /f`, `delete HKU /f`, `query HKCC\\ /v`, `add HKCU /ve /d`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		im, err := NewImage(Releases()[1], KES)
		if err != nil {
			t.Fatal(err)
		}
		s := &Session{host: &Host{Registry: im.registry.Clone(), image: im}, account: system}
		call := callOf(text)
		if exit := reg(t.Context(), s, call); exit != 0 && exit != 1 {
			t.Errorf("exit code %d", exit)
		}
	})
}
