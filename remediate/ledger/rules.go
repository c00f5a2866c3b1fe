package ledger

import (
	"encoding/json"
	"fmt"

	"oust/remediate"
)

// NewerRulesError says that records were written by rules that this program
// does not know: it can neither read all of them nor repeat them.
type NewerRulesError struct {
	From  int64 // the first record that was
	Rules int   // see remediate.LedgerRules
}

// Error says what to do.
func (e *NewerRulesError) Error() string {
	return fmt.Sprintf("the records from number %d on were written by a newer oust (rules %d, this one knows up to %d); check them with that version or a later one",
		e.From, e.Rules, remediate.LedgerRules)
}

// RulesOf is the number of the rules that a record's text brings, 0 if it
// brings none. The text does not have to be one that Decode takes: a newer
// program may have written it.
func RulesOf(text []byte) int {
	if kind := kindOf(text); kind != remediate.RecordBegun && kind != remediate.RecordRules {
		return 0
	}
	var r struct {
		Body struct {
			Rules int `json:"rules"`
		} `json:"body"`
	}
	if json.Unmarshal(text, &r) != nil {
		return 0
	}
	return r.Body.Rules
}
