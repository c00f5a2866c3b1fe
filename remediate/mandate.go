package remediate

import "time"

// Mandate is what must go, by when, and what has to be told about it. It is
// data: built in, or a file of a person's own.
type Mandate struct {
	Name   string `json:"name"` // such as bod-17-01
	Title  string `json:"title"`
	Issuer string `json:"issuer"`
	// Digest is "sha256:HEX" of the text that it was read from.
	Digest string `json:"digest"`
	// Issued is the date of the real one, zero where it is not said; what days
	// are counted from is the campaign's own date of issue.
	Issued time.Time `json:"issued,omitzero"`
	// Zone is the IANA time zone in which its days begin and end; empty is UTC.
	Zone string `json:"zone,omitempty"`
	// Sources are where its text stands; never empty.
	Sources []string `json:"sources"`
	// Covers and Excludes say in words what it is about and what it is not.
	Covers   []string `json:"covers"`
	Excludes []string `json:"excludes,omitempty"`
	// Embedded: the vendor's code inside other companies' products counts.
	Embedded bool `json:"embedded"`

	Milestones []MilestoneRule `json:"milestones"`
	// Holidays are days, beside Saturday and Sunday, that are no business days.
	Holidays []time.Time `json:"holidays,omitempty"`
	Duties   []Duty      `json:"duties,omitempty"`
	// Reports says what each report must contain. A report that is not named
	// has the items that its kind has by itself.
	Reports     []ReportRule  `json:"reports"`
	Exemptions  ExemptionRule `json:"exemptions"`
	Attestation *Attestation  `json:"attestation,omitempty"`
}

// MilestoneRule is one day of a mandate, before it is counted.
type MilestoneRule struct {
	Name string `json:"name"`
	What string `json:"what"`
	// Due is when.
	Due Due `json:"due"`
	// Met says what meets it; Report is the report of MetReported and
	// MetCompleted, empty for the others.
	Met    MetBy      `json:"met"`
	Report ReportKind `json:"report,omitempty"`
	// Campaign: a campaign may set another date (finish).
	Campaign bool `json:"campaign,omitempty"`
}

// Due is a moment counted from a trigger, or fixed.
type Due struct {
	// Days or BusinessDays after the trigger, at the end of that day; business
	// days are Monday to Friday without the mandate's Holidays.
	Days         int `json:"days,omitempty"`
	BusinessDays int `json:"business_days,omitempty"`
	// From is the trigger: empty is the mandate's issue, FromFound the first
	// finding of the campaign, else the name of an earlier milestone, from whose
	// day it counts.
	From string `json:"from,omitempty"`
	// Date is fixed; then the others are zero.
	Date time.Time `json:"date,omitzero"`
}

// FromFound is the trigger of what counts from the first finding. No milestone
// may have this name.
const FromFound = "found"

// MetBy says what meets a milestone or a duty.
type MetBy string

// What can meet a milestone.
const (
	MetReported  MetBy = "reported"  // the report was handed in
	MetBegun     MetBy = "begun"     // a removal was begun
	MetFinished  MetBy = "finished"  // no host is left that is unseen, present or reappeared, and not exempt
	MetCompleted MetBy = "completed" // it is finished, and the report was handed in after that
)

// MetKinds lists what can meet a milestone.
func MetKinds() []MetBy { return []MetBy{MetReported, MetBegun, MetFinished, MetCompleted} }

// Duty repeats.
type Duty struct {
	Name   string     `json:"name"`
	What   string     `json:"what"`
	Report ReportKind `json:"report"`
	// After names the milestone from whose day it counts; EveryDays is the
	// distance, BusinessDays says that they are business days.
	After        string `json:"after"`
	EveryDays    int    `json:"every_days"`
	BusinessDays bool   `json:"business_days,omitempty"`
	// Until says what ends it: MetFinished or MetCompleted.
	Until MetBy `json:"until"`
}

// ReportRule says what a report must contain.
type ReportRule struct {
	Report ReportKind   `json:"report"`
	Title  string       `json:"title"`
	Items  []ReportItem `json:"items"`
	// Sheet are the columns of a table with one row a host, where the mandate
	// asks for one; empty otherwise.
	Sheet []SheetColumn `json:"sheet,omitempty"`
}

// SheetColumn is a column of a table with one row a host.
type SheetColumn struct {
	Column ColumnKind `json:"column"`
	Title  string     `json:"title"` // as the mandate's own sheet has it
}

// ColumnKind is what a column says of a host.
type ColumnKind string

// What a column can say.
const (
	ColumnName     ColumnKind = "name"
	ColumnAddress  ColumnKind = "address"
	ColumnVersion  ColumnKind = "version" // of what was found, by the last look that found something
	ColumnOS       ColumnKind = "os"
	ColumnEver     ColumnKind = "ever" // Y where something was ever found, N where it was looked for and never found, empty where nobody has looked
	ColumnStanding ColumnKind = "standing"
	ColumnSite     ColumnKind = "site"
	ColumnOwner    ColumnKind = "owner"
	ColumnSeen     ColumnKind = "seen"    // time of the last successful look
	ColumnFound    ColumnKind = "found"   // time of the first finding
	ColumnRemoved  ColumnKind = "removed" // time of the removal
)

// ColumnKinds lists the columns in their order.
func ColumnKinds() []ColumnKind {
	return []ColumnKind{
		ColumnName, ColumnAddress, ColumnVersion, ColumnOS, ColumnEver, ColumnStanding,
		ColumnSite, ColumnOwner, ColumnSeen, ColumnFound, ColumnRemoved,
	}
}

// ReportItem is one thing that a report must contain.
type ReportItem struct {
	// Ref is the mandate's own number for it, such as "a" or "2(b)".
	Ref string `json:"ref,omitempty"`
	// Item is one of the Item constants.
	Item ItemKind `json:"item"`
	// Title is the mandate's own words, shortened.
	Title string `json:"title"`
	// Field names the entry of Form.Fields that answers it, for ItemField.
	Field string `json:"field,omitempty"`
}

// ItemKind is what answers an item.
type ItemKind string

// What can answer an item. Those from ItemAgency on come from the campaign's
// form, and are shown as a gap where it does not say them.
const (
	ItemProducts   ItemKind = "products"   // products found, or the statement that none was
	ItemEndpoints  ItemKind = "endpoints"  // number of endpoints of each
	ItemMethods    ItemKind = "methods"    // how they were identified
	ItemUnseen     ItemKind = "unseen"     // hosts that were not seen, and why
	ItemTimeline   ItemKind = "timeline"   // of removal, from waves and windows
	ItemProgress   ItemKind = "progress"   // against the days left, with the burn-down
	ItemFailures   ItemKind = "failures"   // by class, with what is being done
	ItemExemptions ItemKind = "exemptions" // with their ends
	ItemReappeared ItemKind = "reappeared"
	ItemHosts      ItemKind = "hosts" // one row a host
	ItemEmbedded   ItemKind = "embedded"
	ItemAttest     ItemKind = "attestation"

	ItemAgency       ItemKind = "agency"
	ItemContact      ItemKind = "contact"
	ItemComponents   ItemKind = "components"
	ItemMission      ItemKind = "mission"
	ItemContracts    ItemKind = "contracts"
	ItemRequirements ItemKind = "requirements"
	ItemReplacement  ItemKind = "replacement"
	ItemReplaceTime  ItemKind = "replacement_timeline"
	ItemChallenges   ItemKind = "challenges"
	ItemCosts        ItemKind = "costs"
	ItemField        ItemKind = "field" // any other entry of the form
)

// ItemKinds lists what can answer an item.
func ItemKinds() []ItemKind {
	return []ItemKind{
		ItemProducts, ItemEndpoints, ItemMethods, ItemUnseen, ItemTimeline, ItemProgress, ItemFailures, ItemExemptions,
		ItemReappeared, ItemHosts, ItemEmbedded, ItemAttest,
		ItemAgency, ItemContact, ItemComponents, ItemMission, ItemContracts, ItemRequirements, ItemReplacement,
		ItemReplaceTime, ItemChallenges, ItemCosts, ItemField,
	}
}

// ExemptionRule bounds exemptions.
type ExemptionRule struct {
	// None: the mandate knows no exemptions.
	None bool `json:"none,omitempty"`
	// Grounds are the allowed reasons; empty means any.
	Grounds []Ground `json:"grounds,omitempty"`
	// MaxDays is the longest term; 0 means no limit.
	MaxDays int `json:"max_days,omitempty"`
	// Mitigations: an exemption must say what is done instead.
	Mitigations bool `json:"mitigations,omitempty"`
}

// Ground is an allowed reason of exemptions.
type Ground struct {
	Name string `json:"name"` // such as national-security
	What string `json:"what"`
}

// Attestation is what a person signs.
type Attestation struct {
	// By is who must sign, such as "department-level Chief Information Officer".
	By        string `json:"by"`
	Statement string `json:"statement"`
}

// Form is what a campaign says about itself for reports. Empty fields are
// shown as gaps.
type Form struct {
	Agency         string            `json:"agency,omitempty"`
	Contact        Contact           `json:"contact,omitzero"`
	Components     []string          `json:"components,omitempty"`
	Mission        string            `json:"mission,omitempty"`
	Contracts      []string          `json:"contracts,omitempty"`
	Requirements   map[string]string `json:"requirements,omitempty"` // by control, such as anti-malware
	Replacement    string            `json:"replacement,omitempty"`
	ReplaceBy      string            `json:"replacement_timeline,omitempty"`
	Challenges     []string          `json:"challenges,omitempty"`
	Costs          []Cost            `json:"costs,omitempty"`
	Attest         *Attested         `json:"attestation,omitempty"`
	Fields         map[string]string `json:"fields,omitempty"`           // for ItemField
	SystemID       string            `json:"system_id,omitempty"`        // of the security plan, for OSCAL
	SystemIDScheme string            `json:"system_id_scheme,omitempty"` // a URI
}

// Contact is a point of contact.
type Contact struct {
	Name  string `json:"name"`
	Phone string `json:"phone,omitempty"`
	Mail  string `json:"mail,omitempty"`
}

// Cost is one line of the costs.
type Cost struct {
	What   string `json:"what"`
	Amount string `json:"amount"` // with its currency, as written
}

// Attested is a person's signature under the mandate's statement.
type Attested struct {
	Name  string    `json:"name"`
	Title string    `json:"title"`
	Date  time.Time `json:"date"` // a date
}
