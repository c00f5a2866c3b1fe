package winrm

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/jcmturner/gokrb5/v8/types"
)

// cache is a credential cache in MIT's file format, versions 3 and 4
// (https://web.mit.edu/kerberos/krb5-latest/doc/formats/ccache_file_format.html).
// The library's own reader takes memory for lengths that the file does not
// have.
type cache struct {
	holder  principal
	entries []cacheEntry
}

type principal struct {
	name  types.PrincipalName
	realm string
}

type cacheEntry struct {
	key    types.EncryptionKey
	until  time.Time
	ticket []byte
}

// componentsMost bounds the parts of a principal's name, and what a ticket is
// bound to.
const componentsMost = 64

func parseCache(data []byte) (cache, error) {
	var c cache
	r := &cacheReader{rest: data}
	version := r.number(2)
	if version == 0x0504 {
		r.bytes(r.number(2)) // settings of the file
	} else if version != 0x0503 {
		return c, errors.New("another format")
	}
	c.holder = r.principal()
	for !r.short && len(r.rest) > 0 {
		c.entries = append(c.entries, r.entry(version == 0x0503))
	}
	if r.short {
		return cache{}, errors.New("cut off")
	}
	return c, nil
}

// cacheReader reads big-endian numbers and counted bytes; short is set where
// there were not enough of them.
type cacheReader struct {
	rest  []byte
	short bool
}

func (r *cacheReader) bytes(n uint32) []byte {
	if r.short || uint64(n) > uint64(len(r.rest)) {
		r.short, r.rest = true, nil
		return nil
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

// number reads one of 2 or 4 bytes.
func (r *cacheReader) number(size int) uint32 {
	b := r.bytes(uint32(size))
	switch {
	case b == nil:
		return 0
	case size == 2:
		return uint32(binary.BigEndian.Uint16(b))
	}
	return binary.BigEndian.Uint32(b)
}

func (r *cacheReader) counted() []byte { return r.bytes(r.number(4)) }

func (r *cacheReader) principal() principal {
	p := principal{name: types.PrincipalName{NameType: int32(r.number(4))}}
	count := r.number(4)
	p.realm = string(r.counted())
	if count > componentsMost {
		r.short = true
	}
	for range min(count, componentsMost) {
		p.name.NameString = append(p.name.NameString, string(r.counted()))
	}
	return p
}

// entry reads one ticket.
func (r *cacheReader) entry(typeTwice bool) cacheEntry {
	r.principal()
	r.principal()
	var e cacheEntry
	e.key.KeyType = int32(int16(r.number(2)))
	if typeTwice {
		r.number(2)
	}
	e.key.KeyValue = r.counted()
	r.bytes(8) // when the account logged in, and the ticket begins
	e.until = time.Unix(int64(r.number(4)), 0)
	r.bytes(4 + 1 + 4) // renewable until, kind, flags
	for range 2 {      // addresses, and what else the ticket is bound to
		count := r.number(4)
		if count > componentsMost {
			r.short = true
		}
		for range min(count, componentsMost) {
			r.number(2)
			r.counted()
		}
	}
	e.ticket = r.counted()
	r.counted() // a second ticket
	return e
}
