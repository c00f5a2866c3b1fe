// Package timing measures programs and sums the measurements up.
package timing

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"oust/testdata/bench/machine"
)

// Sample is what one run of one program took.
type Sample struct {
	Wall time.Duration
	// CPU is the program's own, user and system, with its children's.
	CPU time.Duration
	// Memory is the most that one process of it held, in bytes.
	Memory int64
}

// Run runs a command in a folder to its end, at most for a time, with
// variables beside this process's own. Its output goes to pipes, as when a
// person keeps it; the last of it is in the error of a command that failed,
// which comes with the sample if there is one.
func Run(ctx context.Context, dir string, most time.Duration, env, command []string) (Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	s := Sample{Wall: wall}
	if cmd.ProcessState != nil {
		use := machine.UseOf(cmd.ProcessState)
		s.CPU, s.Memory = use.CPU, use.Memory
	}
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", command[0], err, tail(out.Bytes()))
	}
	return s, err
}

func tail(out []byte) []byte {
	const most = 4000
	return out[max(0, len(out)-most):]
}

// WallOf and CPUOf take one time out of a sample.
func WallOf(s Sample) time.Duration { return s.Wall }

// CPUOf is the client's processor time; see WallOf.
func CPUOf(s Sample) time.Duration { return s.CPU }

// Each takes a time out of each sample; the result is sorted.
func Each(samples []Sample, of func(Sample) time.Duration) []time.Duration {
	out := make([]time.Duration, len(samples))
	for i, s := range samples {
		out[i] = of(s)
	}
	slices.Sort(out)
	return out
}

// Ratio is that of two medians.
func Ratio(ours, theirs []Sample, of func(Sample) time.Duration) float64 {
	return float64(Median(Each(ours, of))) / float64(Median(Each(theirs, of)))
}

// Median is that of sorted values; of an even number, the mean of the middle
// two.
func Median(sorted []time.Duration) time.Duration {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Spread shows the median of sorted values with the smallest and the largest.
func Spread(sorted []time.Duration) string {
	return fmt.Sprintf("%.2f s (%.2f to %.2f)", Median(sorted).Seconds(), sorted[0].Seconds(), sorted[len(sorted)-1].Seconds())
}

// Milliseconds is a time as a number of these.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Memory is the median of the largest process, in MiB.
func Memory(samples []Sample) float64 {
	sizes := make([]int64, len(samples))
	for i, s := range samples {
		sizes[i] = s.Memory
	}
	slices.Sort(sizes)
	return float64(sizes[len(sizes)/2]) / (1 << 20)
}
