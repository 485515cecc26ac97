// Command gen writes the tables of package tokens. It is run by go generate in
// that package's directory.
package main

import (
	"fmt"
	"os"

	"github.com/latchstring/latchstring/core/sanitize/tokens/internal/tables"
)

func main() {
	src, err := tables.Source(".")
	if err == nil {
		err = os.WriteFile("table.go", src, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
