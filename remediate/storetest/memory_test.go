package storetest_test

import (
	"testing"

	"oust/remediate"
	"oust/remediate/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) remediate.Store { return storetest.NewMemory(nil) })
}
