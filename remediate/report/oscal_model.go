package report

// The types below are the parts of OSCAL's plan of action and milestones that
// a report fills, named as NIST's oscal_poam_metaschema.xml names them
// (github.com/usnistgov/OSCAL, v1.1.3).
type (
	oscalMetadata struct {
		Title              string             `json:"title"`
		LastModified       string             `json:"last-modified"`
		Version            string             `json:"version"`
		OSCALVersion       string             `json:"oscal-version"`
		DocumentIDs        []oscalDocumentID  `json:"document-ids,omitempty"`
		Props              []oscalProp        `json:"props,omitempty"`
		Roles              []oscalRole        `json:"roles,omitempty"`
		Parties            []oscalParty       `json:"parties,omitempty"`
		ResponsibleParties []oscalResponsible `json:"responsible-parties,omitempty"`
		Remarks            string             `json:"remarks,omitempty"`
	}
	oscalDocumentID struct {
		Scheme     string `json:"scheme,omitempty"`
		Identifier string `json:"identifier"`
	}
	oscalProp struct {
		Name  string `json:"name"`
		NS    string `json:"ns,omitempty"`
		Value string `json:"value"`
	}
	oscalRole struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	oscalParty struct {
		UUID    string       `json:"uuid"`
		Type    string       `json:"type"` // person or organization
		Name    string       `json:"name,omitempty"`
		Props   []oscalProp  `json:"props,omitempty"`
		Mails   []string     `json:"email-addresses,omitempty"`
		Phones  []oscalPhone `json:"telephone-numbers,omitempty"`
		Members []string     `json:"member-of-organizations,omitempty"`
		Remarks string       `json:"remarks,omitempty"`
	}
	oscalPhone struct {
		Number string `json:"number"`
	}
	oscalResponsible struct {
		Role    string   `json:"role-id"`
		Parties []string `json:"party-uuids"`
	}
	oscalSystemID struct {
		Type string `json:"identifier-type,omitempty"`
		ID   string `json:"id"`
	}
)

// What was looked at, and with what.
type (
	oscalAssets struct {
		Components []oscalComponent `json:"components"`
		Platforms  []oscalPlatform  `json:"assessment-platforms"`
	}
	oscalPlatform struct {
		UUID string     `json:"uuid"`
		Uses []oscalUse `json:"uses-components"`
	}
	oscalUse struct {
		Component string      `json:"component-uuid"`
		Props     []oscalProp `json:"props,omitempty"`
	}
	oscalComponent struct {
		UUID        string      `json:"uuid"`
		Type        string      `json:"type"`
		Title       string      `json:"title"`
		Description string      `json:"description"`
		Props       []oscalProp `json:"props,omitempty"`
		Status      oscalState  `json:"status"`
	}
	oscalState struct {
		State string `json:"state"`
	}
	oscalInventoryItem struct {
		UUID        string      `json:"uuid"`
		Description string      `json:"description"`
		Props       []oscalProp `json:"props,omitempty"`
		Has         []oscalUse  `json:"implemented-components,omitempty"`
		Remarks     string      `json:"remarks,omitempty"`
	}
)

// What was seen, what it means, and what is done about it.
type (
	oscalObservation struct {
		UUID        string          `json:"uuid"`
		Title       string          `json:"title"`
		Description string          `json:"description"`
		Props       []oscalProp     `json:"props,omitempty"`
		Methods     []string        `json:"methods"`
		Types       []string        `json:"types,omitempty"`
		Origins     []oscalOrigin   `json:"origins,omitempty"`
		Subjects    []oscalSubject  `json:"subjects,omitempty"`
		Evidence    []oscalEvidence `json:"relevant-evidence,omitempty"`
		Collected   string          `json:"collected"`
	}
	oscalOrigin struct {
		Actors []oscalActor `json:"actors"`
	}
	oscalActor struct {
		Type string `json:"type"`
		UUID string `json:"actor-uuid"`
	}
	oscalSubject struct {
		UUID string `json:"subject-uuid"`
		Type string `json:"type"`
	}
	oscalEvidence struct {
		Href        string `json:"href,omitempty"`
		Description string `json:"description"`
	}
	oscalRisk struct {
		UUID         string             `json:"uuid"`
		Title        string             `json:"title"`
		Description  string             `json:"description"`
		Statement    string             `json:"statement"`
		Props        []oscalProp        `json:"props,omitempty"`
		Status       string             `json:"status"`
		Origins      []oscalOrigin      `json:"origins,omitempty"`
		Factors      []oscalFactor      `json:"mitigating-factors,omitempty"`
		Deadline     string             `json:"deadline,omitempty"`
		Remediations []oscalResponse    `json:"remediations,omitempty"`
		Log          *oscalLog          `json:"risk-log,omitempty"`
		Observations []oscalObservedRef `json:"related-observations,omitempty"`
	}
	oscalFactor struct {
		UUID        string         `json:"uuid"`
		Description string         `json:"description"`
		Props       []oscalProp    `json:"props,omitempty"`
		Subjects    []oscalSubject `json:"subjects,omitempty"`
	}
	oscalResponse struct {
		UUID        string      `json:"uuid"`
		Lifecycle   string      `json:"lifecycle"`
		Title       string      `json:"title"`
		Description string      `json:"description"`
		Tasks       []oscalTask `json:"tasks,omitempty"`
	}
	oscalTask struct {
		UUID        string       `json:"uuid"`
		Type        string       `json:"type"` // milestone or action
		Title       string       `json:"title"`
		Description string       `json:"description,omitempty"`
		Props       []oscalProp  `json:"props,omitempty"`
		Timing      *oscalTiming `json:"timing,omitempty"`
	}
	oscalTiming struct {
		On     *oscalOn     `json:"on-date,omitempty"`
		Within *oscalWithin `json:"within-date-range,omitempty"`
	}
	oscalOn struct {
		Date string `json:"date"`
	}
	oscalWithin struct {
		Start string `json:"start"`
		End   string `json:"end"`
	}
	oscalLog struct {
		Entries []oscalEntry `json:"entries"`
	}
	oscalEntry struct {
		UUID        string      `json:"uuid"`
		Title       string      `json:"title"`
		Description string      `json:"description,omitempty"`
		Start       string      `json:"start"`
		Props       []oscalProp `json:"props,omitempty"`
	}
	oscalObservedRef struct {
		UUID string `json:"observation-uuid"`
	}
	oscalRiskRef struct {
		UUID string `json:"risk-uuid"`
	}
	oscalItem struct {
		UUID         string             `json:"uuid"`
		Title        string             `json:"title"`
		Description  string             `json:"description"`
		Props        []oscalProp        `json:"props,omitempty"`
		Origins      []oscalOrigin      `json:"origins,omitempty"`
		Observations []oscalObservedRef `json:"related-observations,omitempty"`
		Risks        []oscalRiskRef     `json:"related-risks,omitempty"`
		Remarks      string             `json:"remarks,omitempty"`
	}
)

// What the plan refers to.
type (
	oscalResource struct {
		UUID        string         `json:"uuid"`
		Title       string         `json:"title"`
		Description string         `json:"description,omitempty"`
		Props       []oscalProp    `json:"props,omitempty"`
		Citation    *oscalCitation `json:"citation,omitempty"`
		Links       []oscalLink    `json:"rlinks,omitempty"`
		Base64      *oscalBase64   `json:"base64,omitempty"`
	}
	oscalCitation struct {
		Text string `json:"text"`
	}
	oscalLink struct {
		Href string `json:"href"`
	}
	oscalBase64 struct {
		Filename  string `json:"filename"`
		MediaType string `json:"media-type"`
		Value     []byte `json:"value"`
	}
)
