package scan

import "github.com/latchstring/latchstring/core/sanitize/keyname"

// memo remembers what names of keys mean. A file has few distinct names and
// uses them all the time.
type memo struct {
	slots [1 << memoBits]memoSlot
}

const memoBits = 10

type memoSlot struct {
	name  [48]byte
	n     uint8
	class keyname.Class
	kind  keyname.Kind
}

func (m *memo) classify(name []byte) (keyname.Class, keyname.Kind) {
	if len(name) > 48 || len(name) == 0 {
		return keyname.Classify(name)
	}
	s := &m.slots[hashText(name, 0)>>(64-memoBits)]
	if int(s.n) == len(name) && string(s.name[:s.n]) == string(name) {
		return s.class, s.kind
	}
	s.class, s.kind = keyname.Classify(name)
	s.n = uint8(copy(s.name[:], name))
	return s.class, s.kind
}
