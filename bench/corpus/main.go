// Command corpus writes a corpus of logs to measure on (see package
// core/sanitize/corpus):
//
//	go run ./bench/corpus -mb 100 -o FILE [-truth FILE] [-seed N]
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/latchstring/latchstring/core/sanitize/corpus"
)

func main() {
	mb := flag.Int64("mb", 100, "size in megabytes")
	out := flag.String("o", "-", "file to write, - for standard output")
	truth := flag.String("truth", "", "file for the secrets in it, one JSON object a line")
	seed := flag.Uint64("seed", 0, "another seed gives another corpus")
	flag.Parse()
	if err := run(*mb<<20, *out, *truth, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

func run(size int64, out, truthPath string, seed uint64) (err error) {
	var w io.Writer = os.Stdout
	if out != "-" {
		f, cerr := os.Create(out)
		if cerr != nil {
			return cerr
		}
		defer func() {
			if cerr := f.Close(); err == nil {
				err = cerr
			}
		}()
		w = f
	}
	secrets, err := corpus.New(corpus.Options{Seed: seed}).Write(w, size)
	if err != nil || truthPath == "" {
		return err
	}
	f, err := os.OpenFile(truthPath, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(f)
	for _, s := range secrets {
		if err := enc.Encode(s); err != nil {
			f.Close()
			return err
		}
	}
	return f.Close()
}
