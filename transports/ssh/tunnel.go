package ssh

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"

	"oust/transports"
)

// Tunnel makes a function that opens TCP connections from the last of the
// bastions that jump names, as ProxyJump does: [user@]host[:port], several with
// commas between. A bastion is logged in to once, with the credential, except
// that what ssh_config names for it goes first; it is trusted as every host is.
//
// Errors of the function are of type *transports.Error, without the name of a
// host: the caller knows for which it dials.
func (d *Dialer) Tunnel(jump string, credential transports.Credential) (func(ctx context.Context, network, address string) (net.Conn, error), error) {
	front := &peer{user: credential.User, cred: credential}
	via, err := d.resolver.chain(front, hostSettings{jump: jump}, nil)
	if err != nil {
		return nil, fmt.Errorf("ssh: %w", err)
	}
	if len(via) == 0 {
		return nil, fmt.Errorf("ssh: %q names no bastion", jump)
	}
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, &transports.Error{Class: transports.Internal, Op: opConnect, Err: err}
		}
		p := &peer{address: host}
		if p.port, err = strconv.Atoi(port); err != nil {
			return nil, &transports.Error{Class: transports.Internal, Op: opConnect, Err: err}
		}
		w, release, err := d.hops.through(ctx, p, via, d.cfg.Open)
		if err != nil {
			return nil, err
		}
		return &tunnel{Conn: w, release: sync.OnceFunc(release)}, nil
	}, nil
}

// tunnel is a stream that gives its bastion back when it is closed.
type tunnel struct {
	net.Conn
	release func()
}

// Close ends the stream.
func (t *tunnel) Close() error {
	defer t.release()
	return t.Conn.Close()
}
