package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func random(n int, seed uint64) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	r.Read(b)
	return b
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o640); err != nil {
		t.Fatal(err)
	}
}

// tree lists what is below a directory, with sizes.
func tree(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		fi, err := d.Info()
		rel, _ := filepath.Rel(dir, p)
		out[rel] = fi.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func start(t testing.TB, s *system, o Options) *Transfer {
	t.Helper()
	tr, err := New(s.dial(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

func TestTree(t *testing.T) {
	s := &system{dir: t.TempDir(), commands: true}
	here := t.TempDir()
	big := random(largeFile+12345, 1)
	write(t, here+"/src/big", big)
	write(t, here+"/src/empty", nil)
	write(t, here+"/src/sub/ünï code'$(x)", []byte("hello"))
	for i := range 50 {
		write(t, fmt.Sprintf("%s/src/sub/many/%d", here, i), random(i*1000, uint64(i)))
	}
	if err := os.Symlink("big", here+"/src/link"); err != nil {
		t.Fatal(err)
	}

	up := start(t, s, Options{Recursive: true, Preserve: true})
	p, err := up.Upload(t.Context(), []string{here + "/src"}, "up")
	if err != nil {
		t.Fatal(err)
	}
	res, err := up.Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if res.Compared != 2 || res.Files != 54 || len(res.Uncompared) != 0 {
		t.Errorf("result %+v", res)
	}
	want := tree(t, here+"/src")
	want["link"] = int64(len(big)) // links are followed
	if diff := cmp.Diff(want, tree(t, s.dir+"/up")); diff != "" {
		t.Fatal(diff)
	}

	down := start(t, s, Options{Recursive: true})
	if p, err = down.Download(t.Context(), []string{"up"}, here); err != nil { // into a directory that is there
		t.Fatal(err)
	}
	if _, err = down.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, tree(t, here+"/up")); diff != "" {
		t.Fatal(diff)
	}
	got, err := os.ReadFile(here + "/up/big")
	if err != nil || !bytes.Equal(got, big) {
		t.Error("the large file is another")
	}
	if fi, err := os.Stat(here + "/up/big"); err != nil || fi.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
}

func TestUsage(t *testing.T) {
	s := &system{dir: t.TempDir()}
	write(t, s.dir+"/a.log", []byte("a"))
	write(t, s.dir+"/b.log", []byte("b"))
	write(t, s.dir+"/d/c", []byte("c"))
	here := t.TempDir()
	tr := start(t, s, Options{})
	for name, tt := range map[string]struct {
		sources []string
		target  string
		want    string // "" for success
	}{
		"pattern":                     {[]string{"*.log"}, here, ""},
		"one to a name":               {[]string{"a.log"}, here + "/x", ""},
		"absent":                      {[]string{"nothing"}, here, "no such file"},
		"pattern of nothing":          {[]string{"*.gz"}, here, "nothing is there"},
		"a directory without -r":      {[]string{"d"}, here, "with -r"},
		"several to a name":           {[]string{"a.log", "b.log"}, here + "/y", "no directory"},
		"to a directory that is none": {[]string{"a.log"}, here + "/none/", "no directory"},
	} {
		p, err := tr.Download(t.Context(), tt.sources, tt.target)
		if err == nil {
			_, err = tr.Run(t.Context(), p)
		}
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v; want %q", name, err, tt.want)
		}
	}
}

// A transfer that is cut goes on where it was, and what came of it is the same.
func TestGoesOn(t *testing.T) {
	for _, direction := range []string{"upload", "download"} {
		for _, commands := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s commands %v", direction, commands), func(t *testing.T) {
				there, here, journals := t.TempDir(), t.TempDir(), t.TempDir()
				data := random(40<<20, 7)
				src, dst := there, here
				if direction == "upload" {
					src, dst = here, there
				}
				write(t, src+"/f", data)
				s := &system{dir: there, commands: commands, cut: make(chan struct{}), delay: time.Millisecond}
				run := func(s *system, until int64) (Result, error) {
					tr := start(t, s, Options{Journals: journals, Channels: 2})
					var p *Plan
					var err error
					if direction == "upload" {
						p, err = tr.Upload(t.Context(), []string{here + "/f"}, "f")
					} else {
						p, err = tr.Download(t.Context(), []string{"f"}, here+"/f")
					}
					if err != nil {
						t.Fatal(err)
					}
					if until > 0 {
						go func() {
							for n := int64(0); n < until; n, _ = tr.Progress() {
								time.Sleep(100 * time.Microsecond)
							}
							close(s.cut)
						}()
					}
					return tr.Run(t.Context(), p)
				}
				if _, err := run(s, 15<<20); err == nil {
					t.Fatal("nothing was cut")
				}
				if _, err := os.Stat(dst + "/f"); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("half a file has its name already: %v", err)
				}
				res, err := run(&system{dir: there, commands: commands}, 0)
				if err != nil {
					t.Fatal(err)
				}
				if res.Resumed == 0 || res.Compared != 1 {
					t.Errorf("result %+v; want some resumed, and compared", res)
				}
				got, err := os.ReadFile(dst + "/f")
				if err != nil || !bytes.Equal(got, data) {
					t.Error("the file is another")
				}
				if n := len(tree(t, dst)); n != 1 {
					t.Errorf("%d files are left", n)
				}
				if n := len(tree(t, journals)); n != 0 {
					t.Errorf("%d journals are left", n)
				}
			})
		}
	}
}

// What lies there from before and is not of this file is found by its hash.
func TestFindsWhatChanged(t *testing.T) {
	there, here, journals := t.TempDir(), t.TempDir(), t.TempDir()
	data := random(12<<20, 3)
	write(t, here+"/f", data)
	s := &system{dir: there, commands: true}
	fi, err := os.Stat(here + "/f")
	if err != nil {
		t.Fatal(err)
	}
	j, _, err := openJournal(journals, "", item{from: here + "/f", to: "f", size: fi.Size(), modified: fi.ModTime()}, pieceSize)
	if err != nil {
		t.Fatal(err)
	}
	j.Done[0] = 1 // the first piece is there, it says
	if err := j.keep(); err != nil {
		t.Fatal(err)
	}
	write(t, there+"/f"+partSuffix, random(pieceSize, 99))
	tr := start(t, s, Options{Journals: journals})
	p, err := tr.Upload(t.Context(), []string{here + "/f"}, "f")
	if err != nil {
		t.Fatal(err)
	}
	_, err = tr.Run(t.Context(), p)
	var changed *ChangedError
	if !errors.As(err, &changed) || changed.ExitCode() != 4 {
		t.Fatalf("Run = %v; want that it changed", err)
	}
	if left := tree(t, there); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

// A system that names files so that they would land elsewhere.
func TestHostileNames(t *testing.T) {
	for name, safe := range map[string]bool{"a": true, "..x": true, "..": false, ".": false, "": false, "a/b": false, "/etc": false, `a\b`: false, "a\x00": false} {
		if safeName(name) != safe {
			t.Errorf("safeName(%q) = %v", name, !safe)
		}
	}
}

func TestInterrupted(t *testing.T) {
	there, here := t.TempDir(), t.TempDir()
	write(t, there+"/f", random(64<<20, 1))
	tr := start(t, &system{dir: there, delay: 5 * time.Millisecond}, Options{Channels: 2})
	p, err := tr.Download(t.Context(), []string{"f"}, here)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for n := int64(0); n < 4<<20; n, _ = tr.Progress() {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if _, err := tr.Run(ctx, p); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v", err)
	}
}

func TestParseSpec(t *testing.T) {
	for s, want := range map[string]Spec{
		"array-7:/var/log/x": {"array-7", "/var/log/x"}, "array-7:": {"array-7", "."}, "array-7:~/x": {"array-7", "x"}, "array-7:a:b": {"array-7", "a:b"},
		"file": {"", "file"}, "./a:b": {"", "./a:b"}, "/a:b": {"", "/a:b"}, ":x": {"", ":x"},
	} {
		if got := ParseSpec(s); got != want {
			t.Errorf("ParseSpec(%q) = %v; want %v", s, got, want)
		}
	}
}

// The bytes per second over a line of 50 ms there and back.
func BenchmarkChannels(b *testing.B) {
	for _, channels := range []int{1, 4, 8} {
		for _, direction := range []string{"download", "upload"} {
			b.Run(fmt.Sprintf("%s/%d", direction, channels), func(b *testing.B) {
				there, here := b.TempDir(), b.TempDir()
				data := random(256<<20, 1)
				write(b, there+"/f", data)
				write(b, here+"/g", data)
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					b.StopTimer()
					tr := start(b, &system{dir: there, delay: 25 * time.Millisecond}, Options{Channels: channels})
					var p *Plan
					var err error
					if direction == "upload" {
						p, err = tr.Upload(b.Context(), []string{here + "/g"}, "g")
					} else {
						p, err = tr.Download(b.Context(), []string{"f"}, here)
					}
					if err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					if _, err := tr.Run(b.Context(), p); err != nil {
						b.Fatal(err)
					}
					b.StopTimer()
					tr.Close()
					b.StartTimer()
				}
			})
		}
	}
}
