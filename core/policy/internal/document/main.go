// Command document writes docs/POLICY.md and the JSON schema of policy files.
package main

import (
	"fmt"
	"os"

	"github.com/latchstring/latchstring/core/policy"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "document:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: document POLICY.md schema.json")
	}
	schema, err := policy.Schema()
	if err != nil {
		return err
	}
	if err := os.WriteFile(args[0], []byte(policy.Document()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(args[1], schema, 0o644)
}
