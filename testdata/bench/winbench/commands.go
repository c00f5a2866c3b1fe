package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"oust/transports/lab/windows"
)

// The work as others do it, in commands that PowerShell and cmd read alike
// but for what stands between two of them.

// lookCommands list what is installed, and the services.
var lookCommands = []string{
	`reg query HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall /s`,
	`reg query HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall /s`,
	`reg query HKLM\SYSTEM\CurrentControlSet\Services`,
}

const (
	taskName  = "bench"
	startTask = `schtasks /run /tn ` + taskName
	pollTask  = `schtasks /query /tn ` + taskName + ` /v /fo csv /nh`
	dropTask  = `schtasks /delete /tn ` + taskName + ` /f`
	// running stands in the answer to pollTask while the task runs.
	running = `"Running"`
)

// makeTask makes the task that removes; what stands for REMOVALS is one
// removal for each product, joined by an ampersand.
const (
	makeTask = `schtasks /create /tn ` + taskName + ` /tr "cmd /c REMOVALS" /sc once /st 00:00 /ru SYSTEM /rl HIGHEST /f`
	removal  = `msiexec /x CODE /qn /norestart`
)

// codes are the ProductCodes that are looked for.
func codes() []string { return []string{windows.KES.Code, windows.NetworkAgent.Code} }

// lookPlaybook is one task: the raw command of the connection, which needs
// nothing on the host.
func lookPlaybook() string {
	return "- hosts: all\n  gather_facts: false\n  tasks:\n" + lookTask("look")
}

func lookTask(register string) string {
	return fmt.Sprintf("    - name: %[1]s\n      raw: %[2]s\n      register: %[1]s\n      changed_when: false\n",
		register, yamlText(strings.Join(lookCommands, "; ")))
}

// removePlaybook looks, removes by a detached task, waits, and looks again.
func removePlaybook() string {
	var b strings.Builder
	b.WriteString("- hosts: all\n  gather_facts: false\n  vars:\n    codes:\n")
	for _, code := range codes() {
		fmt.Fprintf(&b, "      - %s\n", yamlText(code))
	}
	before, after, _ := strings.Cut(removal, "CODE")
	removals := strings.ReplaceAll(makeTask, "REMOVALS", before+`{{ found | join('`+after+" & "+before+`') }}`+after)
	b.WriteString("    found: \"{{ codes | select('in', look.stdout) | list }}\"\n  tasks:\n" + lookTask("look"))
	fmt.Fprintf(&b, "    - name: remove\n      raw: %s\n      when: found | length > 0\n", yamlText(removals+"; "+startTask))
	fmt.Fprintf(&b, "    - name: wait\n      raw: %s\n      register: state\n      until: %s\n      retries: 300\n      delay: 1\n      changed_when: false\n      when: found | length > 0\n",
		yamlText(pollTask), yamlText(`'`+running+`' not in state.stdout`))
	b.WriteString(lookTask("again"))
	fmt.Fprintf(&b, "      failed_when: codes | select('in', again.stdout) | list | length > 0\n    - name: drop the task\n      raw: %s\n      when: found | length > 0\n", yamlText(dropTask))
	return b.String()
}

// yamlText quotes a text for YAML.
func yamlText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

//go:embed pywinrm.py
var pythonScript string

// pythonJob is what pywinrm.py reads.
func pythonJob(w *work, s settings, scheme, password string) (string, error) {
	type host struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	job := map[string]any{
		"user": "ops", "password": password, "ca": nil, "threads": s.forks,
		"look": strings.Join(lookCommands, " & "), "make": makeTask, "removal": removal, "start": startTask, "poll": pollTask, "drop": dropTask,
		"running": running, "codes": codes(),
	}
	if scheme == "https" {
		job["ca"] = w.path(caFile)
	}
	var hosts []host
	for _, e := range w.endpoints() {
		hosts = append(hosts, host{e.name, fmt.Sprintf("%s://%s:%d/wsman", scheme, e.address, e.port)})
	}
	job["hosts"] = hosts
	text, err := json.Marshal(job)
	return string(text), err
}
