package scan

import "github.com/latchstring/latchstring/core/sanitize/keyname"

// memo remembers what names of keys mean. A file has few distinct names and
// uses them all the time.
type memo struct {
	slots [1024]memoSlot
}

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
	h := uint32(2166136261)
	for _, c := range name {
		h = (h ^ uint32(c)) * 16777619
	}
	s := &m.slots[(h^h>>15)%1024]
	if int(s.n) == len(name) && string(s.name[:s.n]) == string(name) {
		return s.class, s.kind
	}
	s.class, s.kind = keyname.Classify(name)
	s.n = uint8(copy(s.name[:], name))
	return s.class, s.kind
}
