package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/bundler"
	"github.com/latchstring/latchstring/core/bundler/ask"
)

// granted opens a request of the vendor and has the user answer each item.
func granted(c *cli.Context, b *bundler.Bundler) (*bundler.Granted, error) {
	s, err := b.OpenRequest(c.String("request"))
	if err != nil {
		return nil, err
	}
	numbers, err := grants(c, len(s.Items))
	if err != nil {
		return nil, err
	}
	w := c.App.ErrWriter
	requestHead(w, s)
	g := &bundler.Granted{Signed: s}
	for i, it := range s.Items {
		requestItem(w, i, s)
		answer := bundle.AskedItem{Kind: it.Kind, Value: it.Value}
		switch {
		case numbers != nil:
			if answer.Granted = slices.Contains(numbers, i+1); !answer.Granted {
				answer.Reason = "the customer refused it"
			}
		case c.Bool("yes") && it.Kind == ask.Command && !b.ByPolicy(it.Value):
			answer.Reason = "a command that policy does not name needs a person to look at it"
		case c.Bool("yes"):
			answer.Granted = true
		default:
			if answer.Granted, err = cmdline.Confirm("        Grant it?"); err != nil {
				return nil, fmt.Errorf("%w; grant items beforehand with --grant, or with --yes all that policy allows", err)
			}
			if !answer.Granted {
				answer.Reason = "the customer refused it"
			}
		}
		if numbers != nil || c.Bool("yes") {
			fmt.Fprintf(w, "        %s\n", map[bool]string{true: "granted", false: "refused: " + answer.Reason}[answer.Granted])
		}
		g.Items = append(g.Items, answer)
	}
	fmt.Fprintln(w)
	return g, nil
}

// grants reads the numbers of --grant; nil when the flag is not there.
func grants(c *cli.Context, most int) ([]int, error) {
	if !c.IsSet("grant") {
		return nil, nil
	}
	numbers := []int{}
	for _, s := range list(c, "grant") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > most {
			return nil, cmdline.Usagef("--grant %s: the request has the items 1 to %d", s, most)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

func requestHead(w io.Writer, s *ask.Signed) {
	fmt.Fprintf(w, "request  %s of %s", s.ID, printable(s.Engineer))
	if s.Case != "" {
		fmt.Fprintf(w, ", case %s", printable(s.Case))
	}
	fmt.Fprintf(w, ", good until %s\nreason   %s\n", s.Until.Local().Format("2006-01-02 15:04"), printable(s.Reason))
	if s.SinceS > 0 {
		fmt.Fprintf(w, "logs     not older than %s\n", time.Duration(s.SinceS)*time.Second)
	}
}

func requestItem(w io.Writer, i int, s *ask.Signed) {
	it := s.Items[i]
	what := map[string]string{ask.Collect: "what is collected as", ask.Include: "the file or folder", ask.Command: "the output of"}[it.Kind]
	fmt.Fprintf(w, "\n%d of %d   %s %s\n", i+1, len(s.Items), what, printable(it.Value))
	if it.Reason != "" {
		fmt.Fprintf(w, "        because: %s\n", printable(it.Reason))
	}
}
