package playbooks

// Rule is something that is checked about a playbook.
type Rule struct {
	Name     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Meaning  string   `json:"meaning"` // one clause
}

// The names of the rules.
const (
	ruleSyntax     = "syntax"
	ruleRequired   = "required"
	ruleValue      = "value"
	rulePath       = "path"
	ruleForeign    = "foreign-path"
	ruleDetect     = "detect"
	ruleStep       = "step"
	ruleExit       = "exit"
	ruleSecret     = "secret"
	ruleSource     = "source"
	ruleUndetected = "removes-undetected"
	ruleSystem     = "system"
	ruleAfter      = "after"
	ruleName       = "same-name"
	ruleProtection = "protection"
	ruleKind       = "kind"
	// What has gone wrong in the removal scripts of others.
	ruleWin32       = "win32-product"
	ruleExit1603    = "exit-1603"
	ruleReboots     = "reboots"
	ruleUnquoted    = "unquoted"
	ruleWideResidue = "wide-residue"
	ruleWildcard    = "wildcard-delete"
	ruleWide        = "wide-detect"

	warnExitMap    = "no-exit-map"
	warnLeading    = "leading-wildcard"
	warnUnremoved  = "detected-not-removed"
	warnScript     = "script-step"
	warnResidue    = "no-residue"
	warnManual     = "no-manual"
	warnAfterwards = "no-afterwards"
	warnUnverified = "unverified"
	warnShips      = "ships-too"
	warnFillIn     = "fill-in"
)

var rules = []Rule{
	{ruleSyntax, SeverityError, "the text is one YAML document of the right shape, with known keys only"},
	{ruleRequired, SeverityError, "nothing that a playbook must say is missing"},
	{ruleValue, SeverityError, "words, names and numbers are of their form"},
	{rulePath, SeverityError, "paths are absolute, clean and without wildcards, and no folder of the system is removed"},
	{ruleForeign, SeverityError, "what is removed or ended lies below a folder with a name of the product or its vendor"},
	{ruleDetect, SeverityError, "each sign can match the product and cannot match nearly everything"},
	{ruleStep, SeverityError, "a step or residue entry is of exactly one kind, one that its platforms have"},
	{ruleExit, SeverityError, "exit codes have a meaning that is known; a script step must say all of its own"},
	{ruleSecret, SeverityError, "secrets that steps read are declared, and those declared are read"},
	{ruleSource, SeverityError, "every playbook says where its claims come from"},
	{ruleUndetected, SeverityError, "only packages that prove the product are removed"},
	{ruleSystem, SeverityError, "nothing that a host needs to live, to be reached or to run other programs is taken away"},
	{ruleAfter, SeverityError, "after names playbooks that exist and goes in no circle"},
	{ruleName, SeverityError, "playbooks that are used together have distinct names"},
	{ruleProtection, SeverityError, "each sign of protection can hold on the platforms, and a look can answer it"},
	{ruleKind, SeverityError, "a playbook that only finds and reports has nothing that removes"},
	{ruleWin32, SeverityError, "no script asks Win32_Product, which repairs every product that it lists"},
	{ruleExit1603, SeverityError, "no failure of Windows Installer, as 1603, is taken for a success"},
	{ruleReboots, SeverityError, "no step restarts a host, or lets an installer do it"},
	{ruleUnquoted, SeverityError, "variables in a script stand in quotes"},
	{ruleWideResidue, SeverityError, "no folder or key of the whole vendor is removed"},
	{ruleWildcard, SeverityError, "no script deletes by a wildcard or a variable, or what is not the product's own"},
	{ruleWide, SeverityError, "no pattern means common software of another maker"},
	{warnExitMap, SeverityWarning, "an uninstaller step says what the exit codes of its uninstaller mean"},
	{warnLeading, SeverityWarning, "a pattern that begins with a wildcard may match what others make"},
	{warnUnremoved, SeverityWarning, "packages and entries that prove the product are removed by a step"},
	{warnScript, SeverityWarning, "a script step is the last way out; nobody checks what it does"},
	{warnResidue, SeverityWarning, "a playbook with steps lists what may be left behind"},
	{warnManual, SeverityWarning, "manual says what to do about residue that no step removes"},
	{warnAfterwards, SeverityWarning, "afterwards says what protects the host once the product is gone"},
	{warnUnverified, SeverityWarning, "a removal that nobody has verified is tried on a test host first"},
	{warnFillIn, SeverityWarning, "nothing is left that a draft has open"},
	{warnShips, SeverityWarning, "a playbook of your own has another name than those that ship"},
}

// Rules lists all rules, errors first.
func Rules() []Rule { return append([]Rule(nil), rules...) }
