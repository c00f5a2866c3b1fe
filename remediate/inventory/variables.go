package inventory

import (
	"fmt"
	"strings"
)

// variable is a setting of a group or a host that oust has a use for. No other
// is kept: an inventory may hold secrets.
type variable struct {
	id    varID
	value value
	place Place
}

// value is what a file gives a variable.
type value struct {
	text string
	kind valueKind
}

type valueKind uint8

const (
	valueText valueKind = iota
	valueNone           // null
	valueList           // text holds the words, joined by commas
	valueMap
	valueTemplate // text is for Ansible to evaluate
	valueVault
)

// varID names a variable. Those of a connection come in threes, one three for
// each prefix; those that are ours are varOurs and the column.
type varID uint8

const (
	partHost varID = iota
	partPort
	partUser
	numParts
)

const (
	varConnection = varID(len(prefixes)) * numParts
	varPriority   = varConnection + 1
	varOurs       = varPriority + 1
	numVars       = varOurs + varID(numColumns)
)

// prefixes of host, port and user. The plain one holds for every connection;
// see the variables in the documentation of Ansible's connection plugins.
var prefixes = [...]string{"ansible_", "ansible_ssh_", "ansible_paramiko_", "ansible_winrm_", "ansible_psrp_"}

const ourPrefix = "oust_"

// varNames are the variables that oust knows, by id; ids is the way back.
var (
	varNames = variableNames()
	ids      = idsOf(varNames)
)

func variableNames() (out [numVars]string) {
	out[varConnection], out[varPriority] = "ansible_connection", "ansible_group_priority"
	for i, p := range prefixes {
		for part, name := range []string{"host", "port", "user"} {
			out[varID(i)*numParts+varID(part)] = p + name
		}
	}
	for c, name := range columnNames {
		if column(c) != colName {
			out[varOurs+varID(c)] = ourPrefix + name
		}
	}
	return out
}

func idsOf(names [numVars]string) map[string]varID {
	out := map[string]varID{}
	for id, name := range names {
		if name != "" {
			out[name] = varID(id)
		}
	}
	return out
}

// textValue tells plain text from what Ansible would have to work on.
func textValue(s string) value {
	switch {
	case strings.Contains(s, string(vaultMark)):
		return value{kind: valueVault}
	case strings.Contains(s, "{{") || strings.Contains(s, "{%"):
		return value{text: s, kind: valueTemplate}
	}
	return value{text: s}
}

// vaultMark begins what Ansible Vault has encrypted.
var vaultMark = []byte("$ANSIBLE_VAULT;")

// variable keeps what oust has a use for, and warns of what somebody may
// expect it to use.
func (r *report) variable(at Place, name string, v value) (variable, bool) {
	if id, ok := ids[name]; ok {
		return variable{id: id, value: v, place: at}, true
	}
	if strings.HasPrefix(name, ourPrefix) {
		var known []string
		for _, c := range columnNames[1:] {
			known = append(known, ourPrefix+c)
		}
		r.problem(at, "%v", unknown("variable", cut(name), known))
	} else if text := unread(name); text != "" {
		r.warn(at, "", text)
	}
	return variable{}, false
}

// unread says where oust takes from what it does not take from a variable.
func unread(name string) string {
	rest, ok := strings.CutPrefix(name, "ansible_")
	switch {
	case !ok:
		return ""
	case strings.Contains(rest, "pass") || strings.Contains(rest, "private_key"):
		return fmt.Sprintf("%s is not read: oust takes credentials from campaign.yaml", cut(name))
	case strings.HasPrefix(rest, "become") || strings.HasPrefix(rest, "sudo"):
		return fmt.Sprintf("%s is not read: write become into the credential in campaign.yaml", cut(name))
	case strings.HasPrefix(rest, "ssh_") && strings.HasSuffix(rest, "_args"):
		return fmt.Sprintf("%s is not read: oust takes jump hosts and options from ssh_config", cut(name))
	}
	return ""
}
