// Command sanitize measures the sanitizer on a corpus, beside zstd and peers,
// in the same run. It is started by bench/sanitize/run.
//
// Every measurement is a process of its own, so that its peak memory is its
// own. Figures for one core are bytes a second of CPU time: other work on the
// machine does not count. Several rounds are made in turn and the best of each
// measurement counts; ratios are what to trust.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

func main() {
	corpus := flag.String("corpus", "", "text to measure on")
	peers := flag.String("peers", "", "directory with the binaries of peers")
	rounds := flag.Int("rounds", 3, "how often to measure")
	only := flag.String("measure", "", "measure this alone, in this process")
	flag.Parse()
	var err error
	switch {
	case *corpus == "":
		err = fmt.Errorf("give the text with -corpus FILE (bench/sanitize/run does all)")
	case *only != "":
		err = measure(*only, *corpus)
	default:
		err = compare(*corpus, *peers, *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// result is what one process reports.
type result struct {
	Bytes int64   `json:"bytes"`
	CPU   float64 `json:"cpu"`  // seconds of user and system time
	Wall  float64 `json:"wall"` // seconds
	RSS   int64   `json:"rss"`  // peak, bytes
}

const mb = 1e6

func (r result) perCPU() float64  { return float64(r.Bytes) / mb / r.CPU }
func (r result) perWall() float64 { return float64(r.Bytes) / mb / r.Wall }

// run is one thing to measure.
type run struct {
	name  string
	label string
	cores int
	env   []string
}

var runs = []run{
	{"sanitize", "sanitize and replace, 1 core", 1, nil},
	{"sanitize", "sanitize and replace, 1 core, portable", 1, []string{"GODEBUG=cpu.avx2=off"}},
	{"sanitize-plain", "sanitize without pseudonyms, 1 core", 1, nil},
	{"zstd", "zstd default alone, 1 core", 1, nil},
	{"zstd", "zstd default alone, 2 cores", 2, nil},
	{"pipeline", "sanitize | zstd default, 2 cores", 2, nil},
}

func compare(corpus, peerDir string, rounds int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	best := make([]result, len(runs))
	for range rounds {
		for i, r := range runs {
			args := []string{"-corpus", corpus, "-measure", r.name}
			got, err := start(self, args, r.cores, r.env)
			if err != nil {
				return fmt.Errorf("%s: %w", r.label, err)
			}
			b := &best[i]
			if b.Bytes == 0 || r.cores == 1 && got.CPU < b.CPU || r.cores > 1 && got.Wall < b.Wall {
				*b = got
			}
		}
	}
	fmt.Printf("%-42s %9s %9s %9s\n", "", "MB/s CPU", "MB/s wall", "peak MB")
	for i, r := range runs {
		row(r.label, best[i])
	}
	ratio := func(label string, a, b float64) { fmt.Printf("%-42s %9.2f\n", label, a/b) }
	ours := best[0].perCPU()
	fmt.Println()
	ratio("sanitize : zstd, 1 core", ours, best[3].perCPU())
	ratio("portable : zstd, 1 core", best[1].perCPU(), best[3].perCPU())
	ratio("pipeline : zstd alone, 2 cores", best[5].perWall(), best[4].perWall())
	ratio("pipeline : zstd on 1 core", best[5].perWall(), best[3].perCPU())
	return comparePeers(corpus, peerDir, ours)
}

func row(label string, r result) {
	fmt.Printf("%-42s %9.1f %9.1f %9.1f\n", label, r.perCPU(), r.perWall(), float64(r.RSS)/mb)
}

// peerBytes is how much of the corpus the peers get: they take long.
const peerBytes = 8 << 20

func comparePeers(corpus, dir string, ours float64) error {
	names := []string{"troubleshoot", "gitleaks"}
	names = slices.DeleteFunc(names, func(n string) bool {
		st, err := os.Stat(filepath.Join(dir, n))
		return dir == "" || err != nil || st.IsDir()
	})
	if len(names) == 0 {
		fmt.Println("\nno peers to compare with")
		return nil
	}
	head, err := headOf(corpus, peerBytes)
	if err != nil {
		return err
	}
	defer os.Remove(head)
	fmt.Println()
	for _, n := range names {
		got, err := start(filepath.Join(dir, n), []string{head}, 1, nil)
		if err != nil {
			return fmt.Errorf("peer %s: %w", n, err)
		}
		row(n+", 1 core", got)
		fmt.Printf("%-42s %9.0f\n", "sanitize : "+n, ours/got.perCPU())
	}
	return nil
}

// start runs a measurement as a process and reads its report.
func start(path string, args []string, cores int, env []string) (result, error) {
	cmd := exec.Command(path, args...)
	cmd.Env = append(append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", cores)), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return result{}, err
	}
	var r result
	if err := json.Unmarshal(out, &r); err != nil {
		return result{}, fmt.Errorf("read report %q: %w", out, err)
	}
	return r, nil
}
