package windows

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"oust/transports/lab/cmdexe"
)

// Results of a task: Microsoft, "Task Scheduler Error and Success Constants".
const (
	taskRunning   = 267009 // SCHED_S_TASK_RUNNING
	taskNotRun    = 267011 // SCHED_S_TASK_HAS_NOT_RUN
	taskEnded     = 267014 // SCHED_S_TASK_TERMINATED
	mostTaskXML   = 1 << 20
	taskNotFound  = "ERROR: The system cannot find the file specified.\r\n"
	taskDenied    = "ERROR: Access is denied.\r\n"
	taskBadSyntax = "ERROR: Invalid syntax.\r\nType \"SCHTASKS /?\" for usage.\r\n"
)

// task is a scheduled task: one program that is started on demand.
type task struct {
	name, command, arguments, dir string
	result                        int
	end                           context.CancelFunc // while it runs
}

// taskXML is the part of a task's definition that is read: Microsoft, "Task
// Scheduler Schema".
type taskXML struct {
	XMLName xml.Name `xml:"Task"`
	Exec    []struct {
		Command          string
		Arguments        string
		WorkingDirectory string
	} `xml:"Actions>Exec"`
}

// schtasks is schtasks.exe: /create from an XML file or with /tr, /run, /end,
// /query and /delete. Tasks run as SYSTEM.
func schtasks(_ context.Context, s *Session, c *cmdexe.Call) int {
	if len(c.Args) == 0 {
		_, _ = io.WriteString(c.Stderr, taskBadSyntax)
		return 1
	}
	options, ok := taskOptions(c.Args[1:])
	if !ok {
		_, _ = io.WriteString(c.Stderr, taskBadSyntax)
		return 1
	}
	name := strings.TrimPrefix(options["/tn"], `\`)
	verb := strings.ToLower(c.Args[0])
	switch {
	case name == "" && verb != "/query":
		_, _ = io.WriteString(c.Stderr, taskBadSyntax)
		return 1
	case !s.account.admin:
		_, _ = io.WriteString(c.Stderr, taskDenied)
		return 1
	}
	switch verb {
	case "/create":
		return s.createTask(name, options, c)
	case "/run":
		return s.runTask(name, c)
	case "/query":
		return s.queryTask(name, options, c)
	case "/end", "/delete":
		return s.endTask(name, verb == "/delete", c)
	}
	_, _ = io.WriteString(c.Stderr, taskBadSyntax)
	return 1
}

// taskOptions reads the words after the verb; some take another one.
func taskOptions(words []string) (options map[string]string, ok bool) {
	options = map[string]string{}
	for i := 0; i < len(words); i++ {
		name := strings.ToLower(words[i])
		takes := slices.Contains([]string{"/tn", "/xml", "/tr", "/fo", "/sc", "/st", "/ru", "/rl", "/rp", "/sd"}, name)
		switch {
		case !strings.HasPrefix(name, "/"), takes && i+1 == len(words):
			return nil, false
		case takes:
			i++
			options[name] = words[i]
		default:
			options[name] = ""
		}
	}
	return options, true
}

func (s *Session) createTask(name string, options map[string]string, c *cmdexe.Call) int {
	t := &task{name: name, command: options["/tr"], result: taskNotRun}
	if path, ok := options["/xml"]; ok {
		var problem string
		if t, problem = s.readTask(name, path); problem != "" {
			_, _ = io.WriteString(c.Stderr, problem)
			return 1
		}
	}
	if t.command == "" {
		_, _ = io.WriteString(c.Stderr, taskBadSyntax)
		return 1
	}
	if s.host.hasFault(FaultNoScheduler) {
		_, _ = io.WriteString(c.Stderr, taskDenied)
		return 1
	}
	h := s.host
	h.mu.Lock()
	defer h.mu.Unlock()
	id := strings.ToUpper(name)
	old := h.tasks[id]
	if _, force := options["/f"]; old != nil && !force {
		fmt.Fprintf(c.Stderr, "ERROR: The task \"%s\" already exists; use /F to replace it.\r\n", name)
		return 1
	}
	if h.tasks == nil {
		h.tasks = make(map[string]*task)
	}
	if old != nil && old.end != nil {
		t.end, t.result = old.end, old.result // what runs goes on
	}
	h.tasks[id] = t
	fmt.Fprintf(c.Stdout, "SUCCESS: The scheduled task \"%s\" has successfully been created.\r\n", name)
	return 0
}

// readTask reads a task's definition from a file, in UTF-8 or, with a mark of
// the byte order, UTF-16.
func (s *Session) readTask(name, path string) (*task, string) {
	f, err := s.host.Files.Open(clean(path))
	if err != nil {
		return nil, taskNotFound
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, mostTaskXML+1))
	if err != nil || len(data) > mostTaskXML {
		return nil, "ERROR: The task XML is malformed.\r\n"
	}
	var x taskXML
	d := xml.NewDecoder(strings.NewReader(fromUTF16(data)))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	if err := d.Decode(&x); err != nil || len(x.Exec) != 1 || x.Exec[0].Command == "" {
		return nil, "ERROR: The task XML is malformed.\r\n(1,1)::\r\n"
	}
	return &task{
		name: name, command: x.Exec[0].Command, arguments: x.Exec[0].Arguments, dir: x.Exec[0].WorkingDirectory, result: taskNotRun,
	}, ""
}

func fromUTF16(data []byte) string {
	if len(data) < 2 || data[0] != 0xff || data[1] != 0xfe {
		return strings.TrimPrefix(string(data), "\ufeff")
	}
	var units []uint16
	for i := 2; i+1 < len(data); i += 2 {
		units = append(units, uint16(data[i])|uint16(data[i+1])<<8)
	}
	return string(utf16.Decode(units))
}

var variable = regexp.MustCompile(`%[^%]+%`)

// runTask starts a task in the machine's own life: what ends the shell does
// not end it. One that runs already is left alone (IgnoreNew).
func (s *Session) runTask(name string, c *cmdexe.Call) int {
	h := s.host
	h.mu.Lock()
	t := h.tasks[strings.ToUpper(name)]
	runs := t != nil && t.end != nil
	h.mu.Unlock()
	if t == nil {
		_, _ = io.WriteString(c.Stderr, taskNotFound)
		return 1
	}
	if !runs && h.startTask(t) != nil {
		fmt.Fprint(c.Stderr, "ERROR: The service cannot accept control messages at this time.\r\n")
		return 1
	}
	fmt.Fprintf(c.Stdout, "SUCCESS: Attempted to run the scheduled task \"%s\".\r\n", name)
	return 0
}

func (h *Host) startTask(t *task) error {
	ctx, cancel := context.WithCancel(h.life)
	h.mu.Lock()
	if t.end != nil {
		h.mu.Unlock()
		cancel()
		return nil
	}
	t.end, t.result = cancel, taskRunning
	h.mu.Unlock()
	err := h.spawn(func(boot context.Context) {
		stop := context.AfterFunc(boot, cancel)
		exit := h.execute(ctx, t)
		cut := ctx.Err() != nil || boot.Err() != nil
		stop()
		cancel()
		h.mu.Lock()
		defer h.mu.Unlock()
		t.end, t.result = nil, exit
		if cut {
			t.result = taskEnded
		}
	})
	if err != nil {
		cancel()
		h.mu.Lock()
		defer h.mu.Unlock()
		t.end, t.result = nil, taskNotRun
	}
	return err
}

// execute runs a task's program as SYSTEM, with no input and no output.
func (h *Host) execute(ctx context.Context, t *task) int {
	s := &Session{h, system}
	config := s.Config(strings.NewReader(""), io.Discard, io.Discard)
	getenv := func(name string) string { return envOf(config.Env, name) }
	fill := func(text string) string {
		return variable.ReplaceAllStringFunc(text, func(v string) string {
			if found := getenv(strings.Trim(v, "%")); found != "" {
				return found
			}
			return v
		})
	}
	command, line := strings.Trim(fill(t.command), `"`), fill(t.arguments)
	if t.dir != "" {
		config.Dir = fill(t.dir)
	}
	if t.arguments == "" && t.command != "" {
		return h.shell(ctx, config, "/c "+command) // as /tr gives it
	}
	p := s.Lookup(command)
	if p == nil {
		return 2
	}
	return p(ctx, &cmdexe.Call{
		Name: command, Line: line, Args: strings.Fields(line), Dir: config.Dir, Getenv: getenv, Environ: func() []string { return config.Env },
		Stdin: config.Stdin, Stdout: config.Stdout, Stderr: config.Stderr,
	})
}

func envOf(env []string, name string) string {
	for _, e := range env {
		if n, v, ok := strings.Cut(e, "="); ok && strings.EqualFold(n, name) {
			return v
		}
	}
	return ""
}

// queryTask prints a task, or all: with /v /fo csv in the columns of
// schtasks.exe, of which the seventh is the last result.
func (s *Session) queryTask(name string, options map[string]string, c *cmdexe.Call) int {
	h := s.host
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []*task
	for id, t := range h.tasks {
		if name == "" || id == strings.ToUpper(name) {
			found = append(found, t)
		}
	}
	if len(found) == 0 && name != "" {
		_, _ = io.WriteString(c.Stderr, taskNotFound)
		return 1
	}
	slices.SortFunc(found, func(a, b *task) int { return foldCompare(a.name, b.name) })
	_, verbose := options["/v"]
	_, bare := options["/nh"]
	csv := strings.EqualFold(options["/fo"], "csv")
	if csv && !bare {
		_, _ = io.WriteString(c.Stdout, taskHead(verbose))
	}
	for _, t := range found {
		status := "Ready"
		if t.end != nil {
			status = "Running"
		}
		switch {
		case csv && verbose:
			fmt.Fprintf(c.Stdout, `"%s","\%s","N/A","%s","Interactive/Background","N/A","%d","N/A","%s","N/A","N/A","Enabled","Disabled","","SYSTEM","Disabled",`+
				`"Disabled","Scheduling data is not available in this format.","On demand only","N/A","N/A","N/A","N/A","N/A","N/A","N/A","N/A","N/A"`+"\r\n",
				h.Name, t.name, status, t.result, t.command+" "+strings.ReplaceAll(t.arguments, `"`, `""`))
		case csv:
			fmt.Fprintf(c.Stdout, `"\%s","N/A","%s"`+"\r\n", t.name, status)
		default:
			fmt.Fprintf(c.Stdout, "\r\nFolder: \\\r\n%-40s %-22s %-15s\r\n", t.name, "N/A", status)
		}
	}
	return 0
}

func taskHead(verbose bool) string {
	if !verbose {
		return `"TaskName","Next Run Time","Status"` + "\r\n"
	}
	return `"HostName","TaskName","Next Run Time","Status","Logon Mode","Last Run Time","Last Result","Author","Task To Run","Start In","Comment",` +
		`"Scheduled Task State","Idle Time","Power Management","Run As User","Delete Task If Not Rescheduled","Stop Task If Runs X Hours and X Mins",` +
		`"Schedule","Schedule Type","Start Time","Start Date","End Date","Days","Months","Repeat: Every","Repeat: Until: Time","Repeat: Until: Duration",` +
		`"Repeat: Stop If Still Running"` + "\r\n"
}

// endTask ends a task, or deletes it; what a deleted task has started runs on.
func (s *Session) endTask(name string, remove bool, c *cmdexe.Call) int {
	h := s.host
	h.mu.Lock()
	defer h.mu.Unlock()
	id := strings.ToUpper(name)
	t := h.tasks[id]
	switch {
	case t == nil:
		_, _ = io.WriteString(c.Stderr, taskNotFound)
		return 1
	case remove:
		delete(h.tasks, id)
		fmt.Fprintf(c.Stdout, "SUCCESS: The scheduled task \"%s\" was successfully deleted.\r\n", name)
	default:
		if t.end != nil {
			t.end()
		}
		fmt.Fprintf(c.Stdout, "SUCCESS: The scheduled task \"%s\" has been terminated successfully.\r\n", name)
	}
	return 0
}
