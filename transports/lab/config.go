package lab

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"

	"oust/transports"
)

// mostHosts bounds a fleet: each host has a port of its own.
const mostHosts = 20_000

// Config says what fleet to simulate. The zero value of a field is its
// default.
type Config struct {
	// Hosts is the number of Linux hosts; default 40, or none where there are
	// Windows hosts. With these there may be 1 to 20,000.
	Hosts int
	// Windows is the number of Windows hosts, beside the others; default none.
	Windows int
	// Seed decides the kinds of hosts, their products and their faults.
	Seed uint64
	// Faults is what goes wrong, and on how many hosts.
	Faults FaultMix
	// WindowsFaults is what goes wrong on Windows hosts; see WindowsFaults.
	WindowsFaults FaultMix
	// Clean is the share of hosts that have none of the products, 0 to 1.
	Clean float64
	// LoggedOn is the share of hosts on which somebody is logged on until the first
	// restart, 0 to 1.
	LoggedOn float64
	// Speed is how many times faster than real time the hosts live; default 1.
	Speed float64
	// Clock is the hosts' time; default NewClock(Speed).
	Clock Clock
	// Listen is the address to listen on, without a port; default 127.0.0.1.
	Listen string
	// Offline opens no port and makes no certificates: hosts are reached by
	// Fleet.Dialer only, and have addresses that are made up. Whatever waits
	// then waits for a channel or a timer, so that a fleet with the default
	// clock and speed, started in a testing/synctest bubble, lives in its time.
	Offline bool
	// Password is the password of the accounts ops and deploy; a random one
	// if it is empty.
	Password transports.Secret
	// ProductPassword is what the products of Windows hosts ask for; none if it
	// is empty.
	ProductPassword transports.Secret
	// Says is what every uninstaller prints beside its own words, with secrets
	// that it was given, say; on Windows it stands in Windows Installer's log.
	Says string
	// Delay is what each packet of a slow host waits, in real time; default
	// 200 ms.
	Delay time.Duration
	// Logger takes what happens; default none.
	Logger hclog.Logger
}

// WithDefaults returns c with its zero fields filled.
func (c Config) WithDefaults() Config {
	if c.Hosts == 0 && c.Windows == 0 {
		c.Hosts = 40
	}
	if c.Speed == 0 {
		c.Speed = 1
	}
	if c.Clock == nil && c.Speed > 0 {
		c.Clock = NewClock(c.Speed)
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1"
	}
	if c.Delay == 0 {
		c.Delay = 200 * time.Millisecond
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Hosts < 0 || c.Windows < 0 || c.Hosts > mostHosts || c.Windows > mostHosts || c.Hosts+c.Windows < 1 || c.Hosts+c.Windows > mostHosts:
		return fmt.Errorf("lab: %d hosts; want 1 to %d", c.Hosts+c.Windows, mostHosts)
	case !(c.Speed > 0) || c.Speed > 10_000:
		return fmt.Errorf("lab: speed %v; want more than 0, at most 10000", c.Speed)
	case !(c.Clean >= 0 && c.Clean <= 1):
		return fmt.Errorf("lab: clean %v; want a share from 0 to 1", c.Clean)
	case !(c.LoggedOn >= 0 && c.LoggedOn <= 1):
		return fmt.Errorf("lab: logged on %v; want a share from 0 to 1", c.LoggedOn)
	case c.Delay < 0:
		return errors.New("lab: delay must not be negative")
	}
	if err := c.Faults.validate(c.Hosts, Faults()); err != nil {
		return err
	}
	return c.WindowsFaults.validate(c.Windows, WindowsFaults())
}

// validate reports a fault that there is not, and more faults than hosts.
func (m FaultMix) validate(hosts int, known []Fault) error {
	wanted := 0.0
	for _, f := range m {
		if !isFault(f.Fault, known) {
			return unknownFault(f.Fault, known)
		}
		wanted += float64(f.count(hosts))
	}
	if int(wanted) > hosts {
		return fmt.Errorf("lab: faults for %d hosts, and there are %d", int(wanted), hosts)
	}
	return nil
}

// count is how many of n hosts have the fault; a share above 0 is at least
// one.
func (f FaultShare) count(n int) int {
	if f.Hosts > 0 || f.Share == 0 {
		return f.Hosts
	}
	return max(1, int(f.Share*float64(n)+0.5))
}
