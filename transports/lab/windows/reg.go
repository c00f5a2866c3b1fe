package windows

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"oust/transports/lab/cmdexe"
)

// What reg.exe says.
const (
	regNotFound = "ERROR: The system was unable to find the specified registry key or value.\r\n"
	regDenied   = "ERROR: Access is denied.\r\n"
	regBadKey   = "ERROR: Invalid key name.\r\nType \"REG %s /?\" for usage.\r\n"
	regSyntax   = "ERROR: Invalid syntax.\r\nType \"REG %s /?\" for usage.\r\n"
	regDone     = "The operation completed successfully.\r\n"
)

// regRequest is what the words of a call of reg.exe ask for.
type regRequest struct {
	verb           string
	path           regPath
	name           string // of the value
	named, recurse bool   // /v or /ve; /s
	all            bool   // /va
	force          bool
	kind, data     string
	session        *Session
	in             io.Reader
	stdout, stderr io.Writer
}

// reg is reg.exe: query with /v, /ve, /s; add; delete; each with /reg:32 and
// /reg:64. It returns 0 or 1.
func reg(ctx context.Context, s *Session, c *cmdexe.Call) int {
	out := bufio.NewWriter(c.Stdout)
	defer func() { _ = out.Flush() }()
	r := regRequest{kind: regSZ, session: s, in: c.Stdin, stdout: out, stderr: c.Stderr}
	if problem := r.parse(c.Args); problem != "" {
		_, _ = io.WriteString(c.Stderr, problem)
		return 1
	}
	if !s.mayTouch(r.path, r.verb != "QUERY") {
		_, _ = io.WriteString(c.Stderr, regDenied)
		return 1
	}
	switch r.verb {
	case "QUERY":
		return r.query(ctx)
	case "ADD":
		return r.add()
	default:
		return r.delete()
	}
}

// parse reads the words, and returns what reg.exe says against them.
func (r *regRequest) parse(args []string) string {
	if len(args) == 0 {
		return "ERROR: Invalid syntax.\r\nType \"REG /?\" for usage.\r\n"
	}
	r.verb = strings.ToUpper(args[0])
	switch {
	case r.verb != "QUERY" && r.verb != "ADD" && r.verb != "DELETE":
		return fmt.Sprintf("ERROR: Invalid argument/option - '%s'.\r\nType \"REG /?\" for usage.\r\n", args[0])
	case len(args) < 2:
		return fmt.Sprintf(regSyntax, r.verb)
	}
	view := view64
	for i := 2; i < len(args); i++ {
		takes := func(field *string) bool {
			i++
			if i < len(args) {
				*field = args[i]
			}
			return i < len(args)
		}
		ok := true
		switch strings.ToLower(args[i]) {
		case "/v":
			r.named, ok = true, takes(&r.name)
		case "/ve":
			r.named = true
		case "/va":
			r.all = true
		case "/s":
			r.recurse = true
		case "/f":
			r.force = true
		case "/t":
			ok = takes(&r.kind)
			r.kind = strings.ToUpper(r.kind)
		case "/d":
			ok = takes(&r.data)
		case "/reg:32":
			view = view32
		case "/reg:64":
		default:
			ok = false
		}
		if !ok {
			return fmt.Sprintf(regSyntax, r.verb)
		}
	}
	var ok bool
	if r.path, ok = parsePath(args[1], r.session.account.sid, view); !ok {
		return fmt.Sprintf(regBadKey, r.verb)
	}
	return ""
}

func (r *regRequest) query(ctx context.Context) int {
	k := r.session.host.Registry.open(r.path.stored)
	v, found := value{}, false
	if k != nil && r.named {
		v, found = k.value(r.name)
	}
	switch {
	case k == nil, r.named && !r.recurse && !found:
		_, _ = io.WriteString(r.stderr, regNotFound)
		return 1
	case r.named && r.recurse:
		n := r.search(ctx, k, r.path.String())
		fmt.Fprintf(r.stdout, "\r\nEnd of search: %d match(es) found.\r\n", n)
		return btoi(n == 0)
	case r.named:
		r.print(r.path.String(), []value{v})
		fmt.Fprint(r.stdout, "\r\n")
	case r.recurse:
		r.walk(ctx, k, r.path.String())
	default:
		r.list(k)
	}
	return 0
}

// list prints the values of a key and the names of the keys below it.
func (r *regRequest) list(k *key) {
	if len(k.values) > 0 {
		r.print(r.path.String(), k.values)
	}
	fmt.Fprint(r.stdout, "\r\n")
	for _, sub := range r.session.visible(r.path, k) {
		fmt.Fprintf(r.stdout, "%s\\%s\r\n", r.path, sub.name)
	}
}

// walk prints all keys that have values.
func (r *regRequest) walk(ctx context.Context, k *key, path string) {
	if ctx.Err() != nil {
		return
	}
	if len(k.values) > 0 {
		r.print(path, k.values)
	}
	for _, sub := range k.subs {
		r.walk(ctx, sub, path+`\`+sub.name)
	}
	if path == r.path.String() {
		fmt.Fprint(r.stdout, "\r\n")
	}
}

// search prints the value of one name wherever it is.
func (r *regRequest) search(ctx context.Context, k *key, path string) int {
	n := 0
	if v, found := k.value(r.name); found && ctx.Err() == nil {
		r.print(path, []value{v})
		n++
	}
	for _, sub := range k.subs {
		n += r.search(ctx, sub, path+`\`+sub.name)
	}
	return n
}

func (r *regRequest) print(path string, values []value) {
	fmt.Fprintf(r.stdout, "\r\n%s\r\n", path)
	for _, v := range values {
		name := v.name
		if name == "" {
			name = "(Default)"
		}
		fmt.Fprintf(r.stdout, "    %s    %s    %s\r\n", name, v.kind, v.data)
	}
}

func (r *regRequest) add() int {
	data, ok := regData(r.kind, r.data)
	if !ok || len(r.path.asked) == 0 {
		fmt.Fprintf(r.stderr, regSyntax, r.verb)
		return 1
	}
	registry := r.session.host.Registry
	if !r.named {
		registry.change(r.path.stored, true, func(*key) {})
	} else {
		if k := registry.open(r.path.stored); k != nil && !r.force && k.valueIndex(r.name) >= 0 &&
			!r.agreed(fmt.Sprintf("Value %s exists, overwrite(Yes/No)? ", r.name)) {
			return 0
		}
		registry.set(r.path.stored, value{r.name, r.kind, data})
	}
	fmt.Fprint(r.stdout, regDone)
	return 0
}

func (r *regRequest) delete() int {
	registry := r.session.host.Registry
	k := registry.open(r.path.stored)
	if k == nil || r.named && k.valueIndex(r.name) < 0 {
		_, _ = io.WriteString(r.stderr, regNotFound)
		return 1
	}
	if len(r.path.asked) == 0 {
		_, _ = io.WriteString(r.stderr, regDenied)
		return 1
	}
	if !r.force && !r.agreed(fmt.Sprintf("Permanently delete the registry key %s (Yes/No)? ", r.path)) {
		return 0
	}
	switch {
	case r.named:
		registry.unset(r.path.stored, r.name)
	case r.all:
		registry.change(r.path.stored, false, func(k *key) { k.values = nil })
	default:
		registry.remove(r.path.stored)
	}
	fmt.Fprint(r.stdout, regDone)
	return 0
}

// agreed asks a question and reads a line of the answer.
func (r *regRequest) agreed(question string) bool {
	fmt.Fprint(r.stdout, question)
	line, _ := bufio.NewReader(io.LimitReader(r.in, 1024)).ReadString('\n')
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(line)), "y") {
		return true
	}
	fmt.Fprint(r.stdout, "The operation was canceled by the user.\r\n")
	return false
}

// regData is the data of /d in the form in which reg.exe prints it.
func regData(kind, text string) (string, bool) {
	switch kind {
	case regSZ, regExpand, regMulti:
		return text, true
	case regDword, regQword:
		most := uint64(math.MaxUint32)
		if kind == regQword {
			most = math.MaxUint64
		}
		if text == "" {
			text = "0"
		}
		n, err := strconv.ParseUint(text, 0, 64)
		return fmt.Sprintf("0x%x", n), err == nil && n <= most
	case regBinary:
		b, err := hex.DecodeString(text)
		return strings.ToUpper(hex.EncodeToString(b)), err == nil
	}
	return "", false
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
