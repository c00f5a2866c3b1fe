package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// claim is a signed head that says what the first records of a ledger are.
type claim struct {
	name  string // for people
	text  string
	head  Head
	known *Known // nil for a head that is kept with the records
}

// readClaims reads the heads, as far as they can be read without a key.
func (c *checker) readClaims() error {
	heads, err := c.source.Heads(c.ctx)
	if err != nil {
		return fmt.Errorf("read the ledger's heads: %w", err)
	}
	var last int64 = -1
	c.told = map[string]bool{}
	for i, text := range heads {
		c.told[text] = true
		one := claim{name: fmt.Sprintf("the kept head %d of %d", i+1, len(heads)), text: text}
		if c.addClaim(one) && c.claims[len(c.claims)-1].head.Size <= last {
			c.misfit(-1, "%s is not larger than the one before it", one.name)
		}
		if n := len(c.claims); n > 0 {
			last = c.claims[n-1].head.Size
		}
	}
	for i, k := range c.options.Known {
		c.addClaim(claim{name: "the head " + k.Name, text: k.Text, known: &c.options.Known[i]})
	}
	slices.SortStableFunc(c.claims, func(a, b claim) int { return cmp.Compare(a.head.Size, b.head.Size) })
	return nil
}

// addClaim reports whether it could be read.
func (c *checker) addClaim(one claim) bool {
	var err error
	if one.head, err = peekHead(one.text); err == nil && one.head.Size == 0 {
		err = errors.New("it is of no record")
	}
	if err != nil {
		c.misfit(-1, "%s: %v", one.name, err)
		return false
	}
	c.claims = append(c.claims, one)
	return true
}

// peekHead reads a signed head without looking at its signatures.
func peekHead(text string) (Head, error) {
	if len(text) > MaxHead {
		return Head{}, fmt.Errorf("%d bytes are more than the %d that a head may have", len(text), MaxHead)
	}
	_, err := note.Open([]byte(text), nil)
	unknown, ok := errors.AsType[*note.UnverifiedNoteError](err)
	if !ok {
		return Head{}, cmp.Or(err, errHead)
	}
	return parseHead(unknown.Note.Text)
}

// judgeClaims holds the heads of just so many records as were read against them.
func (c *checker) judgeClaims() {
	for len(c.claims) > 0 && c.claims[0].head.Size <= c.next {
		one := c.claims[0]
		c.claims = c.claims[1:]
		c.judge(one)
	}
}

// judge holds a head against the records so far. One that is not well signed
// says nothing of them.
func (c *checker) judge(one claim) {
	if err := c.signed(one); err != nil {
		c.misfit(-1, "%s: %v", one.name, err)
		return
	}
	shown := c.good
	if one.known != nil {
		shown = c.known // whoever has the key has written what is kept here
	}
	if one.head.Size != c.next || c.tree == nil {
		c.misfit(c.suspect(shown), "%s cannot be checked: records or hashes before it are missing", one.name)
		return
	}
	if c.tree.Root() != one.head.Root {
		c.misfit(c.suspect(shown), "%s signs other records: one from %d to %d is not what was signed", one.name, shown, one.head.Size-1)
		return
	}
	c.good = max(c.good, one.head.Size)
	if one.known != nil {
		c.known = c.next
		c.report.Known++
		c.report.KnownHead = one.head
		return
	}
	c.report.Heads++
	c.report.Head, c.report.HeadText = one.head, one.text
}

// suspect is the first record that may be why a head does not fit: that which
// did not fit itself, else the first after those that another head has shown.
func (c *checker) suspect(shown int64) int64 {
	if first := c.report.First; first != nil && first.Record >= shown {
		return first.Record
	}
	return shown
}

// signed checks the signatures of a head.
func (c *checker) signed(one claim) error {
	key := c.key()
	if key == "" {
		return errors.New("no record says which key signs")
	}
	h, n, err := openHead(one.text, []string{key})
	if err != nil {
		return err
	}
	if name, _, _ := strings.Cut(key, "+"); h.Origin != name {
		return fmt.Errorf("it is of %s, and its key of %s", h.Origin, name)
	}
	if h.CampaignID != c.id {
		return fmt.Errorf("it is of the campaign %s, and the store of %s", h.CampaignID, c.id)
	}
	if one.known == nil {
		if s := n.Sigs[0]; one.text != fmt.Sprintf("%s\n— %s %s\n", n.Text, s.Name, s.Base64) {
			return errors.New("it has another signature than the ledger's")
		}
		return nil
	}
	for _, w := range one.known.Witnesses {
		if _, err := OpenHead(one.text, w); err != nil {
			name, _, _ := strings.Cut(w, "+")
			return fmt.Errorf("the witness %s: %w", name, err)
		}
	}
	return nil
}

// newest reads the newest head that is kept; its size is 0 if there is none
// that can be read.
func (c *checker) newest() (claim, error) {
	heads, err := c.source.Heads(c.ctx)
	if err != nil {
		return claim{}, fmt.Errorf("read the ledger's heads: %w", err)
	}
	if len(heads) == 0 {
		return claim{}, nil
	}
	one := claim{name: "the newest head", text: heads[len(heads)-1]}
	if h, err := peekHead(one.text); err == nil { // one that cannot be read was told of before
		one.head = h
	}
	return one, nil
}

// close holds what the newest head says against what was read.
func (c *checker) close(newest claim) {
	if newest.head.Size == c.next && c.next > 0 && !c.told[newest.text] {
		c.judge(newest)
	}
	for _, one := range c.claims {
		if err := c.signed(one); err != nil {
			c.misfit(-1, "%s: %v", one.name, err)
			continue
		}
		c.misfit(c.next, "it is missing: %s is of %d records, and there are %d", one.name, one.head.Size, c.next)
	}
	if covered := c.report.Head.Size; covered < c.next {
		c.misfit(c.suspect(covered), "no kept head covers it and is well signed")
	}
	c.trust()
}

// trust asks whether the key of the newest head is one to believe.
func (c *checker) trust() {
	trusted := c.options.Trusted
	if c.report.Declared = len(trusted) == 0; c.report.Declared && len(c.report.Keys) > 0 {
		trusted = []string{c.report.Keys[0].Key}
	}
	for _, span := range slices.Backward(c.report.Keys) {
		if slices.Contains(trusted, span.Key) {
			c.report.Trusted = span.Key
			return
		}
		if !span.Consent {
			c.misfit(span.From, "heads are signed by the key %s from here on, which is not trusted, and no trusted key has consented to it", shown(span.Key))
			return
		}
	}
}
