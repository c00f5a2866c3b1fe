package lab

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// StateFile is the name of the file in a campaign folder that holds the truth
// about the fleet, as JSON of FleetState.
const StateFile = "lab.json"

const (
	// dumpEvery is how often the state file is written at most.
	dumpEvery = 200 * time.Millisecond
	// dumpShare is how many times longer than a write takes the file is left
	// alone after it.
	dumpShare = 20
)

// HostState is the truth about one host.
type HostState struct {
	HostInfo
	// Installed are the products whose packages are there, in any state but
	// fully removed; Files are the files of products that are still there.
	Installed []string       `json:"installed"`
	Files     []string       `json:"files,omitempty"`
	BootID    string         `json:"boot_id"`
	Counts    map[string]int `json:"counts,omitempty"`
	Starts    []Uninstall    `json:"starts,omitempty"`
	// Restarts is how often the host was restarted, Warnings what people were
	// told before restarts.
	Restarts int      `json:"restarts,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// FleetState is the truth about all hosts.
type FleetState struct {
	Hosts []HostState `json:"hosts"`
}

// State tells the truth about one host.
func (f *Fleet) State(name string) (HostState, error) {
	if w := f.winByName[name]; w != nil {
		return w.state(), nil
	}
	h, err := f.host(name)
	if err != nil {
		return HostState{}, err
	}
	return h.state(), nil
}

func (h *host) state() HostState {
	s := HostState{HostInfo: h.info(), Installed: []string{}, BootID: h.bootIdentity()}
	v := view{t: h.tree, h: h}
	for _, p := range h.image.products.list() {
		if h.packageNamed(p.name) != nil {
			s.Installed = append(s.Installed, p.name)
		}
		for _, file := range slices.Concat(p.files, p.config, p.data) {
			if _, err := v.stat(file, false); err == nil {
				s.Files = append(s.Files, file)
			}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s.Starts = slices.Clone(h.starts)
	s.Restarts, s.Warnings = h.stop.count, slices.Clone(h.stop.warnings)
	s.Counts = maps.Clone(h.counts)
	return s
}

// dumper writes the state file some time after something has changed.
type dumper struct {
	write sync.Mutex // held while the file is written

	mu    sync.Mutex
	path  string
	timer *time.Timer
	took  time.Duration // the last write
	over  bool
	work  sync.WaitGroup
}

// DumpTo keeps the file at the path up to date: it is written now, and some
// time after something has changed (200 ms, or more for a large fleet), by an
// atomic rename.
func (f *Fleet) DumpTo(path string) error {
	f.dump.mu.Lock()
	f.dump.path = path
	f.dump.mu.Unlock()
	return f.writeState(path)
}

// changedState notes that the state file is out of date.
func (f *Fleet) changedState() {
	d := &f.dump
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.path == "" || d.timer != nil || d.over {
		return
	}
	d.work.Add(1)
	path := d.path
	d.timer = time.AfterFunc(max(dumpEvery, dumpShare*d.took), func() {
		defer d.work.Done()
		d.mu.Lock()
		d.timer = nil
		d.mu.Unlock()
		if err := f.writeState(path); err != nil {
			f.config.Logger.Error("the state file cannot be written", "error", err)
		}
	})
}

// close waits for a write that is due.
func (d *dumper) close() {
	d.mu.Lock()
	d.over = true
	if d.timer != nil && d.timer.Stop() {
		d.timer.Reset(0)
	}
	d.mu.Unlock()
	d.work.Wait()
}

func (f *Fleet) writeState(path string) error {
	f.dump.write.Lock()
	defer f.dump.write.Unlock()
	start := time.Now()
	state := FleetState{Hosts: make([]HostState, 0, len(f.hosts)+len(f.windows))}
	for _, h := range f.hosts {
		state.Hosts = append(state.Hosts, h.state())
	}
	for _, w := range f.windows {
		state.Hosts = append(state.Hosts, w.state())
	}
	data, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	if err := replaceFile(path, data, 0o644); err != nil {
		return err
	}
	f.dump.mu.Lock()
	defer f.dump.mu.Unlock()
	f.dump.took = time.Since(start)
	return nil
}

// replaceFile writes a file of the real machine at once or not at all.
func replaceFile(path string, data []byte, perm os.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(perm)
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
