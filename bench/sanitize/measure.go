package main

import (
	"bufio"
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
// queue between.
func pipeline(r io.Reader) (int64, error) {
	pr, pw := io.Pipe()
	copySanitized, err := sanitizer(&sanitize.Key{1, 2, 3}, pw)
	if err != nil {
		return 0, err
	}
	done := make(chan error, 1)
	go func() {
		_, err := compress(bufio.NewReaderSize(pr, 1<<20))
		pr.CloseWithError(err)
		done <- err
	}()
	n, err := copySanitized(r)
	pw.CloseWithError(err)
	if zerr := <-done; err == nil {
		err = zerr
	}
	return n, err
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
