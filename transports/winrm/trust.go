package winrm

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"oust/transports"
)

// pinError is a certificate that is not one of Config.Fingerprints.
type pinError struct{ fingerprint string }

func (e *pinError) Error() string {
	return "the certificate is not the expected one; its SHA-256 fingerprint is " + e.fingerprint
}

// trustMost bounds a file of certificates, in bytes.
const trustMost = 4 << 20

// newTrust is the TLS configuration for all hosts, without their names.
func newTrust(c Config) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if c.CAFile != "" {
		pem, err := readBounded(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("winrm: the CA file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("winrm: the CA file %s holds no certificate in PEM", c.CAFile)
		}
	}
	pins, err := parsePins(c.Fingerprints)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Verify == VerifyNone:
		config.InsecureSkipVerify = true
	case len(pins) > 0: // in place of the chain and the name
		config.InsecureSkipVerify = true
		config.VerifyConnection = func(s tls.ConnectionState) error {
			sum := sha256.Sum256(s.PeerCertificates[0].Raw)
			if !slices.Contains(pins, sum) {
				return &pinError{fingerprint: hex.EncodeToString(sum[:])}
			}
			return nil
		}
	}
	return config, nil
}

func parsePins(texts []string) ([][sha256.Size]byte, error) {
	var pins [][sha256.Size]byte
	for _, text := range texts {
		raw, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(text), ":", ""))
		if err != nil || len(raw) != sha256.Size {
			return nil, fmt.Errorf("winrm: fingerprint %q is not a SHA-256 in hexadecimal digits", transports.Clean(text))
		}
		pins = append(pins, [sha256.Size]byte(raw))
	}
	return pins, nil
}

// forHost completes a TLS configuration for one host. With a client
// certificate it is TLS 1.2 at most: Windows asks for the certificate after
// the handshake, by a second one, and what TLS 1.3 has in its place Go does
// not answer.
func forHost(base *tls.Config, address string, a account) (*tls.Config, error) {
	config := base.Clone()
	config.ServerName = address
	if a.auth != authCertificate {
		return config, nil
	}
	cert, err := readBounded(a.cert)
	if err != nil {
		return nil, err
	}
	key, err := readBounded(a.key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, errors.New("the client certificate and its key do not fit, or are not in PEM")
	}
	config.Certificates = []tls.Certificate{pair}
	config.MaxVersion = tls.VersionTLS12
	config.Renegotiation = tls.RenegotiateOnceAsClient
	return config, nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, trustMost+1))
	if err == nil && len(data) > trustMost {
		err = fmt.Errorf("%s is longer than %d bytes", path, trustMost)
	}
	return data, err
}
