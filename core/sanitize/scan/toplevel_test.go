package scan

import "testing"

// The table of slots knows what the map knows.
func TestTopLevelSlots(t *testing.T) {
	has := func(s string) bool {
		var low [16]byte
		copy(low[:], s)
		return topLevel(&low, len(s))
	}
	for name := range topLevels {
		if !has(name) {
			t.Errorf("%q is not found", name)
		}
	}
	for a := byte('a'); a <= 'z'; a++ {
		for b := byte('a'); b <= 'z'; b++ {
			for _, tail := range []string{"", "m", "t", "fo", "calx", "ternals", "caldomains"} {
				s := string([]byte{a, b}) + tail
				if _, ok := topLevels[s]; ok != has(s) {
					t.Errorf("%q: %v", s, has(s))
				}
			}
		}
	}
}
