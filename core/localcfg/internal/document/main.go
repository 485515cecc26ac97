// Command document writes docs/LOCAL-CFG.md.
package main

import (
	"fmt"
	"os"

	"github.com/latchstring/latchstring/core/localcfg"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: document LOCAL-CFG.md")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], []byte(localcfg.Document()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "document:", err)
		os.Exit(1)
	}
}
