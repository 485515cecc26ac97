package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/latchstring/latchstring/sdk/plugintest"
)

// report prints results as they come, like a test runner.
type report struct {
	w       io.Writer
	verbose bool
	plugin  string
}

func (r *report) add(res plugintest.Result) {
	if res.Plugin != r.plugin {
		r.plugin = res.Plugin
		fmt.Fprintf(r.w, "%s\n", res.Plugin)
	}
	fmt.Fprintf(r.w, "  %-5s %-18s %s (%v)\n", res.Status, res.Case, res.Rule, res.Took.Round(time.Millisecond))
	if res.Status == plugintest.OK && !r.verbose {
		return
	}
	for _, entry := range res.Log {
		fmt.Fprintf(r.w, "          %s\n", strings.ReplaceAll(strings.TrimSpace(entry), "\n", "\n          "))
	}
}

// sum prints the verdict.
func (r *report) sum(all []plugintest.Result) {
	count := make(map[plugintest.Status]int)
	for _, res := range all {
		count[res.Status]++
	}
	verdict := plugintest.OK
	if count[plugintest.Failed] > 0 {
		verdict = plugintest.Failed
	}
	fmt.Fprintf(r.w, "%s: %d passed, %d failed, %d skipped\n", verdict, count[plugintest.OK], count[plugintest.Failed], count[plugintest.Skipped])
}
