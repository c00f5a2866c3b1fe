package lab

// programs is every simulated program by its name.
func programs() map[string]program {
	systemd := func(k *osKind) bool { return k.systemd }
	manager := func(name string) func(*osKind) bool {
		return func(k *osKind) bool { return k.manager == name }
	}
	busybox := func(k *osKind) bool { return !k.systemd }
	return map[string]program{
		"sh":    {run: sh, process: true},
		"true":  {run: func(*call) int { return 0 }},
		"false": {run: func(*call) int { return 1 }},
		"echo":  {run: echo}, "printf": {run: echo},
		"[": {run: absentBuiltin}, "test": {run: absentBuiltin},

		"cat": {run: cat}, "head": {run: head}, "tail": {run: tail}, "wc": {run: wc},
		"sort": {run: sortLines}, "grep": {run: grep},
		"mkdir": {run: mkdir}, "rmdir": {run: rmdir}, "rm": {run: rm}, "mv": {run: mv},
		"cp": {run: cp}, "ln": {run: ln}, "chmod": {run: chmod}, "touch": {run: touch},
		"readlink": {run: readlink}, "stat": {run: stat}, "ls": {run: ls},
		"sync": {run: func(*call) int { return 0 }},
		"df":   {run: df},

		"sleep": {run: sleep, process: true}, "date": {run: date}, "uname": {run: uname},
		"id": {run: id}, "env": {run: env}, "kill": {run: kill}, "pkill": {run: pkill}, "ps": {run: ps},
		"hostname": {run: hostname},
		"sysctl":   {run: sysctl, dir: "/usr/sbin"},
		"nohup":    {run: nohup, process: true}, "setsid": {run: setsid, process: true},
		"timeout":  {run: timeout, process: true},
		"sudo":     {run: sudo, process: true},
		"shutdown": {run: shutdown, dir: "/usr/sbin", kinds: systemd}, "reboot": {run: reboot, dir: "/usr/sbin"},
		"who":     {run: who},
		"service": {run: service, dir: "/usr/sbin"},

		"systemctl":   {run: systemctl, kinds: systemd},
		"systemd-run": {run: systemdRun, kinds: systemd, process: true},
		"rc-service":  {run: rcService, dir: "/sbin", kinds: busybox},

		"dpkg":       {run: dpkg, kinds: manager(managerDpkg), process: true},
		"dpkg-query": {run: dpkgQuery, kinds: manager(managerDpkg)},
		"rpm":        {run: rpm, kinds: manager(managerRPM), process: true},
	}
}
