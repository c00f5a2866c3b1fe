package campaign

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"oust/remediate"
	"oust/remediate/strictyaml"
)

// file is campaign.yaml as it is written.
type file struct {
	Campaign    string                `yaml:"campaign"`
	Mandate     string                `yaml:"mandate"`
	Issued      date                  `yaml:"issued"`
	Finish      date                  `yaml:"finish"`
	Inventory   words                 `yaml:"inventory"`
	Playbooks   words                 `yaml:"playbooks"`
	Credentials map[string]credential `yaml:"credentials"`
	Secrets     map[string]string     `yaml:"secrets"`
	Defaults    defaults              `yaml:"defaults"`
	SSH         sshSettings           `yaml:"ssh"`
	WinRM       winrmSettings         `yaml:"winrm"`
	Look        look                  `yaml:"look"`
	Concurrency concurrency           `yaml:"concurrency"`
	Waves       []waveSize            `yaml:"waves"`
	Stop        stop                  `yaml:"stop"`
	Windows     []window              `yaml:"windows"`
	Blackouts   []blackout            `yaml:"blackouts"`
	Retry       map[string]any        `yaml:"retry"` // read by hand: person, or a rule
	Watch       watch                 `yaml:"watch"`
	Reboot      reboot                `yaml:"reboot"`
	Reverify    listed                `yaml:"reverify"`
	Timing      timing                `yaml:"timing"`
	Report      form                  `yaml:"report"`
	Ledger      ledgerSettings        `yaml:"ledger"`
}

type credential struct {
	User           string `yaml:"user"`
	Key            string `yaml:"key"`
	KeyPassphrase  string `yaml:"key_passphrase"`
	Certificate    string `yaml:"certificate"`
	Agent          bool   `yaml:"agent"`
	Password       string `yaml:"password"`
	Become         string `yaml:"become"`
	BecomePassword string `yaml:"become_password"`
	Auth           string `yaml:"auth"`
	Realm          string `yaml:"realm"`
	Keytab         string `yaml:"keytab"`
	CCache         string `yaml:"ccache"`
}

type defaults struct {
	Transport  string `yaml:"transport"`
	Credential string `yaml:"credential"`
	Platform   string `yaml:"platform"`
	Zone       string `yaml:"zone"`
	Site       string `yaml:"site"`
}

type sshSettings struct {
	KnownHosts words  `yaml:"known_hosts"`
	HostKeys   string `yaml:"host_keys"`
	Config     string `yaml:"config"`
}

type winrmSettings struct {
	CA           string `yaml:"ca"`
	Fingerprints words  `yaml:"fingerprints"`
	Verify       string `yaml:"verify"`
	Plain        bool   `yaml:"plain"`
	Proxy        string `yaml:"proxy"`
	Jump         string `yaml:"jump"`
	JumpCred     string `yaml:"jump_credential"`
	Krb5Conf     string `yaml:"krb5_conf"`
}

type look struct {
	PowerShell bool `yaml:"powershell"`
}

type concurrency struct {
	Hosts   *int `yaml:"hosts"`
	PerSite *int `yaml:"per_site"`
}

type stop struct {
	Failed      *share          `yaml:"failed"`
	FailedHosts *int            `yaml:"failed_hosts"`
	Unreachable *share          `yaml:"unreachable"`
	BareHosts   *int            `yaml:"bare_hosts"`
	Classes     map[string]word `yaml:"classes"`
}

type timing struct {
	Connect    duration `yaml:"connect"`
	Probe      duration `yaml:"probe"`
	LaunchWait duration `yaml:"launch_wait"`
	Job        duration `yaml:"job"`
	Poll       duration `yaml:"poll"`
	BusyWait   duration `yaml:"busy_wait"`
	PlanExpiry duration `yaml:"plan_expiry"`
	Expected   duration `yaml:"expected"`
}

// words is one string or a list of strings.
type words []string

// UnmarshalYAML takes a string or a list.
func (w *words) UnmarshalYAML(n strictyaml.Node) (err error) {
	*w, err = strictyaml.Texts(n)
	return strictyaml.At(n, err)
}

// date is YYYY-MM-DD.
type date struct{ time.Time }

// UnmarshalYAML takes a date without a time.
func (d *date) UnmarshalYAML(n strictyaml.Node) error {
	return scalar(n, func(s string) (err error) {
		d.Time, err = parseDate(s)
		return err
	})
}

func parseDate(s string) (time.Time, error) {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil || d.Year() < 1990 || d.Year() > 9990 {
		return time.Time{}, fmt.Errorf("%q is not a date such as 2026-10-01", s)
	}
	return d, nil
}

// scalar reads one word and gives an error of its reader the word's place.
func scalar(n strictyaml.Node, read func(string) error) error {
	s, err := strictyaml.Text(n)
	if err == nil {
		err = read(s)
	}
	return strictyaml.At(n, err)
}

// duration is a time such as 30s, 2m or 1h; days are written as 7d.
type duration time.Duration

// UnmarshalYAML takes a number with its unit.
func (d *duration) UnmarshalYAML(n strictyaml.Node) error {
	return scalar(n, func(s string) error {
		v, err := parseDuration(s)
		*d = duration(v)
		return err
	})
}

func parseDuration(s string) (time.Duration, error) {
	v, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		if err == nil && n > 3650 {
			err = errors.New("too long")
		}
		v = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || v <= 0 {
		return 0, fmt.Errorf("%q is not a time such as 30s, 5m or 7d", s)
	}
	return v, nil
}

// share is a percentage, as a number from 0 to 1.
type share float64

// UnmarshalYAML takes 5%.
func (p *share) UnmarshalYAML(n strictyaml.Node) error {
	return scalar(n, func(s string) error {
		v, err := parseShare(s)
		*p = share(v)
		return err
	})
}

func parseShare(s string) (float64, error) {
	number, ok := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(v >= 0 && v <= 100) {
		return 0, fmt.Errorf("%q is not a share from 0%% to 100%%", s)
	}
	return v / 100, nil
}

// waveSize is a number of hosts, or a share such as 25%.
type waveSize remediate.WaveSize

// UnmarshalYAML takes either.
func (w *waveSize) UnmarshalYAML(n strictyaml.Node) error {
	return scalar(n, func(s string) (err error) {
		if strings.HasSuffix(s, "%") {
			if w.Share, err = parseShare(s); err == nil && w.Share == 0 {
				err = errors.New("a wave of 0% takes no host")
			}
			return err
		}
		if w.Hosts, err = strconv.Atoi(s); err != nil || w.Hosts < 1 {
			return fmt.Errorf("%q is not a number of hosts, or a share such as 25%%", s)
		}
		return nil
	})
}
