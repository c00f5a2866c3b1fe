package lab

import (
	"fmt"
	"strings"
)

const apkLock = "/lib/apk/db/lock"

// apkInstalled is the content of /lib/apk/db/installed.
func apkInstalled(h *host) []byte {
	var b strings.Builder
	for _, p := range h.packages() {
		fmt.Fprintf(&b, "P:%s\nV:%s\nA:%s\n\n", p.name, p.version, p.arch)
	}
	return []byte(b.String())
}
