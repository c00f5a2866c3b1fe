package cmdexe

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// wineScripts are scripts on which wine's cmd agrees with Windows.
var wineScripts = []string{
	"set x=abc\r\necho %x:~1% %x:b=_% %x:~-2,1% 100%%",
	"echo a^&b \"c^&d\" ^^",
	"if 1==2 (\r\necho a\r\n) else (\r\necho b\r\n)",
	"for /l %%i in (3,-1,1) do echo %%i",
	"for /f \"tokens=2*\" %%a in (\"a b c d\") do echo %%a-%%b",
	">f.txt echo owner id\r\nfor /f \"usebackq tokens=1,2\" %%a in (\"f.txt\") do if \"%%a\"==\"owner\" echo %%b",
	"call :f x\r\ngoto e\r\n:f\r\necho in %1\r\nexit /b 4\r\n:e\r\necho end",
	"set n=0\r\n:top\r\nset /a n+=1\r\nif %n% LSS 3 goto top\r\necho %n%",
	"set /a a=(1+2)*3, b=7%%4, d=-7/2\r\necho %a% %b% %d%",
	"if 10 GTR 9 echo gtr\r\nif /i ABC==abc echo fold\r\nif not defined none echo none",
	"md n\r\n>n\\a echo 1\r\nren n\\a b\r\ndir /b n\r\nrd /s /q n\r\nif not exist n echo gone",
	"for %%f in (\"sub\\a.log\") do echo %%~nxf",
	"set \"s=a \"b c\" d\"\r\nfor %%s in (%s%) do call :f %%s\r\ngoto e\r\n:f\r\necho [%~1]\r\ngoto :eof\r\n:e",
	"exit 7",
	"if 1==2 (echo a) & echo b\r\necho c",
	"echo [%none:a=b%]",
	"(echo 1\r\necho 2)>g.txt\r\ntype g.txt",
	"set x=one two\r\nfor /f \"tokens=1*\" %%a in ('echo %x% three') do echo %%b-%%a",
	"echo a&&echo b",
	"setlocal enabledelayedexpansion\r\nset a=5\r\nif !a! GTR 4 echo big",
	"set /a x=1,y=x*4+(2-7)\r\nset /a y=y^<^<2\r\necho %x% %y%",
}

func TestAgreesWithWine(t *testing.T) {
	wine, err := exec.LookPath("wine")
	if err != nil || testing.Short() {
		if os.Getenv("OUST_NO_SKIP") == "1" {
			t.Fatal("wine is not installed, or -short is set (and OUST_NO_SKIP=1 forbids to skip)")
		}
		t.Skip("wine is not installed, or -short is set")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	defer cancel()
	prefix := t.TempDir()
	env := append(os.Environ(), "WINEPREFIX="+prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=")
	run := func(dir, name string, args ...string) (string, int) {
		cmd := exec.CommandContext(ctx, name, args...)
		var out bytes.Buffer
		cmd.Env, cmd.Dir, cmd.Stdout, cmd.WaitDelay = env, dir, &out, 5*time.Second
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(out.String(), "\r\n", "\n"), cmd.ProcessState.ExitCode()
	}
	defer func() {
		stop := exec.Command("wineserver", "-k", "-w")
		stop.Env = env
		_ = stop.Run()
	}()
	for _, text := range wineScripts {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "t.cmd"), []byte("@echo off\r\n"+text+"\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		want, wantCode := run(dir, wine, "cmd", "/c", "t.cmd")
		if want == "" && wantCode == 0 {
			t.Fatalf("%q prints nothing under wine", text)
		}
		got, code := script(t, strings.ReplaceAll(text, "\r\n", "\n"))
		if got != want || code != wantCode {
			t.Errorf("%q prints %q and ends with %d, under wine %q and %d", text, got, code, want, wantCode)
		}
	}
}
