package main

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"oust/remediate/report"
	"oust/remediate/software"
)

// writeStock writes what was counted in one form.
type writeStock func(w io.Writer, st *stock, products []software.Product) error

// softwareWriter picks the form.
func softwareWriter(s stocktaking, asJSON bool) (writeStock, error) {
	format := s.format
	ending := strings.TrimPrefix(strings.ToLower(filepath.Ext(s.output)), ".")
	switch {
	case format != "":
	case ending == "csv" || ending == "json":
		format = ending
	case asJSON:
		format = "json"
	default:
		format = "text"
	}
	switch format {
	case "text":
		return softwareText, nil
	case "csv":
		return softwareCSV, nil
	case "json":
		return softwareJSON, nil
	}
	return nil, fmt.Errorf("--format %q: it is text, csv or json", format)
}

// span is the days from one to the other.
func span(from, to time.Time) string {
	const day = "2006-01-02"
	if from.Format(day) == to.Format(day) {
		return from.Format(day)
	}
	return from.Format(day) + " to " + to.Format(day)
}

// softwareText is a list for people.
func softwareText(w io.Writer, st *stock, products []software.Product) error {
	looks := fmt.Sprintf("%s: %s installed", plural(len(st.names)-st.end.Failed, "look"), plural(len(products), "product"))
	if !st.end.Oldest.IsZero() {
		looks += "; the looks are of " + span(st.end.Oldest, st.end.Newest)
	}
	out := []string{looks}
	for _, p := range products {
		name, from := p.Name, p.Manager
		if p.Publisher != "" {
			from += ", " + p.Publisher
		}
		if len(p.Versions) == 1 && p.Versions[0].Version != "" {
			name += " " + p.Versions[0].Version
		}
		out = append(out, fmt.Sprintf("%8s  %s (%s)", thousands(p.Hosts), printable(name), printable(from)))
		if len(p.Versions) == 1 {
			continue
		}
		for _, v := range p.Versions {
			text := v.Version
			if text == "" {
				text = "no version"
			}
			out = append(out, fmt.Sprintf("%18s  %s", thousands(v.Hosts), printable(text)))
		}
	}
	return lines(w, out)
}

// softwareCSV has one row a version.
func softwareCSV(w io.Writer, _ *stock, products []software.Product) error {
	return report.WriteTable(w, func(yield func([]string) bool) {
		if !yield([]string{"name", "publisher", "manager", "hosts", "version", "version_hosts"}) {
			return
		}
		for _, p := range products {
			for _, v := range p.Versions {
				if !yield([]string{p.Name, p.Publisher, p.Manager, strconv.Itoa(p.Hosts), v.Version, strconv.Itoa(v.Hosts)}) {
					return
				}
			}
		}
	})
}

// softwareLine is one product in JSON.
type softwareLine struct {
	Type      string            `json:"type"`
	Name      string            `json:"name"`
	Publisher string            `json:"publisher"`
	Manager   string            `json:"manager"`
	Hosts     int               `json:"hosts"`
	Versions  []softwareVersion `json:"versions"`
}

type softwareVersion struct {
	Version string   `json:"version"`
	Hosts   int      `json:"hosts"`
	Names   []string `json:"names"` // of the hosts, sorted
}

// softwareJSON has one line a product, and one that ends it.
func softwareJSON(w io.Writer, st *stock, products []software.Product) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, p := range products {
		line := softwareLine{Type: "software", Name: p.Name, Publisher: p.Publisher, Manager: p.Manager, Hosts: p.Hosts}
		for _, v := range p.Versions {
			names := make([]string, 0, v.Hosts)
			for n := range v.Numbers() {
				names = append(names, st.names[n])
			}
			slices.Sort(names)
			line.Versions = append(line.Versions, softwareVersion{v.Version, v.Hosts, names})
		}
		if err := enc.Encode(line); err != nil {
			return err
		}
	}
	return enc.Encode(st.end)
}

// writeSoftware writes a new file that its owner alone may read: it says much
// about every host. It is whole or not there.
func writeSoftware(path string, put func(io.Writer) error) (err error) {
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text())
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(temporary)))
		}
	}()
	out := bufio.NewWriterSize(f, 1<<16)
	if err = put(out); err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = (reportOutput{path: path}).free(); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
