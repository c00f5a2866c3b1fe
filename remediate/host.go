package remediate

// Platform is the operating-system family of a host.
type Platform string

// The platforms that oust knows. PlatformUnknown is what an inventory says
// when it says nothing; a probe then decides.
const (
	PlatformUnknown Platform = ""
	Linux           Platform = "linux"
	MacOS           Platform = "macos"
	Windows         Platform = "windows"
)

// Transport names for Host.Transport.
const (
	TransportSSH   = "ssh"
	TransportWinRM = "winrm"
)

// Host is one machine of the inventory.
type Host struct {
	// Name identifies the host within a campaign; unique, case-sensitive,
	// 1 to 253 bytes, no white space, no comma.
	Name string `json:"name"`
	// Address is what is dialled: a DNS name or an IP address without a
	// port. Empty means Name.
	Address string `json:"address,omitempty"`
	// Port is 1 to 65535; 0 means the transport's default.
	Port      int      `json:"port,omitempty"`
	Platform  Platform `json:"platform,omitempty"`
	Transport string   `json:"transport,omitempty"`
	// Credential names an entry of the campaign's credentials.
	Credential string `json:"credential,omitempty"`
	// User overrides the credential's user for this host (ansible_user).
	User string `json:"user,omitempty"`
	Site string `json:"site,omitempty"`
	// Zone is an IANA time zone, such as Europe/Berlin.
	Zone  string   `json:"zone,omitempty"`
	Owner string   `json:"owner,omitempty"`
	Tags  []string `json:"tags,omitempty"`
	// Origin is where the host was written, as file:line.
	Origin string `json:"origin,omitempty"`
}

// DialAddress is Address, or Name where no address was given.
func (h Host) DialAddress() string {
	if h.Address != "" {
		return h.Address
	}
	return h.Name
}

// HasTag reports whether the host carries the tag.
func (h Host) HasTag(tag string) bool {
	for _, t := range h.Tags {
		if t == tag {
			return true
		}
	}
	return false
}
