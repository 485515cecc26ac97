package resume

import "sync"

// chunkSize is the unit in which memory is taken and given back.
const chunkSize = 64 << 10

var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// queue is a list of bytes that grows at the end and shrinks at the front,
// without moving them. What space returned may be filled without a lock while
// others drop from the front: a chunk with space left is never given back.
type queue struct {
	list [][]byte // of chunkSize each
	head int      // first byte, in list[0]
	tail int      // first free byte, in the last chunk
	size int
}

// space returns free memory at the end, at least one byte.
func (q *queue) space() []byte {
	if len(q.list) == 0 || q.tail == chunkSize {
		q.list = append(q.list, chunks.Get().(*[chunkSize]byte)[:])
		q.tail = 0
	}
	return q.list[len(q.list)-1][q.tail:]
}

// grow takes the first n bytes of what space returned into the queue.
func (q *queue) grow(n int) {
	q.tail += n
	q.size += n
}

// front returns the first bytes as far as they lie together.
func (q *queue) front() []byte { return q.piece(q.list[0], q.head, 0) }

// piece cuts what is in use out of chunk number i.
func (q *queue) piece(chunk []byte, from, i int) []byte {
	to := chunkSize
	if i == len(q.list)-1 {
		to = q.tail
	}
	return chunk[from:to]
}

// slices appends to out the pieces that hold n bytes from offset on.
func (q *queue) slices(out [][]byte, offset, n int) [][]byte {
	offset += q.head
	for i := offset / chunkSize; n > 0; i++ {
		p := q.piece(q.list[i], offset%chunkSize, i)
		p = p[:min(n, len(p))]
		out = append(out, p)
		n -= len(p)
		offset = 0
	}
	return out
}

// drop takes n bytes off the front.
func (q *queue) drop(n int) {
	q.size -= n
	q.head += n
	for q.head >= chunkSize {
		q.head -= chunkSize
		chunks.Put((*[chunkSize]byte)(q.list[0]))
		q.list[0] = nil
		q.list = q.list[1:]
	}
	if len(q.list) == 0 {
		q.list, q.head, q.tail = nil, 0, 0
	}
}
