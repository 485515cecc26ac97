package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/control"
)

// terminal draws a plugin's questions. What a flag gives is not asked for, and
// where nobody sits at a terminal nothing is asked at all. A flag answers once:
// a file is no better the second time.
type terminal struct {
	in          *bufio.Reader
	out         io.Writer
	interactive bool
	room        func() (columns, rows int) // for QR codes; nil draws none

	given map[string]string // answers by field
	files map[string]string // files with answers by field
	flags map[string]string // the flag to name when nobody can be asked
}

func newTerminal(c *cli.Context) *terminal {
	t := &terminal{
		in: bufio.NewReader(os.Stdin), out: os.Stderr, interactive: cmdline.Interactive(),
		given: map[string]string{}, files: map[string]string{},
		flags: map[string]string{"user": "--user", "password": "--password-file", "response": "--response-file"},
	}
	if !c.Bool("no-qr") {
		t.room = roomOf(os.Stderr)
	}
	if user := c.String("user"); user != "" {
		t.given["user"] = user
	}
	for field, flag := range map[string]string{"password": "password-file", "response": "response-file"} {
		if file := c.String(flag); file != "" {
			t.files[field] = file
		}
	}
	return t
}

var errAgain = errors.New("the answer in the file does not do, and nobody is there to be asked for another")

// Ask implements [control.Conversation].
func (t *terminal) Ask(ctx context.Context, fields []control.Field) (map[string][]byte, error) {
	out := make(map[string][]byte, len(fields))
	for _, f := range fields {
		answer, err := t.one(f)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			for _, v := range out {
				clear(v)
			}
			return nil, err
		}
		out[f.Name] = answer
	}
	return out, nil
}

func (t *terminal) one(f control.Field) ([]byte, error) {
	if v, ok := t.given[f.Name]; ok && !f.Secret {
		delete(t.given, f.Name)
		return []byte(v), nil
	}
	if file, ok := t.files[f.Name]; ok {
		if file == "" {
			return nil, errAgain
		}
		t.files[f.Name] = ""
		return cmdline.Secret(f.Label, file)
	}
	if !t.interactive {
		if flag := t.flags[f.Name]; flag != "" {
			return nil, cmdline.Usagef("%s: %v; give it with %s", f.Label, cmdline.ErrNoTerminal, flag)
		}
		return nil, cmdline.Usagef("%s: %v", f.Label, cmdline.ErrNoTerminal)
	}
	if f.Secret {
		return cmdline.Secret(f.Label, "")
	}
	if f.Name == "response" {
		return t.lines(f)
	}
	fmt.Fprintf(t.out, "%s: ", f.Label)
	line, err := t.in.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return []byte(strings.TrimRight(line, "\r\n")), nil
}

// maxLines is more than a response has.
const maxLines = 40

// lines reads an answer of several lines, as it comes out of a mail.
func (t *terminal) lines(f control.Field) ([]byte, error) {
	fmt.Fprintf(t.out, "%s (end with an empty line):\n", f.Label)
	var all []byte
	for range maxLines {
		line, err := t.in.ReadString('\n')
		all = append(all, line...)
		if err != nil && (err != io.EOF || len(all) == 0) {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		if err == io.EOF || strings.TrimSpace(line) == "" && len(strings.TrimSpace(string(all))) > 0 {
			break
		}
	}
	return all, nil
}

// Show implements [control.Conversation].
func (t *terminal) Show(_ context.Context, n control.Notice) error {
	fmt.Fprintf(t.out, "%s:\n", n.Label)
	if n.Value != "" {
		fmt.Fprintf(t.out, "    %s\n", n.Value)
	}
	if n.URL != "" {
		fmt.Fprintf(t.out, "    %s\n", n.URL)
	}
	if code := t.code(n); code != "" {
		fmt.Fprintf(t.out, "\n%s\n", code)
	}
	if !n.Expires.IsZero() {
		left := time.Until(n.Expires).Round(time.Second)
		fmt.Fprintf(t.out, "    good until %s, for %s\n", n.Expires.Format(time.TimeOnly), left)
	}
	return nil
}
