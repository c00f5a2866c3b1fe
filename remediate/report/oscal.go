package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
)

// OSCALVersion is the version of OSCAL that WriteOSCAL writes.
const OSCALVersion = "1.1.3"

// oscalNS is the namespace of the properties that are ours. It is a name: the
// domain "invalid" never resolves (RFC 6761).
const oscalNS = "https://oust.invalid/ns/oscal"

// WriteOSCAL writes a snapshot as an OSCAL plan of action and milestones in
// JSON, one list entry a line. The same snapshot gives the same bytes, and
// what two reports of a campaign both tell of has the same UUID in both.
//
// The first item is always the campaign itself, with the mandate's days as
// milestones, so that a report of a fleet on which nothing was found stands on
// its own. Each thing that keeps the campaign from being finished has an
// observation, a risk and an item: a product, hosts that were not seen or
// stand failed (by class), and hosts that are exempt, bare, or on which
// something came back. Hosts of these, and those that had something, are
// inventory items that observations refer to; hosts that were always clear are
// counted in one observation. There are no findings: OSCAL ties those to
// control objectives, which a campaign does not assess.
func WriteOSCAL(w io.Writer, s Snapshot) error {
	if oscalWhen(s.At) == "" {
		return errors.New("write oscal: the snapshot has no time")
	}
	p := newPOAM(&s)
	out := &oscalWriter{w: bufio.NewWriterSize(w, 1<<16)}
	out.raw(`{"plan-of-action-and-milestones":{`)
	out.field("uuid", p.id("poam", string(s.Report)))
	out.field("metadata", p.metadata())
	out.field("system-id", p.systemID())
	out.raw(",\n\"local-definitions\":{")
	out.first = true
	oscalList(out, "components", slices.Values(p.components()))
	oscalList(out, "inventory-items", p.inventory())
	out.field("assessment-assets", p.assets())
	out.raw("}")
	oscalList(out, "observations", slices.Values(p.observations()))
	oscalList(out, "risks", slices.Values(p.risks()))
	oscalList(out, "poam-items", slices.Values(p.items()))
	out.raw(",\n\"back-matter\":{")
	out.first = true
	oscalList(out, "resources", slices.Values(p.resources()))
	out.raw("}}}\n")
	if out.err != nil {
		return fmt.Errorf("write oscal: %w", out.err)
	}
	if err := out.w.Flush(); err != nil {
		return fmt.Errorf("write oscal: %w", err)
	}
	return nil
}

// oscalWriter writes JSON piece by piece: a list of 100,000 hosts never stands
// in memory as text. It keeps the first error.
type oscalWriter struct {
	w     *bufio.Writer
	piece bytes.Buffer
	err   error
	first bool // the next field is the first of its object
}

func (o *oscalWriter) raw(text string) {
	if o.err == nil {
		_, o.err = o.w.WriteString(text)
	}
	o.first = o.first || text[len(text)-1] == '{'
}

func (o *oscalWriter) value(v any) {
	if o.err != nil {
		return
	}
	o.piece.Reset()
	encoder := json.NewEncoder(&o.piece)
	encoder.SetEscapeHTML(false)
	if o.err = encoder.Encode(v); o.err == nil {
		_, o.err = o.w.Write(bytes.TrimRight(o.piece.Bytes(), "\n"))
	}
}

func (o *oscalWriter) name(name string) {
	if !o.first {
		o.raw(",")
	}
	o.first = false
	o.raw("\n\"" + name + "\":")
}

func (o *oscalWriter) field(name string, v any) {
	o.name(name)
	o.value(v)
}

// oscalList writes a list, or nothing where it is empty: OSCAL knows no empty
// lists.
func oscalList[T any](o *oscalWriter, name string, entries iter.Seq[T]) {
	begun := false
	for entry := range entries {
		if begun {
			o.raw(",\n ")
		} else {
			o.name(name)
			o.raw("[\n ")
		}
		begun = true
		o.value(entry)
	}
	if begun {
		o.raw("\n]")
	}
}
