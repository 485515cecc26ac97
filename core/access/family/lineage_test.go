package family

import (
	"os"
	"slices"
	"testing"
)

// Whatever is marked, the agent does not end itself, nor those it comes from.
func TestFamilyNeverHoldsTheAgent(t *testing.T) {
	self := os.Getpid()
	all := []process{
		{pid: 1}, {pid: 2, parent: 0}, {pid: self + 1000000, parent: 1}, {pid: self, parent: self + 1000000},
		{pid: self + 2000000, parent: self}, {pid: self + 3000000, parent: self + 2000000}, {pid: self + 4000000, parent: 1},
	}
	in := map[int]bool{0: true, 1: true, self + 1000000: true, self: true, self + 2000000: true}
	got := numbers(withDescendants(in, all))
	slices.Sort(got)
	if want := []int{self + 2000000, self + 3000000}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
