package record

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// What a recording says afterwards is what its maker said.
func TestSummarize(t *testing.T) {
	f := newFixture(t)
	r := f.start(t, "con-sum00001")
	must(t, r.Resize(0, 80, 24))
	must(t, r.Output(0, []byte("hello")))
	for _, n := range []Note{{Kind: Shell}, {Kind: Command, Command: "id"}, {Kind: File, Path: "/x", Direction: Download, Size: 3, SHA256: "ab"}, {Kind: Forward}, {Kind: Refused}} {
		must(t, r.Note(n))
	}
	want, err := r.Close("done")
	must(t, err)
	got, err := Summarize(f.path("con-sum00001"), f.age)
	must(t, err)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Summary{}), cmpopts.EquateApproxTime(time.Microsecond)); diff != "" {
		t.Error(diff)
	}
	if _, err := Summarize(f.path("con-sum00002"), f.age); err == nil {
		t.Error("what is not there has a summary")
	}
}
