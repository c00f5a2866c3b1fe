package windows

import (
	"context"
	"slices"
	"strings"

	"oust/transports/lab/cmdexe"
)

// copyName is what NSIS calls the copy of an uninstaller (nsis.sourceforge.io,
// "Uninstaller").
const copyName = "Un_A.exe"

// uninstallerAt is the uninstaller of a product's own at a path, or nil.
func (s *Session) uninstallerAt(path string) cmdexe.Program {
	for _, p := range s.host.image.products {
		if p.uninstaller == "" || !strings.EqualFold(p.uninstaller, clean(path)) {
			continue
		}
		if _, err := s.host.Files.Stat(p.uninstaller); err != nil {
			return nil
		}
		return func(ctx context.Context, c *cmdexe.Call) int {
			ctx, end := s.host.begin(ctx, path[strings.LastIndexByte(path, '\\')+1:], s.account)
			defer end()
			return s.selfCopying(ctx, p, c)
		}
	}
	return nil
}

// selfCopying starts a copy of the uninstaller, which does the work, and ends
// with 0 at once. Without /S it waits for a person, for ever.
func (s *Session) selfCopying(ctx context.Context, p *Product, c *cmdexe.Call) int {
	h := s.host
	if !slices.Contains(c.Args, "/S") {
		<-ctx.Done()
		return 1
	}
	if !s.account.admin {
		return 1
	}
	h.count(p, c.Getenv("OUST_DIR"))
	if h.victim() == p && h.hasFault(FaultFails) {
		return 2
	}
	temp := clean(c.Getenv("TEMP") + `\~nsuA.tmp\` + copyName)
	_ = h.Files.WriteFile(temp, []byte("MZ"))
	work, end := h.begin(h.life, copyName, s.account) // on the list before this process has gone
	err := h.spawn(func(context.Context) {
		defer end()
		s.goOn(work, p)
		_ = h.Files.Remove(temp)
	})
	if err != nil {
		end()
		return 1
	}
	return 0
}

// goOn is the work of the copy.
func (s *Session) goOn(ctx context.Context, p *Product) {
	h := s.host
	fault := ""
	if h.victim() == p {
		h.mu.Lock()
		fault = h.fault
		h.mu.Unlock()
	}
	switch fault {
	case FaultDrop:
		h.Drop()
	case FaultHangs:
		<-ctx.Done()
	}
	if h.clock.Sleep(ctx, p.Takes) != nil || fault == FaultLies {
		return
	}
	h.remove(p, fault)
	h.changed()
}
