package inventory

import (
	"fmt"
	"slices"
	"strings"

	"oust/remediate"
)

// column is a thing that an inventory says of a host.
type column int

const (
	colName column = iota
	colAddress
	colPort
	colUser
	colPlatform
	colTransport
	colCredential
	colSite
	colZone
	colOwner
	colTags
	numColumns
)

// columnNames are the names in a table's header and in our YAML.
var columnNames = []string{"name", "address", "port", "user", "platform", "transport", "credential", "site", "zone", "owner", "tags"}

// otherNames are what columns are often called elsewhere.
var otherNames = map[string]column{
	"host": colName, "hostname": colName, "fqdn": colName, "computername": colName,
	"ip": colAddress, "ip_address": colAddress, "ipaddress": colAddress, "ansible_host": colAddress,
	"ansible_port": colPort, "ssh_port": colPort,
	"username": colUser, "login": colUser, "ansible_user": colUser,
	"os": colPlatform, "connection": colTransport, "protocol": colTransport, "ansible_connection": colTransport,
	"location": colSite, "timezone": colZone, "tz": colZone, "contact": colOwner,
	"group": colTags, "groups": colTags, "labels": colTags,
}

// What columns are called, in a table and in our YAML.
const (
	wordColumn = "column"
	wordKey    = "key"
)

// columnNamed finds a column, or a key of our YAML; the error says what may
// have been meant.
func columnNamed(what, name string) (column, error) {
	if i := slices.Index(columnNames, name); i >= 0 {
		return column(i), nil
	}
	if strings.Contains(name, "passw") {
		return 0, fmt.Errorf("unknown %s %q; oust takes passwords from campaign.yaml alone, as references", what, cut(name))
	}
	near := nearColumn(name)
	if near == "" {
		near = strings.Join(columnNames, ", ")
	}
	hint := ""
	if what == wordColumn {
		hint = fmt.Sprintf(", or x-%s, which is left alone", cut(name))
	}
	return 0, fmt.Errorf("unknown %s %q; did you mean %s%s?", what, cut(name), near, hint)
}

// nearColumn is the column that a name means, or "".
func nearColumn(name string) string {
	if c, ok := otherNames[name]; ok {
		return columnNames[c]
	}
	return remediate.Nearest(name, columnNames)
}

// unknown says what somebody may have meant.
func unknown(what, typed string, known []string) error {
	if near := remediate.Nearest(strings.ToLower(typed), known); near != "" {
		return fmt.Errorf("unknown %s %q; did you mean %q?", what, typed, near)
	}
	const most = 20
	list := strings.Join(known[:min(len(known), most)], ", ")
	return fmt.Errorf("unknown %s %q; there are %s", what, typed, list)
}

// entry is a host as it is written, before any check.
type entry struct {
	place Place
	text  [numColumns]string
	// places of single columns, where they differ from the entry's.
	places map[column]Place
}

// at is where a column's value stands.
func (e *entry) at(c column) Place {
	if p, ok := e.places[c]; ok {
		return p
	}
	return e.place
}

// set gives a column its value and place.
func (e *entry) set(c column, text string, at Place) {
	e.text[c] = text
	if at != e.place {
		if e.places == nil {
			e.places = map[column]Place{}
		}
		e.places[c] = at
	}
}
