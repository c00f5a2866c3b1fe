package winrm

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

var wireMark = regexp.MustCompile(`(?m)^== (request|reply \d+)\n`)

// TestWireRecording reads the replies that pywinrm was satisfied with, each as
// the answer to its request.
func TestWireRecording(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../lab/wsman/testdata/wire/pywinrm.txt")
	if err != nil {
		t.Fatal(err)
	}
	action, replies, faults := "", 0, 0
	marks := wireMark.FindAllSubmatchIndex(text, -1)
	for i, m := range marks {
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		message := bytes.TrimSpace(text[m[1]:end])
		if string(text[m[2]:m[3]]) == "request" {
			found := regexp.MustCompile(`Action[^>]*>([^<]+)<`).FindSubmatch(message)
			if found == nil {
				t.Fatalf("message %d has no action", i)
			}
			action = string(found[1])
			continue
		}
		r, err := parseReply(message, action)
		switch {
		case err != nil && codeOf(err) == codeOperationTimeout:
			faults++
		case err != nil:
			t.Errorf("the reply to %s: %v", action, err)
		case strings.HasSuffix(action, "/Create"):
			if id, err := r.shellID(); err != nil || id == "" {
				t.Errorf("shell %q, %v", id, err)
			}
		case strings.HasSuffix(action, "/Command"):
			if id, err := r.commandID(); err != nil || id == "" {
				t.Errorf("command %q, %v", id, err)
			}
		}
		replies++
	}
	if replies < 10 {
		t.Errorf("%d replies, %d of them faults", replies, faults)
	}
}
