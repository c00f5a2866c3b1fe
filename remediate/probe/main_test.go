package probe_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

var (
	update = flag.Bool("update", false, "write what the tests got to testdata/probes instead of comparing")
	record = flag.Bool("record", false, "record the hosts of testdata/probes/recorded anew; root only")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
