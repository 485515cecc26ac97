package side

import (
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/record"
)

var head = record.Head{Recording: "con-0123abcd", Segment: 7, Hash: strings.Repeat("0a", 32)}

func TestRoundTrip(t *testing.T) {
	h, err := ParseHead(EncodeHead(head))
	if err != nil || h != head {
		t.Errorf("ParseHead = %v, %v", h, err)
	}
	c, err := ParseCounter(EncodeCounter(Counter{Head: head, End: true, Signature: []byte("signature")}))
	if err != nil || c.Head != head || !c.End || string(c.Signature) != "signature" {
		t.Errorf("ParseCounter = %v, %v", c, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(EncodeHead(head))
	f.Add(EncodeCounter(Counter{Head: head, Signature: []byte("s")}))
	f.Add([]byte(`{"recording":"../../x","segment":-1,"hash":""}`))
	f.Fuzz(func(t *testing.T, p []byte) {
		if h, err := ParseHead(p); err == nil && check(h) != nil {
			t.Errorf("ParseHead took %v", h)
		}
		if c, err := ParseCounter(p); err == nil && check(c.Head) != nil {
			t.Errorf("ParseCounter took %v", c)
		}
	})
}
