package ssh

import (
	"sync"

	"github.com/hashicorp/go-hclog"
)

// notes logs each warning once, whatever the number of hosts.
type notes struct {
	log  hclog.Logger
	mu   sync.Mutex
	said map[string]bool
}

// notesMost bounds how many warnings are told apart.
const notesMost = 10_000

func (n *notes) once(id, text string, args ...any) {
	n.mu.Lock()
	first := !n.said[id] && len(n.said) < notesMost
	if first {
		if n.said == nil {
			n.said = make(map[string]bool)
		}
		n.said[id] = true
	}
	n.mu.Unlock()
	if first {
		n.log.Warn(text, args...)
	}
}
