package ssh

import (
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"oust/transports"
	"oust/transports/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformanceRealSSHD(t *testing.T) {
	s := startSSHD(t)
	var log logBuffer
	dialer := func(t *testing.T) transports.Dialer {
		config := s.config()
		config.Logger = log.logger()
		return newDialer(t, config)
	}
	transporttest.Run(t, transporttest.Harness{
		Dialer: dialer, Target: s.target(), Signals: true, Log: log.String,
		UnknownKey: func(t *testing.T) (transports.Dialer, transports.Target) {
			config := s.config()
			config.KnownHosts = []string{t.TempDir() + "/none"}
			return newDialer(t, config), s.target()
		},
		ChangedKey: func(t *testing.T) (transports.Dialer, transports.Target) {
			config := s.config()
			config.KnownHosts = []string{t.TempDir() + "/known"}
			other := writeKey(t, t.TempDir()+"/other", "")
			writeFile(t, config.KnownHosts[0], knownLineOf(s.addr, other.PublicKey()))
			return newDialer(t, config), s.target()
		},
		RefusedPort: func(t *testing.T) (transports.Dialer, transports.Target) {
			target := s.target()
			target.Port = freePort(t)
			return dialer(t), target
		},
		SilentPeer: func(t *testing.T) (transports.Dialer, transports.Target) {
			config, target := s.config(), s.target()
			config.KeyExchange = 50 * time.Millisecond
			target.Address, target.Port = "127.0.0.1", listen(t, func(conn net.Conn) { hold(t, conn) })
			return newDialer(t, config), target
		},
	})
}

// listen serves connections on loopback until the test ends.
func listen(t testing.TB, serve func(net.Conn)) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// hold keeps a connection open without a word until the peer or the test ends.
func hold(t testing.TB, conn net.Conn) {
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go func() {
		<-stop
		_ = conn.Close()
	}()
}
