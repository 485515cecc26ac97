package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/hostile"
)

func selftestCommand() *cli.Command {
	return &cli.Command{
		Name:  "selftest",
		Usage: "attack this program on this machine, and see whether what is promised holds",
		Description: `With --hostile-relay the vendor's relay is played by one that was turned bad: it
has all keys of a relay, keeps every byte, and tries to get in, to learn the
secret, to pass for somebody else and to stay after the end. Each attack is made
against this very program, and against the engineer's, in a scratch directory and
on loopback: no network is used, no session of this machine is touched, and
nothing is left behind. It takes less than a minute.

The exit code is 4 if any attack does not end as it should.

Examples:
   remote-support selftest --hostile-relay
   remote-support selftest --hostile-relay --json
   remote-support selftest --hostile-relay --only swaps-host-key`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "hostile-relay", Usage: "a relay turned bad, with all its keys"},
			&cli.StringFlag{Name: "only", Usage: "only the attack `NAME`"},
			&cli.StringFlag{Name: "scratch", Usage: "make the scratch directory below `DIR`"},
		},
		Action: cmdline.NoArgs(selftest),
	}
}

func selftest(c *cli.Context) error {
	if !c.Bool("hostile-relay") {
		return cmdline.Usagef("say what to test: --hostile-relay")
	}
	t := trial{w: c.App.Writer, begin: time.Now(), verdicts: map[hostile.Verdict]int{}}
	report := t.line
	if cmdline.JSON(c) {
		enc := json.NewEncoder(c.App.Writer)
		report = func(r hostile.Result) {
			t.verdicts[r.Verdict]++
			enc.Encode(resultJSON{r, r.Took.Milliseconds()})
		}
	} else {
		t.head()
	}
	o := hostile.Options{Only: c.String("only"), Dir: c.String("scratch"), Parallel: 6}
	if err := hostile.Run(c.Context, o, report); err != nil {
		return err
	}
	if !cmdline.JSON(c) {
		t.foot()
	}
	if code := t.code(); code != 0 {
		return cmdline.Silent(code) // the table has said it
	}
	return nil
}

// code is the exit code.
func (t *trial) code() int {
	if t.verdicts[hostile.Broken]+t.verdicts[hostile.NotTested] > 0 {
		return cmdline.ExitCheckFailed
	}
	return cmdline.ExitOK
}

type resultJSON struct {
	hostile.Result
	Millis int64 `json:"milliseconds"`
}

// trial prints what became of each attack, as it ends.
type trial struct {
	w        io.Writer
	begin    time.Time
	kept     int
	verdicts map[hostile.Verdict]int
}

func (t *trial) head() {
	fmt.Fprint(t.w, `The relay between you and the vendor is played by one that was turned bad. It has
all keys of a relay. Each attack says what it tries, and what became of it:

   refused    nobody got in, and whoever was to be deceived said no
   noticed    it was seen, and was said or stopped
   harmless   the relay gained nothing by it

`)
}

// line is one attack.
func (t *trial) line(r hostile.Result) {
	t.verdicts[r.Verdict]++
	t.kept += r.Kept
	outcome := string(r.Expect)
	if r.Verdict != hostile.Holds {
		outcome = string(r.Verdict)
	}
	fmt.Fprintf(t.w, "%-13s  %s\n", outcome, r.Name)
	for _, text := range []string{"tries: " + r.Tries, strings.ReplaceAll(r.Happened, "\n", "; ")} {
		for i, l := range wrapped(text, 72) {
			if i > 0 {
				l = "  " + l
			}
			fmt.Fprintf(t.w, "%15s%s\n", "", l)
		}
	}
}

func (t *trial) foot() {
	held, all := t.verdicts[hostile.Holds], 0
	for _, n := range t.verdicts {
		all += n
	}
	fmt.Fprintf(t.w, "\n%d of %d attacks ended as they should, in %s.\n", held, all, time.Since(t.begin).Round(100*time.Millisecond))
	fmt.Fprintf(t.w, "The relay kept %s in all; no secret, no output and no file was found in it.\n", cmdline.Size(int64(t.kept)))
	if n := t.verdicts[hostile.Broken]; n > 0 {
		fmt.Fprintf(t.w, "%d DID NOT. Do not turn remote access on; send this output to the vendor.\n", n)
	}
	if n := t.verdicts[hostile.NotTested]; n > 0 {
		fmt.Fprintf(t.w, "%d COULD NOT BE MADE on this machine, which proves nothing: see why above.\n", n)
	}
}

// wrapped breaks a text into lines of at most width letters, where it can.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
