package userrules

import (
	"errors"
	"strconv"
	"strings"
)

// Paths says which places of a YAML or JSON document are hidden. The zero
// value hides nothing. It is immutable.
type Paths struct {
	nodes []pathNode
}

// pathNode is one step of a path, in a tree of all paths.
type pathNode struct {
	step     string // a key or an index; "*" is any
	index    int    // step as a number, or -1
	children []uint8
	last     bool
}

// maxPathNodes is what a [Place] has bits for.
const maxPathNodes = 256

// A Place is where a lexer is in a document, for all paths at once. It is
// small, comparable and copied freely: a lexer keeps one on each level of its
// stack.
type Place struct {
	at     [maxPathNodes / 64]uint64 // nodes that lead here
	hidden bool
}

// Empty reports whether no path is set, so that a lexer need not ask.
func (p *Paths) Empty() bool { return p == nil || len(p.nodes) == 0 }

// Root is the place of a whole document.
func (p *Paths) Root() (place Place) {
	if !p.Empty() {
		place.at[0] = 1 // node 0 is the root
	}
	return place
}

// Key steps into the value of a key of a mapping.
func (p *Paths) Key(place Place, key []byte) Place {
	return p.step(place, func(n *pathNode) bool { return n.step == "*" || n.step == string(key) })
}

// Index steps into an element of a sequence, counted from 0.
func (p *Paths) Index(place Place, i int) Place {
	return p.step(place, func(n *pathNode) bool { return n.step == "*" || n.index == i })
}

// Hidden reports whether everything at this place and below is hidden.
func (p Place) Hidden() bool { return p.hidden }

// Dead reports whether no path goes through this place: nothing below is
// hidden, whatever it is.
func (p Place) Dead() bool { return !p.hidden && p.at == [maxPathNodes / 64]uint64{} }

func (p *Paths) step(place Place, matches func(*pathNode) bool) Place {
	if place.hidden || p.Empty() {
		return place
	}
	var next Place
	for w, word := range place.at {
		for ; word != 0; word &= word - 1 {
			n := w*64 + trailingZeros(word)
			for _, c := range p.nodes[n].children {
				if child := &p.nodes[c]; matches(child) {
					next.at[c/64] |= 1 << (c % 64)
					next.hidden = next.hidden || child.last
				}
			}
		}
	}
	return next
}

func trailingZeros(w uint64) int {
	n := 0
	for w&1 == 0 {
		w >>= 1
		n++
	}
	return n
}

// add puts a path into the tree: steps between dots, * for any; \. is a dot in
// a key.
func (p *Paths) add(path string) error {
	steps, err := splitPath(path)
	if err != nil {
		return err
	}
	if len(p.nodes) == 0 {
		p.nodes = []pathNode{{index: -1}}
	}
	at := 0
	for _, s := range steps {
		next := -1
		for _, c := range p.nodes[at].children {
			if p.nodes[c].step == s {
				next = int(c)
			}
		}
		if next < 0 {
			if len(p.nodes) == maxPathNodes {
				return errors.New("too many paths for one file")
			}
			next = len(p.nodes)
			index, err := strconv.Atoi(s)
			if err != nil {
				index = -1
			}
			p.nodes = append(p.nodes, pathNode{step: s, index: index})
			p.nodes[at].children = append(p.nodes[at].children, uint8(next))
		}
		at = next
	}
	p.nodes[at].last = true
	return nil
}

func splitPath(path string) ([]string, error) {
	var steps []string
	var step strings.Builder
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '\\' && i+1 < len(path):
			i++
			step.WriteByte(path[i])
		case c == '.':
			steps = append(steps, step.String())
			step.Reset()
		default:
			step.WriteByte(c)
		}
	}
	steps = append(steps, step.String())
	for _, s := range steps {
		if s == "" {
			return nil, errors.New("a path has no empty steps; write a.b.*.c")
		}
	}
	return steps, nil
}
