package winrm

import (
	"fmt"
	"strings"

	"github.com/jcmturner/gokrb5/v8/keytab"

	"oust/transports"
)

// readKeytab reads a file of keys.
func readKeytab(path string) (*keytab.Keytab, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	kt, err := parseKeytab(data)
	if err != nil {
		return nil, fmt.Errorf("%s is not a keytab", path)
	}
	return kt, nil
}

func parseKeytab(data []byte) (*keytab.Keytab, error) {
	kt := keytab.New()
	err := guarded(func() error { return kt.Unmarshal(data) })
	return kt, err
}

// cachePath takes a cache's name to a path: FILE:PATH, or PATH.
func cachePath(name string) (string, error) {
	kind, path, typed := strings.Cut(name, ":")
	switch {
	case !typed, strings.Contains(kind, "/"):
		return name, nil
	case strings.EqualFold(kind, "FILE"):
		return path, nil
	}
	return "", fmt.Errorf("credential caches of type %s cannot be read; make one with kinit -c FILE:PATH", transports.Clean(kind))
}

// readCache takes the account and its tickets from a credential cache, as
// kinit leaves it. user, where it is not empty, must be the one of the cache.
func (c *kerberosClient) readCache(name, user string) error {
	path, err := cachePath(name)
	if err != nil {
		return err
	}
	data, err := readBounded(path)
	if err != nil {
		return err
	}
	cache, err := parseCache(data)
	if err != nil {
		return fmt.Errorf("%s is no credential cache: %w", path, err)
	}
	holder, realm := cache.holder.name, cache.holder.realm
	if is := holder.PrincipalNameString(); user != "" && user != is || c.realm != "" && !strings.EqualFold(c.realm, realm) {
		return fmt.Errorf("the credential cache is of %s@%s", transports.Clean(is), transports.Clean(realm))
	}
	c.name, c.realm, c.cached = holder, realm, make(map[string]ticket)
	for _, entry := range cache.entries {
		t := ticket{key: entry.key, until: entry.until}
		if guarded(func() error { return t.ticket.Unmarshal(entry.ticket) }) != nil || !isAES(entry.key.KeyType) {
			continue // settings of the cache itself look like tickets; other keys are not used
		}
		c.cached[t.ticket.SName.PrincipalNameString()] = t
	}
	return nil
}
