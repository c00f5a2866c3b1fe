//go:build !linux && !darwin

package lab

import (
	"io"
	"net"
)

// checkFileLimit: there is no such limit here.
func checkFileLimit(int) error { return nil }

// holdPort cannot keep the port here; another program may be given it.
func holdPort(*net.TCPAddr) (io.Closer, error) { return nothing{}, nil }

type nothing struct{}

// Close implements io.Closer.
func (nothing) Close() error { return nil }
