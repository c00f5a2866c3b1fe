package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestCounter: requests and connections are counted, and bytes pass as they
// are.
func TestCounter(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	defer server.Close()
	c, err := newCounter(t.Context(), server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for _, connection := range []int{3, 1} {
		client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
		for i := range connection {
			body := strings.Repeat("POST / HTTP/1.1\r\n\r\n", 1000*i)
			res, err := client.Post("http://"+c.address().String()+"/", "text/plain", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err != nil || string(got) != body {
				t.Errorf("%d bytes came back of %d: %v", len(got), len(body), err)
			}
		}
		client.CloseIdleConnections()
	}
	if got, want := c.counts(), (counts{2, 4}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestCounterCloses: what is open ends with the counter.
func TestCounterCloses(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(begun)
		<-release
	}))
	defer server.Close()
	c, err := newCounter(t.Context(), server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	done := make(chan error, 1)
	go func() {
		res, err := client.Get("http://" + c.address().String() + "/")
		if err == nil {
			_ = res.Body.Close()
		}
		done <- err
	}()
	<-begun
	c.close()
	if err := <-done; err == nil {
		t.Error("an answer came")
	}
	close(release)
}
