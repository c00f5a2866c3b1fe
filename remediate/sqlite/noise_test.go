package sqlite_test

import "math/rand/v2"

// noise is bytes that do not compress, the same at each call.
func noise(n int) []byte {
	var seed [32]byte
	out := make([]byte, n)
	_, _ = rand.NewChaCha8(seed).Read(out) // never fails
	return out
}
