package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func followed(t *testing.T, tail *Tail) (seqs []uint64) {
	t.Helper()
	if err := tail.Next(func(r Record) bool { seqs = append(seqs, r.Seq); return true }); err != nil {
		t.Fatal(err)
	}
	return seqs
}

func TestFollow(t *testing.T) {
	dir := t.TempDir()
	small := func(l *Log) { l.segSize = 600 }
	l, err := Open(dir, small)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	add := func(n int) {
		for range n {
			if _, err := l.Append(Event{Type: AgentStarted, Actor: "agent"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := Follow(dir, 0)
	if got := followed(t, all); got != nil {
		t.Errorf("an empty log has %v", got)
	}
	add(7)
	if got := fmt.Sprint(followed(t, all)); got != "[1 2 3 4 5 6 7]" {
		t.Error(got)
	}
	if got := followed(t, all); got != nil {
		t.Errorf("again: %v", got)
	}
	add(5)
	if got := fmt.Sprint(followed(t, all)); got != "[8 9 10 11 12]" {
		t.Error(got)
	}
	if got := fmt.Sprint(followed(t, Follow(dir, 9))); got != "[10 11 12]" {
		t.Error(got)
	}
	if got := followed(t, Follow(dir, 100)); got != nil {
		t.Error(got)
	}
	if n, err := Last(dir); n != 12 || err != nil {
		t.Errorf("the last is %d, %v", n, err)
	}
	one := Follow(dir, 3)
	for want := uint64(4); want <= 12; want++ {
		var got uint64
		if err := one.Next(func(r Record) bool { got = r.Seq; return false }); err != nil || got != want {
			t.Fatalf("one at a time: %d, %v; want %d", got, err, want)
		}
	}
}

// A record that a crash tore is not followed, though all that it lacks is its
// newline: its Append never returned.
func TestFollowPassesOverATornRecord(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	first, err := l.Append(Event{Type: AgentStarted, Actor: "agent"})
	if err != nil {
		t.Fatal(err)
	}
	tail := Follow(dir, 0)
	if got := fmt.Sprint(followed(t, tail)); got != "[1]" {
		t.Fatal(got)
	}
	_, line, err := Next(Head{Version: Version, Seq: 1, Hash: first.Hash, Time: first.Time}, first.Time, Event{Type: AgentStopped, Actor: "torn"})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, segmentName(1)), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Write(line[:len(line)-1])
	f.Close()
	if got := followed(t, tail); got != nil {
		t.Fatalf("a torn record was followed: %v", got)
	}
	l.Close()
	l, err = Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Append(Event{Type: AgentStopped, Actor: "after"}); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := tail.Next(func(r Record) bool { got = append(got, r.Actor); return true }); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != "[audit after]" {
		t.Error(got)
	}
}
