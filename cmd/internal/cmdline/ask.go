package cmdline

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// ErrNoTerminal is what asking returns when nobody is there to answer.
var ErrNoTerminal = errors.New("standard input is no terminal, so nothing can be asked")

// Interactive reports whether a person can be asked.
func Interactive() bool {
	return term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd()))
}

// Confirm asks a yes-or-no question; everything but yes is no.
func Confirm(question string) (bool, error) {
	if !Interactive() {
		return false, ErrNoTerminal
	}
	fmt.Fprintf(os.Stderr, "%s [y/N] ", question)
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && err != io.EOF {
		return false, fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
}

// Secret reads a secret from file when that is not empty, else from the
// terminal without echo. One trailing newline is not part of it. The caller
// clears the bytes when it is done.
func Secret(prompt, file string) ([]byte, error) {
	if file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read secret: %w", err)
		}
		return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r")), nil
	}
	if !Interactive() {
		return nil, fmt.Errorf("%s: %w; use the flag that names a file", prompt, ErrNoTerminal)
	}
	fmt.Fprintf(os.Stderr, "%s: ", prompt)
	b, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	return b, nil
}
