package campaign

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"oust/remediate"
)

//go:embed init.yaml.tmpl
var initTemplate string

// hostsHeader is the header of an empty hosts.csv.
const hostsHeader = "name,address,port,platform,transport,credential,site,zone,owner,tags\n"

// Init makes a campaign folder with a commented campaign.yaml and an empty
// hosts.csv. The folder may exist; neither file may. What key says of the
// ledger's key is written as it stands.
func Init(dir, mandate string, issued time.Time, key remediate.LedgerSettings) error {
	for _, name := range []string{FileName, "hosts.csv"} {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s is there already; nothing was changed", path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("make the campaign: %w", err)
		}
	}
	if strings.ContainsFunc(mandate, func(r rune) bool { return r <= ' ' || r == '"' || r == '\\' || r > '~' }) || mandate == "" {
		return fmt.Errorf("mandate %q: want a name such as bod-17-01", mandate)
	}
	text, err := initText(dir, mandate, issued, key)
	if err != nil {
		return fmt.Errorf("make the campaign: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the campaign: %w", err)
	}
	if err := writeNew(filepath.Join(dir, "hosts.csv"), hostsHeader); err != nil {
		return err
	}
	return writeNew(filepath.Join(dir, FileName), text)
}

// initText fills the template.
func initText(dir, mandate string, issued time.Time, key remediate.LedgerSettings) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	t, err := template.New(FileName).Parse(initTemplate)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = t.Execute(&text, struct {
		Name, Mandate, Issued string
		Ledger                remediate.LedgerSettings
	}{campaignName(filepath.Base(abs)), mandate, issued.Format(time.DateOnly), key})
	return text.String(), err
}

// campaignName makes a name of a folder's name.
func campaignName(base string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, base)
	if strings.Trim(name, "-.") == "" {
		return "campaign"
	}
	return name[:min(len(name), maxName)]
}

// writeNew writes a file that must not exist.
func writeNew(path, text string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make the campaign: %w", err)
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	if _, err = f.WriteString(text); err != nil {
		return fmt.Errorf("make the campaign: write %s: %w", path, err)
	}
	return nil
}
