package remediate

import "time"

// Campaign is one mandate carried out on one inventory, as campaign.yaml says
// it. Secrets stand here only as references (env:NAME, file:PATH).
type Campaign struct {
	// Dir is the campaign folder; relative paths in the file start there.
	Dir        string
	Name       string
	Mandate    string
	Issued     time.Time // a date: midnight UTC
	Finish     time.Time // the campaign's own last day; zero means the mandate's
	Inventory  []string
	Playbooks  []string
	Creds      map[string]CredentialSpec
	Secrets    map[string]string // name -> reference
	Defaults   HostDefaults
	SSH        SSHSettings
	WinRM      WinRMSettings
	Look       LookSettings
	Limits     Concurrency
	Waves      []WaveSize
	Stop       StopRules
	Milestones []Milestone
	Timing     Timing
	// Terms is the mandate that Mandate names.
	Terms  Mandate
	Form   Form
	Ledger LedgerSettings
	// Windows are when changes may run; none means at any time. A host to which
	// no window applies is never changed, unless there are none at all.
	Windows   []Window
	Blackouts []Blackout
	// Retry holds the campaign's own rules; schedule.RetryRules has the others.
	Retry  map[Class]RetryRule
	Reboot RebootSettings
	Watch  WatchSettings
	// Reverify is how long after a removal a host is looked at again; nil means
	// 1 and 7 days.
	Reverify []time.Duration
}

// CredentialSpec is how to log in, with references instead of secrets.
type CredentialSpec struct {
	User           string
	Key            string // path of a private key
	KeyPassphrase  string // reference
	Certificate    string // path of an OpenSSH certificate
	Agent          bool   // use ssh-agent
	Password       string // reference
	Become         string // "" or "sudo"
	BecomePassword string // reference; empty with Become means sudo -n
	// Auth is how to log in over WinRM: "ntlm" (the default), "kerberos",
	// "basic" or "certificate".
	Auth string
	// Realm is that of Kerberos, where User does not name it. Keytab and CCache
	// are paths of a keytab and of a credential cache, in place of Password.
	Realm, Keytab, CCache string
}

// HostDefaults fill what an inventory leaves open.
type HostDefaults struct {
	Transport, Credential, Zone, Site string
	Platform                          Platform
}

// SSHSettings are the campaign's trust and routing choices for SSH.
type SSHSettings struct {
	KnownHosts []string // paths
	HostKeys   string   // "strict" (default) or "accept-new"
	Config     string   // path of an ssh_config file, "none" for no file, "" for ~/.ssh/config
}

// WinRMSettings are the campaign's trust and routing choices for WinRM.
type WinRMSettings struct {
	CA           string   // path of a PEM file with the roots to trust; "" for the system's
	Fingerprints []string // SHA-256 sums of hosts' certificates; they alone decide then
	Verify       string   // "full" (default) or "none"
	Plain        bool     // HTTP, with messages sealed by the login, in place of TLS
	Proxy        string   // "", http://host:port or socks5://host:port
	// Jump names SSH bastions in front, as ProxyJump does; JumpCredential is
	// the credential that they are logged in to with.
	Jump, JumpCredential string
	Krb5Conf             string // path of Kerberos' settings; "" for /etc/krb5.conf
}

// LookSettings are what a look asks beyond what every look asks.
type LookSettings struct {
	// PowerShell asks Windows hosts a second question, see probe.PowerShell.
	// It is off by default: a start of PowerShell wakes virus scanners, some
	// sites forbid it, and hives of users are copied for it.
	PowerShell bool
}

// Concurrency bounds hosts in flight.
type Concurrency struct {
	Hosts   int // in all; default 500
	PerSite int // for one site; default 200
}

// WaveSize is either a number of hosts or a share of all of a plan's hosts.
// A share is of the plan's hosts and cumulative sizes never exceed them; see
// remediate/schedule.
type WaveSize struct {
	Hosts int
	Share float64 // 0 < Share <= 1; 0 means Hosts counts
}

// StopRules hold a campaign: no new removal starts until a person has looked.
// A rule fires when its number is exceeded, not when it is reached, so 100%
// never stops. The shares are of the current wave's hosts; numbers are over the
// whole campaign: hosts that stand failed since the last hold was released.
type StopRules struct {
	// Failed is the share of failed hosts of all classes but unreachable.
	Failed float64
	// FailedHosts is a number of failed hosts, all classes but unreachable;
	// negative means no such rule.
	FailedHosts int
	// Unreachable is the share of unreachable hosts.
	Unreachable float64
	// Classes are rules for single classes, over the whole campaign.
	Classes []ClassStop
	// Bare is a number of hosts that nothing protects after a removal; nil means
	// no such rule.
	Bare *int
}

// Milestone is one day of a mandate.
type Milestone struct {
	Name string    `json:"name"`
	What string    `json:"what"`
	Date time.Time `json:"-"`
}

// LedgerSettings say where the key is that signs the ledger's heads.
type LedgerSettings struct {
	Key string // path; "" for oust.key in the campaign folder
	// Passphrase is a reference to the passphrase of an encrypted key (age),
	// Identity the path of an age identity that opens it.
	Passphrase, Identity string
}

// Timing bounds what a host may take.
type Timing struct {
	Connect    time.Duration // TCP, key exchange and login; default 30 s
	Probe      time.Duration // one look; default 2 min
	LaunchWait time.Duration // how long launch stays for a quick job; default 20 s
	Job        time.Duration // the whole job; default 30 min
	Poll       time.Duration // between looks at a running job; default 15 s
	BusyWait   time.Duration // a script's wait for a package lock; default 1 min
	PlanExpiry time.Duration // default 7 days
	// Expected is what a removal is taken to need before any of its playbook has
	// been measured, with its reboot; default 15 min.
	Expected time.Duration
}

// WithDefaults fills the times that were left at zero.
func (t Timing) WithDefaults() Timing {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&t.Connect, 30*time.Second)
	def(&t.Probe, 2*time.Minute)
	def(&t.LaunchWait, 20*time.Second)
	def(&t.Job, 30*time.Minute)
	def(&t.Poll, 15*time.Second)
	def(&t.BusyWait, time.Minute)
	def(&t.PlanExpiry, 7*24*time.Hour)
	def(&t.Expected, 15*time.Minute)
	return t
}
