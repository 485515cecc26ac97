package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/latchstring/latchstring/core/sanitize"
)

// measure does one kind of work on the corpus and prints what it took.
func measure(name, corpus string) error {
	f, err := os.Open(corpus)
	if err != nil {
		return err
	}
	defer f.Close()
	work, err := worker(name)
	if err != nil {
		return err
	}
	before, begin := usage(), time.Now()
	n, err := work(f)
	if err != nil {
		return err
	}
	after := usage()
	return json.NewEncoder(os.Stdout).Encode(result{
		Bytes: n, CPU: seconds(after) - seconds(before), Wall: time.Since(begin).Seconds(), RSS: after.Maxrss << 10,
	})
}

func usage() (ru syscall.Rusage) {
	syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
	return ru
}

func seconds(ru syscall.Rusage) float64 {
	return float64(ru.Utime.Sec+ru.Stime.Sec) + float64(ru.Utime.Usec+ru.Stime.Usec)/1e6
}

// worker returns what consumes a reader and says how many bytes it read.
func worker(name string) (func(io.Reader) (int64, error), error) {
	switch name {
	case "sanitize":
		return sanitizer(&sanitize.Key{1, 2, 3}, io.Discard)
	case "sanitize-plain":
		return sanitizer(nil, io.Discard)
	case "zstd":
		return compress, nil
	case "pipeline":
		return pipeline, nil
	}
	return nil, fmt.Errorf("no measurement %q", name)
}

func sanitizer(key *sanitize.Key, dst io.Writer) (func(io.Reader) (int64, error), error) {
	s, err := sanitize.New(sanitize.Options{
		Key: key,
		Names: sanitize.Names{
			Hosts:   []string{"web-1", "db-3", "ibox-4.tlv1.corp.example.net"},
			Domains: []string{"corp.example.net"},
			Users:   []string{"anna", "ravi", "svc_monitor", "c.ravi"},
		},
	})
	if err != nil {
		return nil, err
	}
	return func(r io.Reader) (int64, error) {
		res, err := s.Copy(context.Background(), dst, r, sanitize.File{Name: "var/log/corpus.log"})
		return res.In, err
	}, nil
}

func compress(r io.Reader) (int64, error) {
	enc, err := zstd.NewWriter(io.Discard)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(enc, r)
	if err != nil {
		return n, err
	}
	return n, enc.Close()
}

// pipeline sanitizes and compresses, each in its own goroutine, with a bounded
// queue of blocks between.
func pipeline(r io.Reader) (int64, error) {
	q := newQueue(8)
	copySanitized, err := sanitizer(&sanitize.Key{1, 2, 3}, q)
	if err != nil {
		return 0, err
	}
	done := make(chan error, 1)
	go func() { done <- q.drain() }()
	n, err := copySanitized(r)
	q.close()
	if zerr := <-done; err == nil {
		err = zerr
	}
	return n, err
}

// queue hands blocks from the sanitizer to the compressor, so that neither waits
// for the other as long as there is room.
type queue struct {
	full, free chan []byte
}

func newQueue(blocks int) *queue {
	q := &queue{make(chan []byte, blocks), make(chan []byte, blocks)}
	for range blocks {
		q.free <- make([]byte, 0, 256<<10)
	}
	return q
}

// Write implements [io.Writer].
func (q *queue) Write(p []byte) (int, error) {
	q.full <- append((<-q.free)[:0], p...)
	return len(p), nil
}

func (q *queue) close() { close(q.full) }

// drain compresses all blocks. After an error it goes on to empty the queue, so
// that nobody waits for ever.
func (q *queue) drain() error {
	enc, err := zstd.NewWriter(io.Discard)
	for b := range q.full {
		if err == nil {
			_, err = enc.Write(b)
		}
		q.free <- b
	}
	if err != nil {
		return err
	}
	return enc.Close()
}

// headOf copies the first n bytes of a file to a temporary one.
func headOf(path string, n int64) (string, error) {
	in, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, err := os.CreateTemp("", "corpus-head-*")
	if err != nil {
		return "", err
	}
	if _, err := io.CopyN(out, in, n); err != nil && err != io.EOF {
		out.Close()
		os.Remove(out.Name())
		return "", err
	}
	return out.Name(), out.Close()
}
