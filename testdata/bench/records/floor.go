package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"oust/remediate"
)

// The work that no reader of the campaign could save itself.
const (
	floorLines = "lines" // wc -l hosts.csv
	floorRows  = "rows"  // the rows of the store, as lines of text
)

// countLines prints how many lines a file has.
func countLines(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	block, n := make([]byte, 64<<10), 0
	for {
		size, err := f.Read(block)
		n += bytes.Count(block[:size], []byte{'\n'})
		if err == io.EOF {
			fmt.Println(n)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// rowText is all values that the store has of a host, on one line.
func rowText(st remediate.HostState) string {
	findings, err := json.Marshal(st.Findings)
	if err != nil {
		panic(err) // it came out of JSON
	}
	values := []any{
		st.Host, st.Standing, st.Platform, st.OS, string(findings), st.RawDigest, st.SeenAt.UnixMicro(), st.Class, st.Detail, st.Last.Kind,
		st.Last.Class, st.Last.Detail, st.LastAt.UnixMicro(), st.Tries, st.FailedAt.UnixMicro(), st.RemovedAt.UnixMicro(), st.BootID, st.Bare,
		st.BareSince.UnixMicro(), st.Reboots,
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = strings.NewReplacer("\t", " ", "\n", " ").Replace(fmt.Sprint(v))
	}
	return strings.Join(texts, "\t") + "\n"
}

// readRows reads each line, cuts it into its values, and counts the
// standings.
func readRows(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	counts := map[string]int{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		counts[strings.Split(lines.Text(), "\t")[1]]++
	}
	fmt.Println(counts)
	return lines.Err()
}
