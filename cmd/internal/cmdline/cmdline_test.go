package cmdline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"
)

type call struct {
	Root string
	JSON bool
	Out  string
	Args []string
}

func testApp(got *call) *cli.App {
	record := func(c *cli.Context) error {
		root, err := Root(c)
		if err != nil {
			return err
		}
		*got = call{Root: root.Dir, JSON: JSON(c), Out: c.String("o"), Args: c.Args().Slice()}
		return nil
	}
	app := New("tool", "a tool", Options{
		Action: record,
		Commands: []*cli.Command{
			{Name: "clean", ArgsUsage: "FILE", Action: record, Flags: []cli.Flag{&cli.StringFlag{Name: "o"}}},
			{Name: "box", Usage: "boxes", Subcommands: []*cli.Command{{Name: "open", ArgsUsage: "ID", Action: record}, {Name: "list", Action: record}}},
			{Name: "refuse", Action: func(*cli.Context) error { return fmt.Errorf("wrapped: %w", coded(4)) }},
			{Name: "break", Action: func(*cli.Context) error { return errors.New("it broke") }},
			{Name: "stop", Action: func(*cli.Context) error { return fmt.Errorf("copy: %w", context.Canceled) }},
		},
	})
	return app
}

type coded int

func (c coded) Error() string { return "a check did not hold" }
func (c coded) ExitCode() int { return int(c) }

func TestArguments(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		line string
		want call
	}{
		{"tool", call{}},
		{"tool --root DIR", call{Root: dir}},
		{"tool --root DIR clean f", call{Root: dir, Args: []string{"f"}}},
		{"tool clean --root DIR f", call{Root: dir, Args: []string{"f"}}},
		{"tool clean f -o out --root DIR --json", call{Root: dir, JSON: true, Out: "out", Args: []string{"f"}}},
		{"tool clean - -o out", call{Out: "out", Args: []string{"-"}}},
		{"tool clean -o=out -- -x", call{Out: "out", Args: []string{"-x"}}},
		{"tool box open 7 --json", call{JSON: true, Args: []string{"7"}}},
		{"tool --json box list", call{JSON: true}},
	} {
		t.Run(tt.line, func(t *testing.T) {
			var got call
			app := testApp(&got)
			args := strings.Fields(strings.ReplaceAll(tt.line, "DIR", dir))
			if code := Run(app, args); code != 0 {
				t.Fatalf("exit code %d", code)
			}
			if len(got.Args) == 0 {
				got.Args = nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// REQ J1
func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		line string
		code int
		want string
	}{
		{"tool box lst", 2, `tool: unknown command or argument "lst"; did you mean "list"?`},
		{"tool cleam", 2, `did you mean "clean"`},
		{"tool box list extra", 2, `unknown command or argument "extra"`},
		{"tool --nope", 2, "nope"},
		{"tool clean --nope f", 2, "nope"},
		{"tool refuse", 4, "tool: wrapped: a check did not hold"},
		{"tool break", 1, "tool: it broke"},
		{"tool stop", 130, "context canceled"},
		{"tool completion tcsh", 2, "use bash, zsh or fish"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			var out, errs bytes.Buffer
			app := testApp(&call{})
			app.Writer, app.ErrWriter = &out, &errs
			if code := Run(app, strings.Fields(tt.line)); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if !strings.Contains(errs.String(), tt.want) {
				t.Errorf("error output %q lacks %q", errs.String(), tt.want)
			}
			if out.Len() > 0 {
				t.Errorf("an error wrote to standard output: %q", out.String())
			}
		})
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		var out bytes.Buffer
		app := testApp(&call{})
		app.Writer = &out
		if code := Run(app, []string{"tool", "completion", shell}); code != 0 || !strings.Contains(out.String(), "tool") {
			t.Errorf("completion %s: exit code %d, output %q", shell, code, out.String())
		}
	}
}

func TestSecretFromFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(" p@ss word \r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Secret("password", file)
	if err != nil || string(got) != " p@ss word " {
		t.Errorf("Secret = %q, %v", got, err)
	}
	if _, err := Secret("password", file+".absent"); err == nil || strings.Contains(err.Error(), "p@ss") {
		t.Errorf("absent file: %v", err)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 97_547_668: "97.5 MB", 3e9: "3.0 GB"} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %s, want %s", n, got, want)
		}
	}
}
