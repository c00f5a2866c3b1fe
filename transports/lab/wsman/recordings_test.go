package wsman

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
)

var record = flag.Bool("record", false, "record pywinrm's messages anew")

// wireFile holds what pywinrm said and was answered, but for the login: after
// a line "== request" or "== reply STATUS" the message as it was. The client
// that is ours reads the same file (package transports/winrm).
const wireFile = "testdata/wire/pywinrm.txt"

// recorder keeps the messages that pass.
type recorder struct {
	next http.Handler
	mu   sync.Mutex
	text strings.Builder
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	kept := httptest.NewRecorder()
	r.next.ServeHTTP(kept, req)
	if kept.Code != http.StatusUnauthorized && len(body) > 0 {
		r.mu.Lock()
		fmt.Fprintf(&r.text, "== request\n%s\n== reply %d\n%s\n", body, kept.Code, kept.Body)
		r.mu.Unlock()
	}
	for key, values := range kept.Header() {
		w.Header()[key] = values
	}
	w.WriteHeader(kept.Code)
	_, _ = w.Write(kept.Body.Bytes())
}

// TestRecord writes the recording anew.
func TestRecord(t *testing.T) {
	if !*record {
		return // asked for by -record alone; TestWireRecording reads what it wrote
	}
	s, err := New(Config{Backend: Func(toy), Logins: testLogins, NTLM: true, AllowUnencrypted: true})
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{next: s}
	server := httptest.NewUnstartedServer(r)
	server.Config.ConnContext = s.ConnContext
	server.Start()
	defer func() { server.Close(); _ = s.Close() }()
	results, failure := pywinrm(t, pyJob{
		URL: server.URL + "/wsman", Transport: "ntlm", User: testUser, Password: testPassword, Encryption: "never",
		Commands: []pyCommand{{Line: "both"}, {Line: "cat", Stdin: []string{"one\r\n"}}, {Line: "nonsense"}},
	})
	if failure != "" || len(results) != 3 {
		t.Fatal(results, failure)
	}
	if strings.Contains(r.text.String(), testPassword) {
		t.Fatal("the recording holds the password")
	}
	if err := os.MkdirAll("testdata/wire", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(wireFile, []byte(r.text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

var wireMark = regexp.MustCompile(`(?m)^== (request|reply \d+)\n`)

// TestWireRecording: each recorded request is read as what its action says,
// and refers to the shell that the recorded replies named.
func TestWireRecording(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(wireFile)
	if err != nil {
		t.Fatal(err)
	}
	seen, shell, input := map[string]int{}, "", ""
	marks := wireMark.FindAllSubmatchIndex(text, -1)
	for i, m := range marks {
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		message := bytes.TrimSpace(text[m[1]:end])
		if kind := string(text[m[2]:m[3]]); kind != "request" {
			if id := regexp.MustCompile(`ShellId>([^<]+)<`).FindSubmatch(message); id != nil && shell == "" {
				shell = string(id[1])
			}
			continue
		}
		r, fault := parseRequest(message, 1<<20)
		if fault != nil {
			t.Errorf("message %d: %+v", i, fault)
			continue
		}
		action := r.action[strings.LastIndexByte(r.action, '/')+1:]
		seen[action]++
		if action != "Create" && !strings.EqualFold(r.shellID, shell) {
			t.Errorf("%s is for shell %q, want %q", action, r.shellID, shell)
		}
		if action == "Send" && r.body.Send != nil {
			for _, s := range r.body.Send.Streams {
				data, err := decodeStream(s.Data)
				if err != nil {
					t.Error(err)
				}
				input += string(data)
			}
		}
	}
	if seen["Create"] != 1 || seen["Command"] != 3 || seen["Send"] != 2 || seen["Receive"] < 3 || seen["Signal"] != 3 || seen["Delete"] != 1 || input != "one\r\n" {
		t.Errorf("messages %v, input %q", seen, input)
	}
}
