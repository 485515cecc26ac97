package record

import "fmt"

// maxHeads is how many heads back a counter-signature may be.
const maxHeads = 64

// Head is the newest head of the chain; its Hash is empty before the first
// segment is sealed.
func (r *Recording) Head() Head {
	r.headMu.Lock()
	defer r.headMu.Unlock()
	if len(r.heads) == 0 {
		return Head{Recording: r.o.ID, Segment: -1}
	}
	return r.heads[len(r.heads)-1]
}

// Witness takes a counter-signature of the engineer's client over a head. It
// is checked, and stands in the next segment.
func (r *Recording) Witness(h Head, armored []byte) error {
	if r.o.Witness == nil {
		return fmt.Errorf("recording %s has no witness", r.o.ID)
	}
	r.headMu.Lock()
	defer r.headMu.Unlock()
	known := false
	for _, k := range r.heads {
		known = known || k == h
	}
	if !known {
		return fmt.Errorf("recording %s: head %d was never given out, or long ago", r.o.ID, h.Segment)
	}
	if err := verify(r.o.Witness, NamespaceWitness, h.Message(), armored); err != nil {
		return fmt.Errorf("recording %s: counter-signature of head %d: %w", r.o.ID, h.Segment, err)
	}
	if r.counter == nil || !r.counter.End && r.counter.Segment < h.Segment {
		r.counter = &Counter{Segment: h.Segment, Signature: string(armored)}
	}
	return nil
}

// Finish records the end and waits until all is sealed but the closing record,
// which [Recording.Close] adds. Nothing is recorded any more after it. The head
// that it returns is the one whose end the engineer's client is to counter-sign,
// see [Recording.WitnessEnd].
func (r *Recording) Finish(reason string) (Head, error) {
	var last int
	var noted error
	if err := r.within(func() {
		if r.closed {
			noted = ErrClosed
			return
		}
		if !r.finished {
			if noted = r.lastNote(reason); noted != nil {
				return
			}
			r.finished, r.sum.Reason = true, reason
			if r.file != nil {
				r.rotate()
			}
		}
		last = r.sum.Segments - 1
	}); err != nil {
		return Head{}, err
	}
	if noted != nil {
		return Head{}, noted
	}
	for r.Head().Segment < last {
		r.queue.mu.Lock()
		moved := r.queue.moved
		r.queue.mu.Unlock()
		if r.Head().Segment >= last {
			break
		}
		if err := r.fail.is(); err != nil {
			return Head{}, err
		}
		if err := r.settle(moved); err != nil {
			return Head{}, err
		}
	}
	r.headMu.Lock()
	defer r.headMu.Unlock()
	r.final = true
	return r.heads[len(r.heads)-1], nil
}

// lastNote says in the recording that and why it ends, once.
func (r *Recording) lastNote(reason string) error {
	if r.finished {
		return nil
	}
	return r.note(Note{Kind: Closed, Text: reason})
}

// WitnessEnd takes the counter-signature of the engineer's client over the end,
// that is over what [Recording.Finish] gave. It stands in the closing record.
func (r *Recording) WitnessEnd(h Head, armored []byte) error {
	if r.o.Witness == nil {
		return fmt.Errorf("recording %s has no witness", r.o.ID)
	}
	r.headMu.Lock()
	defer r.headMu.Unlock()
	if !r.final || r.heads[len(r.heads)-1] != h {
		return fmt.Errorf("recording %s: head %d is not its end", r.o.ID, h.Segment)
	}
	if err := verify(r.o.Witness, NamespaceWitness, h.EndMessage(), armored); err != nil {
		return fmt.Errorf("recording %s: counter-signature of the end: %w", r.o.ID, err)
	}
	r.counter = &Counter{Segment: h.Segment, End: true, Signature: string(armored)}
	return nil
}

// Unwitnessed says why the engineer's client does not counter-sign the end. It
// stands in the closing record, unless the signature came all the same.
func (r *Recording) Unwitnessed(why string) {
	r.headMu.Lock()
	defer r.headMu.Unlock()
	r.witnessed.Unwitnessed = why
}

// notWitnessed is what the closing record says of it. What is signed later comes
// too late.
func (r *Recording) notWitnessed() string {
	r.headMu.Lock()
	defer r.headMu.Unlock()
	r.final = false
	switch w := &r.witnessed; {
	case r.counter != nil && r.counter.End:
		w.Unwitnessed = ""
	case w.Unwitnessed == "" && r.o.Witness == nil:
		w.Unwitnessed = "the engineer's client has no key for that"
	case w.Unwitnessed == "":
		w.Unwitnessed = "the engineer's client was not asked"
	}
	return r.witnessed.Unwitnessed
}

func (r *Recording) witnessing() Witnessing {
	r.headMu.Lock()
	defer r.headMu.Unlock()
	return r.witnessed
}

func (r *Recording) takeCounter() *Counter {
	r.headMu.Lock()
	defer r.headMu.Unlock()
	c := r.counter
	r.counter = nil
	return c
}

// end takes from the closing record why the end is not counter-signed.
func (w *Witnessing) end(e End) {
	if w.WitnessedEnd {
		return
	}
	if w.Unwitnessed = e.Unwitnessed; w.Unwitnessed == "" {
		w.Unwitnessed = "its end does not say why"
	}
}
