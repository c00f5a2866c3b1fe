package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestDaysText(t *testing.T) {
	got := []string{daysText(30), daysText(1), daysText(0), daysText(-1), daysText(-7)}
	want := []string{"due in 30 days", "due in 1 day", "due today", "late by 1 day", "late by 7 days"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLastLines(t *testing.T) {
	got := lastLines([]byte("one\r\ntwo\r\nthr\ree\r\n"), 2)
	if diff := cmp.Diff([]string{"(1 line before; --full prints it)", "two", "thr\ree"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWrapKeepsEveryWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-zé漢]{1,12}`), 1, 40).Draw(t, "words")
		width := rapid.IntRange(1, 40).Draw(t, "width")
		got := wrap(strings.Join(words, " "), width)
		for _, l := range got {
			if utf8.RuneCountInString(l) > width && strings.Contains(l, " ") {
				t.Fatalf("a line of more than %d: %q", width, l)
			}
		}
		if strings.Join(got, " ") != strings.Join(words, " ") {
			t.Fatalf("%q became %q", words, got)
		}
	})
}
