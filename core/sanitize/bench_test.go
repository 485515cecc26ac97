package sanitize

import (
	"bytes"
	"context"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/latchstring/latchstring/core/sanitize/corpus"
	"github.com/latchstring/latchstring/core/sanitize/mask"
)

// cpuTime is what this process has used: on a shared machine it says more
// than the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchText(b *testing.B) []byte {
	b.Helper()
	var buf bytes.Buffer
	if _, err := corpus.New(corpus.Options{}).Write(&buf, 16<<20); err != nil {
		b.Fatal(err)
	}
	return buf.Bytes()
}

// BenchmarkCopy sanitizes and replaces on one core, beside what zstd needs for
// the same text.
func BenchmarkCopy(b *testing.B) {
	text := benchText(b)
	for _, k := range []mask.Kernel{mask.AVX512, mask.AVX2, mask.Portable} {
		if !mask.Available(k) {
			continue
		}
		for _, mode := range []struct {
			name string
			opt  Options
		}{{"pseudonyms", Options{Key: &Key{1}, Names: Names{Hosts: []string{"web-17", "db01"}, Users: []string{"jdoe"}}}}, {"secrets", Options{}}} {
			b.Run(k.String()+"/"+mode.name, func(b *testing.B) {
				s, err := New(mode.opt)
				if err != nil {
					b.Fatal(err)
				}
				st := newStream(s)
				st.scanner.Kernel = k
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				cpu := cpuTime()
				for b.Loop() {
					st.reset(File{})
					if _, _, err := st.run(context.Background(), io.Discard, bytes.NewReader(text)); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(text))*float64(b.N)/1e6/(cpuTime()-cpu).Seconds(), "MB/cpu-s")
			})
		}
	}
	b.Run("zstd", func(b *testing.B) {
		w, err := zstd.NewWriter(io.Discard, zstd.WithEncoderConcurrency(1))
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(text)))
		cpu := cpuTime()
		for b.Loop() {
			w.Reset(io.Discard)
			_, _ = w.Write(text)
			_ = w.Close()
		}
		b.ReportMetric(float64(len(text))*float64(b.N)/1e6/(cpuTime()-cpu).Seconds(), "MB/cpu-s")
	})
}
