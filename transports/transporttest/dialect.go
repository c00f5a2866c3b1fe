package transporttest

import (
	"fmt"
	"strings"
)

// dialect is what the cases say in the words of one shell.
type dialect struct {
	// eval is a line that reads a script from stdin and runs it, whatever the
	// login shell is.
	eval string
	// exit is a line that ends with a code.
	exit func(code int) string
	// codes are exit codes that the shell can end with.
	codes []int
	// sleep is a line that takes a minute.
	sleep string
	// copy is a line that copies stdin to stdout: bytes if binary is true, and
	// else lines of text.
	copy   string
	binary bool
	// sizes are lengths of input for copy, in bytes.
	sizes   []int
	newline string

	// unknown is a line that names no command, and ends with one of
	// unknownExits.
	unknown      string
	unknownExits []int

	// Scripts, and what the output of some ends with.
	words, wordsOut string // ends with exit code 7
	leave           string // sets the variable OUST_LEFT and changes the folder
	left            string // prints the variable in brackets
	leftNothing     []string
	apart           string // to-out and to-err, each where it belongs
	bothOften       string // more than 2 KB to each output
	endless         string // output that does not end
	noNewline       string // last, without a newline
	echoAndSleep    string // before, and then a minute
}

var dialects = map[string]dialect{"sh": sh, "cmd": cmd}

var sh = dialect{
	eval: `/bin/sh -c 'eval "$(cat)"'`,
	exit: func(code int) string { return fmt.Sprintf("/bin/sh -c 'exit %d'", code) }, codes: []int{0, 1, 3, 255},
	sleep: "sleep 60", newline: "\n",
	copy: "cat", binary: true, sizes: []int{0, 1, 4095, 32768, 32769, 100_000, 3 << 20},
	unknown: "/bin/sh -c no-such-command-anywhere", unknownExits: []int{127},
	words: "a='two words'\nprintf '%s|' \"$a\" end\nexit 7\n", wordsOut: "two words|end|",
	leave: "OUST_LEFT=over; export OUST_LEFT; cd /\n", left: `printf '[%s]' "$OUST_LEFT"`, leftNothing: []string{"[]"},
	apart:        "echo to-out\necho to-err >&2\n",
	bothOften:    "i=0\nwhile [ $i -lt 200 ]; do echo 0123456789; echo 0123456789 >&2; i=$((i+1)); done\n",
	endless:      "while :; do echo 0123456789012345678901234567890123456789; done\n",
	noNewline:    "printf last",
	echoAndSleep: "echo before\nsleep 60\n",
}

// cmd prints a banner before what a script on stdin prints. A variable that is
// not set stays as it is written there, and is empty in a batch file; a line such as `for /l %i in (0,0,1)`
// has no end; ping is how it waits, since timeout wants a console.
var cmd = dialect{
	eval: "cmd /d /q /e:on /v:off",
	exit: func(code int) string { return fmt.Sprintf("cmd /d /c exit %d", code) }, codes: []int{0, 1, 3, 255, 256, 3010, -1, -1073741510},
	sleep: "ping -n 61 127.0.0.1", newline: "\r\n",
	copy: `find /v ""`, sizes: []int{0, 64, 4096, 32768, 32770, 100_000, 3 << 20},
	unknown: "cmd /d /c no-such-command-anywhere", unknownExits: []int{1, 9009},
	words: "set a=two words\r\necho %a%^|end^|\r\nexit 7\r\n", wordsOut: "two words|end|\r\n",
	leave: "set OUST_LEFT=over\r\ncd \\\r\n", left: "echo [%OUST_LEFT%]\r\nexit\r\n", leftNothing: []string{"[%OUST_LEFT%]\r\n", "[]\r\n"},
	apart:        "echo to-out\r\necho to-err>&2\r\nexit\r\n",
	bothOften:    strings.Repeat("echo 0123456789\r\necho 0123456789>&2\r\n", 200),
	endless:      "for /l %i in (0,0,1) do @echo 0123456789012345678901234567890123456789\r\n",
	noNewline:    "<nul set /p =last\r\nexit\r\n",
	echoAndSleep: "echo before\r\nping -n 61 127.0.0.1 >nul\r\n",
}
