package cmdexe

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"oust/remediate"
	"oust/remediate/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// machine has a file, a folder and the programs exit N and cat.
func machine(t testing.TB, out io.Writer) Config {
	t.Helper()
	m := NewMemory()
	for path, text := range map[string]string{
		`C:\w\two.txt`:   "owner id-1\r\nx y z\r\n",
		`C:\w\sub\a.log`: "12345",
		`C:\u.txt`:       "\xff\xfea\x00\r\x00\n\x00",
	} {
		if err := m.WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	lookup := func(name string) Program {
		switch name {
		case "fail":
			return func(context.Context, *Call) int { return 3 }
		case "cat":
			return func(_ context.Context, c *Call) int {
				_, _ = io.Copy(c.Stdout, c.Stdin)
				return 0
			}
		case "args":
			return func(_ context.Context, c *Call) int {
				_, _ = io.WriteString(c.Stdout, strings.Join(c.Args, "|")+"\r\n")
				return 0
			}
		}
		return nil
	}
	return Config{Files: m, Lookup: lookup, Dir: `C:\w`, Stdin: strings.NewReader(""), Stdout: out, Stderr: out,
		Env: []string{"X=abc", "SystemDrive=C:"}, Now: func() time.Time { return time.Date(2024, 3, 4, 5, 6, 7, 0, time.UTC) },
		Version: "Microsoft Windows [Version 10.0.19045.3803]", CodePage: 437}
}

// script runs a batch file and returns what it prints, with plain newlines.
func script(t *testing.T, text string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	c := machine(t, &out)
	text = "@echo off\n" + text
	if err := c.Files.(*Memory).WriteFile(`C:\w\t.cmd`, []byte(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil {
		t.Fatal(err)
	}
	code := Run(t.Context(), c, `/d /s /c ""C:\w\t.cmd" one "two words""`)
	return strings.ReplaceAll(out.String(), "\r\n", "\n"), code
}

func TestScripts(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"variables", `echo %X% %x:b=__% %X:~1% %X:~-2,1% [%none%] 100%%`, "abc a__c bc b [] 100%\n"},
		{"arguments", `echo %1 %~2 %~nx0 %*`, "one two words t.cmd one \"two words\"\n"},
		{"carets and quotes", `echo a^&b "c^&d" ^^`, "a&b \"c^&d\" ^\n"},
		{"continued", "echo a^\nb", "ab\n"},
		{"and, or", `fail && echo no || echo %ERRORLEVEL% or` + "\nver >nul && echo yes", "0 or\nyes\n"},
		{"block and else", "if 1==2 (\n echo a\n) else (\n echo b\n echo c\n)", "b\nc\n"},
		{"if", "if /i ABC==%X% echo fold\nif not defined none echo none\nif 10 GTR 9 echo gtr\nif exist two.txt echo file\nif exist nosuch\\ echo no\nif exist sub\\ echo folder", "fold\nnone\ngtr\nfile\nfolder\n"},
		{"errorlevel", "fail\nif errorlevel 3 echo three\nif errorlevel 4 echo no\necho %ERRORLEVEL%", "three\n3\n"},
		{"redirections", ">f.txt echo one\n>>f.txt echo two 2>nul\ntype f.txt\ntype none 2>nul || echo gone", "one\ntwo \ngone\n"},
		{"digit stays", `echo a1>nul&echo x 2>&1`, "x \n"},
		{"for", "for %%a in (1 b \"c d\") do echo %%~a\nfor /l %%i in (3,-1,1) do echo %%i\nfor /d %%d in (*) do echo %%d", "1\nb\nc d\n3\n2\n1\nsub\n"},
		{"for /f file", `for /f "usebackq tokens=1,2" %%a in ("two.txt") do if "%%a"=="owner" echo %%b`, "id-1\n"},
		{"for /f command", `for /f "delims=" %%a in ('type two.txt 2^>nul ^| cat') do echo [%%a]`, "[owner id-1]\n[x y z]\n"},
		{"for /f rest", `for /f "tokens=2*" %%a in ("a b c d") do echo %%a-%%b`, "b-c d\n"},
		{"modifiers", `for %%f in ("sub\a.log") do echo %%~zf %%~nxf %%~dpf %%~af`, "5 a.log C:\\w\\sub\\ --a------\n"},
		{"call and goto", "call :f x\ngoto e\n:f\necho in %1\nexit /b 4\n:e\necho %ERRORLEVEL%", "in x\n4\n"},
		{"loop", "set n=0\n:top\nset /a n+=1\nif %n% LSS 3 goto top\necho %n%", "3\n"},
		{"set /a", "set /a a=(1+2)*3, b=7%%4, c=1^<^<4, d=-7/2\necho %a% %b% %c% %d%", "9 3 16 -3\n"},
		{"set /p", "set /p l=<two.txt\necho %l%\nset /p m=<nul\necho %ERRORLEVEL%", "owner id-1\n1\n"},
		{"delayed", "setlocal enabledelayedexpansion\nfor %%a in (1 2) do (set v=%%a\necho !v! %v%)\nendlocal\necho [%v%]", "1 \n2 \n[]\n"},
		{"files", "md n\\m\ncopy two.txt n >nul\nren n\\two.txt t2\nmove n\\t2 n\\m >nul\ndir /b /s n\nrd /s /q n\nif not exist n echo gone", "C:\\w\\n\\m\nC:\\w\\n\\m\\t2\ngone\n"},
		{"a rename fails", "ren two.txt t.cmd 2>nul || echo taken", "taken\n"},
		{"not found", "nosuch\necho %ERRORLEVEL%", "'nosuch' is not recognized as an internal or external command,\noperable program or batch file.\n9009\n"},
		{"dir of nothing", "dir /b /a none\ndir /b /a none\\x", "File Not Found\nThe system cannot find the path specified.\n"},
		{"pushd", "pushd sub\necho %CD%\npopd\necho %CD%\ncd ..\ncd", "C:\\w\\sub\nC:\\w\nC:\\\n"},
		{"cmd inside", "cmd /d /s /c \"echo a& exit 6\"\necho %ERRORLEVEL%", "a\n6\n"},
		{"program", `args a "b c" d\"e`, "a|b c|d\"e\n"},
		{"echo", "echo.\necho(x\necho:y\necho @z", "\nx\ny\n@z\n"},
		{"UTF-16", `type \u.txt`, "a\n"},
		{"a form of nothing", `echo [%none:a=b%]`, "[a=b]\n"},
		{"dir", `dir /-c sub | for /f "tokens=1,2,3" %%a in ('cat') do if "%%b"=="Dir(s)" echo %%a %%c`, "2 107374182400\n"},
		{"shift", "shift\necho %1", "\"two words\"\n"},
	} {
		if got, _ := script(t, c.script); got != c.want {
			t.Errorf("%s: printed %q, want %q", c.name, got, c.want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for text, want := range map[string]int{
		"exit 7": 7, "exit /b -1": -1, "fail": 3, "nosuch 2>nul": 9009, "fail\nrem x": 3, "fail\nver >nul": 0, "exit /b 2\necho no": 2,
		"(": 255,
	} {
		if out, got := script(t, text); got != want {
			t.Errorf("%q ends with %d, want %d (%q)", text, got, want, out)
		}
	}
}

func TestPrompt(t *testing.T) {
	var out bytes.Buffer
	c := machine(t, &out)
	c.Stdin = strings.NewReader("set \"P=%\"\r\necho %none% %P%X%P%\r\nfor %v in (1 2) do @echo %v\r\ncat\r\nfor me\r\n")
	if code := Run(t.Context(), c, "/d /q /e:on /v:off"); code != 0 {
		t.Errorf("exit code %d", code)
	}
	want := c.Version + "\r\n(c) Microsoft Corporation. All rights reserved.\r\n\r\n%none% %X%\r\n1\r\n2\r\nfor me\r\n"
	if out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}

func TestAnEndedContextEndsALoop(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	c := machine(t, &out)
	c.Lookup = func(string) Program { return func(context.Context, *Call) int { cancel(); return 0 } }
	for _, l := range []string{`/c for /l %i in (1,0,2) do stopit`, `/c for /l %i in (1,0,2) do rem`} {
		Run(ctx, c, l)
	}
	if ctx.Err() == nil {
		t.Error("the program was never started")
	}
}

func TestRecursionEnds(t *testing.T) {
	if out, _ := script(t, "call %0"); !strings.Contains(out, "R E C U R S I O N") {
		t.Errorf("printed %q", out)
	}
}

func TestLookOfTheProbe(t *testing.T) {
	nonce := remediate.Nonce(strings.Repeat("a1", 16))
	text, err := probe.Cmd(remediate.Questions{Paths: []string{`C:\w\two.txt`, `C:\none\x%y`}}, nonce)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := machine(t, &out)
	c.Stdin = bytes.NewReader(text)
	if code := Run(t.Context(), c, "/d /q /e:on /v:off"); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"begin " + probe.KindWindows, " end\r\n", "is --a------ \"C:\\w\\two.txt\"\r\n", "is  \"C:\\none\\x%y\"\r\n", "bytes free", "asked 2\r\n", "Active code page: 65001"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("nothing printed like %q", want)
		}
	}
	if t.Failed() {
		t.Log(out.String())
	}
}

func FuzzRun(f *testing.F) {
	for _, s := range []string{"for /f \"tokens=1-3*\" %%a in ('echo x') do echo %%~dpa", "set /a x=(1<<3)%%-1", "if a==b (c) else d", "echo !a:~-1,2! %X:*b=% ^", ":a\ngoto a", "a|b|c&d&&e||f>g 2>&1", "call :x\n:x\ncall %0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		c := machine(t, io.Discard)
		if err := c.Files.(*Memory).WriteFile(`C:\w\f.cmd`, []byte(s)); err != nil {
			t.Fatal(err)
		}
		Run(ctx, c, "/c f.cmd")
		c.Stdin = strings.NewReader(s)
		Run(ctx, c, "/q /v:on")
	})
}
