package sqlite

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"oust/remediate"
)

var errPacked = errors.New("the store is damaged: a kept text is not what it was")

// packed is a text as it is kept: raw DEFLATE, or as it is if that is not
// longer.
type packed struct {
	size int
	data []byte
}

// packer compresses, in as many goroutines at a time as there are
// processors: a compressor takes over half a MiB, and hundreds of hosts
// report at once.
type packer struct{ free chan *flate.Writer }

func newPacker() *packer {
	p := &packer{free: make(chan *flate.Writer, runtime.GOMAXPROCS(0))}
	for range cap(p.free) {
		p.free <- nil
	}
	return p
}

func (p *packer) pack(text []byte) (packed, error) {
	w := <-p.free
	defer func() { p.free <- w }()
	var buf bytes.Buffer
	if w == nil {
		var err error
		if w, err = flate.NewWriter(&buf, flate.BestSpeed); err != nil {
			return packed{}, fmt.Errorf("pack: %w", err)
		}
	}
	w.Reset(&buf)
	if _, err := w.Write(text); err != nil {
		return packed{}, fmt.Errorf("pack: %w", err)
	}
	if err := w.Close(); err != nil {
		return packed{}, fmt.Errorf("pack: %w", err)
	}
	if buf.Len() >= len(text) {
		return packed{size: len(text), data: bytes.Clone(text)}, nil
	}
	return packed{size: len(text), data: buf.Bytes()}, nil
}

// unpackers are readers of DEFLATE to be used again: each has a window of 32 KiB.
var unpackers = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}

// unpack returns the text, or nil if none is kept. most bounds its size in
// bytes, whatever the record says.
func (p packed) unpack(most int) ([]byte, error) {
	switch {
	case p.size == 0:
		return nil, nil
	case p.size < 0 || p.size > most || len(p.data) > p.size:
		return nil, errPacked
	case len(p.data) == p.size:
		return p.data, nil
	}
	text := make([]byte, p.size)
	r := unpackers.Get().(io.Reader)
	defer unpackers.Put(r)
	err := r.(flate.Resetter).Reset(bytes.NewReader(p.data), nil)
	if err == nil {
		_, err = io.ReadFull(r, text)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPacked, err)
	}
	return text, nil
}

// unpackRaw is unpack for a raw text, of which the digest is known: what it
// returns is what the host printed, to the bit.
func (p packed) unpackRaw(digest []byte) ([]byte, error) {
	text, err := p.unpack(remediate.MaxRaw)
	if err != nil || text == nil {
		return nil, err
	}
	if sum := sha256.Sum256(text); !bytes.Equal(sum[:], digest) {
		return nil, errPacked
	}
	return text, nil
}
