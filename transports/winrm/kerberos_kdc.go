package winrm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/messages"

	"oust/transports"
)

// kdcReplyMost bounds an answer of a KDC, in bytes; a ticket of Windows has at
// most 64 KB.
const kdcReplyMost = 256 << 10

// kdcMost bounds how many KDCs are asked for one answer.
const kdcMost = 8

// kdcs reaches the key distribution centers of realms, over TCP alone (RFC
// 4120 section 7.2.2).
type kdcs struct {
	// answer bounds what one KDC may take, connection and answer together.
	answer time.Duration
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	lookup func(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

func newKDCs(answer time.Duration) kdcs {
	return kdcs{answer: answer, dial: (&net.Dialer{}).DialContext, lookup: net.DefaultResolver.LookupSRV}
}

// ask sends a message to a realm's KDCs in turn, until one answers. An error
// is a messages.KRBError if the KDC refused, or else a *kerberosError.
func (k kdcs) ask(ctx context.Context, c *kerberosConf, realm string, message []byte) ([]byte, error) {
	addresses, err := k.find(ctx, c, realm)
	if err != nil {
		return nil, err
	}
	var failures []string
	class := transports.Unreachable
	for _, address := range addresses {
		reply, err := k.askOne(ctx, address, message)
		if err == nil {
			return reply, refusedBy(reply)
		}
		words := transports.Clean(err.Error())
		if transports.IsTimeout(err) || errors.Is(err, context.DeadlineExceeded) {
			words, class = "no answer in "+k.answer.String(), transports.Timeout
		}
		failures = append(failures, address+": "+words)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, &kerberosError{
		class: class, temporary: true, err: fmt.Errorf("no KDC of %s answered (%s)", transports.Clean(realm), transports.Clean(strings.Join(failures, "; "))),
		advice: "is the domain controller up, and its port 88 open for TCP from here?",
	}
}

func refusedBy(reply []byte) error {
	var refused messages.KRBError
	if guarded(func() error { return refused.Unmarshal(reply) }) == nil {
		return refused
	}
	return nil
}

// find lists host:port of a realm's KDCs.
func (k kdcs) find(ctx context.Context, c *kerberosConf, realm string) ([]string, error) {
	addresses := c.kdcs[realm]
	failed := &kerberosError{
		class: transports.Unreachable, err: fmt.Errorf("no KDC of %s is known", transports.Clean(realm)),
		advice: "name it under [realms] in krb5.conf, or have the DNS record _kerberos._tcp." + strings.ToLower(transports.Clean(realm)),
	}
	if len(addresses) == 0 && !c.noLookup {
		ctx, cancel := context.WithTimeout(ctx, k.answer)
		defer cancel()
		_, records, err := k.lookup(ctx, "kerberos", "tcp", strings.TrimSuffix(realm, ".")+".")
		if err != nil {
			failed.err = fmt.Errorf("%w: %s", failed.err, transports.Clean(err.Error()))
			return nil, failed
		}
		for _, r := range records {
			addresses = append(addresses, net.JoinHostPort(strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port))))
		}
	}
	if len(addresses) == 0 {
		return nil, failed
	}
	addresses = slices.Clone(addresses[:min(len(addresses), kdcMost)])
	for i, a := range addresses {
		if _, _, err := net.SplitHostPort(a); err != nil {
			addresses[i] = net.JoinHostPort(strings.Trim(a, "[]"), "88")
		}
	}
	return addresses, nil
}

// askOne is one exchange with one KDC.
func (k kdcs) askOne(ctx context.Context, address string, message []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, k.answer)
	defer cancel()
	conn, err := k.dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() { stop(); _ = conn.Close() }()
	reply, err := converseKDC(conn, message)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return reply, err
}

func converseKDC(conn io.ReadWriter, message []byte) ([]byte, error) {
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...)); err != nil {
		return nil, err
	}
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length == 0 || length > kdcReplyMost {
		return nil, fmt.Errorf("an answer of %d bytes", length)
	}
	reply := make([]byte, length)
	_, err := io.ReadFull(conn, reply)
	return reply, err
}
