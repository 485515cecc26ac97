package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
)

// wordsOf reads a file with words to hide, one a line. They are in a file
// because what stands on a command line is seen by every user of the machine.
func wordsOf(path string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, cmdline.Usagef("--hide-file: %v", err)
	}
	defer f.Close()
	var words []string
	s := bufio.NewScanner(f)
	for s.Scan() {
		if w := strings.TrimSpace(s.Text()); w != "" {
			words = append(words, w)
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return words, nil
}
