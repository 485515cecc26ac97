package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/connect/transfer"
)

func cpCommand() *cli.Command {
	return &cli.Command{
		Name:      "cp",
		Usage:     "copy files to or from a system",
		ArgsUsage: "SOURCE... TARGET",
		Description: `As scp has it: SYSTEM:PATH is on the system, everything else is here (a local name
with a colon begins with ./). Large files travel over several channels at once,
which over long distances is many times faster than scp; run the same command
again after an interruption, and they go on where they were. At the end both
sides' SHA-256 are compared.

Examples:
   support cp array-7:/var/log/messages .
   support cp -r array-7:/var/log/app ./case-4711/
   support cp hotfix.tar.zst array-7:/var/tmp/`,
		Flags: accessFlags(
			&cli.BoolFlag{Name: "r", Usage: "directories and everything below them"},
			&cli.BoolFlag{Name: "p", Usage: "keep modification times"},
			&cli.IntFlag{Name: "channels", Usage: "how many `N` at once", Value: transfer.DefaultChannels},
		),
		Action: cp,
	}
}

// maxChannels is more than helps anywhere.
const maxChannels = 32

func cp(c *cli.Context) error {
	args := c.Args().Slice()
	if len(args) < 2 {
		return cmdline.Usagef("name what to copy and where to: support cp SYSTEM:PATH .")
	}
	if n := c.Int("channels"); n < 1 || n > maxChannels {
		return cmdline.Usagef("--channels %d: use 1 to %d", n, maxChannels)
	}
	system, sources, target, upload, err := copyArgs(args)
	if err != nil {
		return err
	}
	w, err := findWay(c, system)
	if err != nil {
		return err
	}
	defer w.close()
	cl, err := w.dial(c)
	if err != nil {
		return err
	}
	defer cl.Close()
	journals, err := transferDir(c)
	if err != nil {
		return err
	}
	t, err := transfer.New(cl, transfer.Options{Channels: c.Int("channels"), Journals: journals, Scope: w.system.ID, Recursive: c.Bool("r"), Preserve: c.Bool("p")})
	if err != nil {
		return err
	}
	defer t.Close()
	find := t.Download
	if upload {
		find = t.Upload
	}
	plan, err := find(c.Context, sources, target)
	if err != nil {
		return err
	}
	began := time.Now()
	stop := showProgress(c.App.ErrWriter, t, plan)
	res, err := t.Run(c.Context, plan)
	stop()
	if err != nil {
		return goOn(err, c)
	}
	return cmdline.Print(c, res, func(io.Writer) error {
		copied(c.App.ErrWriter, res, time.Since(began))
		return nil
	})
}

// copyArgs sorts the arguments. Everything remote is on one system, and is
// either the sources or the target.
func copyArgs(args []string) (system string, sources []string, target string, upload bool, err error) {
	to := transfer.ParseSpec(args[len(args)-1])
	for _, a := range args[:len(args)-1] {
		from := transfer.ParseSpec(a)
		switch {
		case from.System != "" && to.System != "":
			return "", nil, "", false, cmdline.Usagef("from one system to another nothing is copied; copy it here first")
		case from.System == "" && to.System == "":
			return "", nil, "", false, cmdline.Usagef("nothing in it is on a system: SYSTEM:PATH is")
		case system != "" && from.System != system:
			return "", nil, "", false, cmdline.Usagef("all sources must be on one system")
		}
		system = from.System
		sources = append(sources, from.Path)
	}
	if to.System != "" {
		return to.System, sources, to.Path, true, nil
	}
	return system, sources, to.Path, false, nil
}

func transferDir(c *cli.Context) (string, error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return "", err
	}
	if root.Dir != "" {
		return root.Var("transfers"), nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory: %w", err)
	}
	return filepath.Join(cache, "latchstring", "transfers"), nil
}

// interruptedError says that nothing is lost.
type interruptedError struct {
	error
	again string
}

func (e *interruptedError) Unwrap() error { return e.error }

// Hint says how to go on.
func (e *interruptedError) Hint() string { return e.again }

func goOn(err error, c *cli.Context) error {
	var coder interface{ ExitCode() int }
	if errors.As(err, &coder) {
		return err
	}
	return &interruptedError{err, "run the same command again: large files go on where they were"}
}

// showProgress draws a line on a terminal until it is stopped.
func showProgress(w io.Writer, t *transfer.Transfer, p *transfer.Plan) (stop func()) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() {}
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		began := time.Now()
		start, _ := t.Progress()
		for {
			select {
			case <-done:
				fmt.Fprint(w, "\r\x1b[K")
				return
			case <-tick.C:
				bytes, files := t.Progress()
				fmt.Fprint(w, "\r\x1b[K"+progressLine(bytes, bytes-start, p.Bytes, files, p.Files, time.Since(began)))
			}
		}
	}()
	return func() { close(done); <-gone }
}

// progressLine is as wide as the narrowest terminal.
func progressLine(bytes, moved, of int64, files, ofFiles int, since time.Duration) string {
	var b strings.Builder
	percent := int64(100)
	if of > 0 {
		percent = bytes * 100 / of
	}
	fmt.Fprintf(&b, "%3d%%  %s of %s", percent, cmdline.Size(bytes), cmdline.Size(of))
	if ofFiles > 1 {
		fmt.Fprintf(&b, "  %d of %d files", files, ofFiles)
	}
	if s := since.Seconds(); s >= 1 && moved > 0 {
		rate := float64(moved) / s
		fmt.Fprintf(&b, "  %s/s", cmdline.Size(int64(rate)))
		if left := time.Duration(float64(of-bytes) / rate * float64(time.Second)); left >= time.Second {
			fmt.Fprintf(&b, "  %s left", left.Round(time.Second))
		}
	}
	return b.String()
}

func copied(w io.Writer, r transfer.Result, took time.Duration) {
	files := "1 file"
	if r.Files != 1 {
		files = fmt.Sprintf("%d files", r.Files)
	}
	fmt.Fprintf(w, "support: copied %s, %s in %s", files, cmdline.Size(r.Bytes), took.Round(100*time.Millisecond))
	if r.Resumed > 0 {
		fmt.Fprintf(w, " (%s were there before)", cmdline.Size(r.Resumed))
	}
	if r.Compared > 0 {
		fmt.Fprintf(w, "; SHA-256 the same on both sides")
	}
	fmt.Fprintln(w)
	for _, f := range r.Uncompared {
		fmt.Fprintf(w, "support: %s: the SHA-256 was not compared, as policy allows no command there\n", printable(f))
	}
	for _, f := range r.Skipped {
		fmt.Fprintf(w, "support: %s: skipped, it is neither a file nor a directory\n", printable(f))
	}
}
