package asciicast

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWriter(t *testing.T) {
	start := time.Unix(1_790_000_000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	var b bytes.Buffer
	w := NewWriter(&b, `a "title" & more`)
	for _, err := range []error{
		w.Resize(at(0), 100, 30),
		w.Write(at(10), []byte("x\xe2\x82")),
		w.Write(at(20), []byte("\xac <b>\r\n")),
		w.Resize(at(30), 90, 20),
		w.Write(at(5), []byte("\xff")),
		w.Close(at(1000)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := `{"version":2,"width":100,"height":30,"timestamp":1790000000,"title":"a \"title\" & more"}
[0.010000,"o","x"]
[0.020000,"o","€ <b>\r\n"]
[0.030000,"r","90x20"]
[0.030000,"o","` + "\uFFFD" + `"]
[1.000000,"m","end"]
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

func TestNothing(t *testing.T) {
	var b bytes.Buffer
	if err := NewWriter(&b, "").Close(time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	if want := `{"version":2,"width":80,"height":24,"timestamp":0}` + "\n" + `[0.000000,"m","end"]` + "\n"; b.String() != want {
		t.Errorf("%q", b.String())
	}
}
