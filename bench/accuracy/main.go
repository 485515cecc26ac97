// Command accuracy measures the sanitizer on the *.jsonl cases of a directory
// (see package core/sanitize/accuracy for their form and how they are judged):
//
//	go run ./bench/accuracy [-v] [-soft] [-json] [-only SET] DIR
//
// It exits 1 on an error and 0 otherwise, whatever the figures are.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/latchstring/latchstring/core/sanitize"
	"github.com/latchstring/latchstring/core/sanitize/accuracy"
)

func main() {
	verbose := flag.Bool("v", false, "list every failure with its case and output")
	soft := flag.Bool("soft", false, "with -v, list the losses of soft_keep cases too")
	asJSON := flag.Bool("json", false, "print the rows as JSON")
	only := flag.String("only", "", "take only sets or rules whose name holds this text")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "accuracy: give the directory of the *.jsonl cases, e.g. go run ./bench/accuracy core/sanitize/accuracy/testdata")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *only, *verbose, *soft, *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		os.Exit(1)
	}
}

func run(dir, only string, verbose, soft, asJSON bool) error {
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("no case directory %s: pass one that holds *.jsonl files of cases", dir)
	}
	cases, err := accuracy.Load(dir)
	if err != nil {
		return err
	}
	if only != "" {
		kept := cases[:0]
		for _, c := range cases {
			if strings.Contains(c.Set, only) || strings.Contains(c.Rule, only) || c.ID == only {
				kept = append(kept, c)
			}
		}
		cases = kept
	}
	r := accuracy.Runner{
		New: func(o sanitize.Options) (sanitize.Engine, error) { return sanitize.New(o) },
		Key: sanitize.Key{1, 2, 3},
	}
	outcomes, err := r.Run(context.Background(), cases)
	if err != nil {
		return err
	}
	if verbose {
		accuracy.List(os.Stdout, outcomes, soft)
		fmt.Println()
	}
	rows, total := accuracy.Summary(outcomes)
	if asJSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(append(rows, total))
	}
	return accuracy.Print(os.Stdout, rows, total)
}
