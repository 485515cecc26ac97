package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/bundler"
)

func runFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "output", Usage: "write the bundle to `FILE` and send nothing"},
		&cli.BoolFlag{Name: "plan", Usage: "list what would be collected, and stop"},
		&cli.BoolFlag{Name: "preview", Usage: "show what would leave, ask, then send exactly that"},
		&cli.BoolFlag{Name: "pick", Usage: "choose collectors and items from a list before anything is collected"},
		&cli.BoolFlag{Name: "yes", Usage: "answer the questions of --preview, --pick and --request with yes"},
		&cli.StringFlag{Name: "hide-file", Usage: "hide the words in `FILE` too, one a line, wherever they stand"},
		&cli.StringSliceFlag{Name: "withhold", Usage: "take files out whose path in the bundle fits `GLOB`; may repeat"},
		&cli.StringFlag{Name: "request", Usage: "collect what the vendor asks for in `FILE`, and you grant"},
		&cli.StringSliceFlag{Name: "grant", Usage: "grant the items of --request with these `NUMBERS`, and refuse the others"},
		&cli.StringSliceFlag{Name: "on", Usage: "collect on `[USER@]HOST` too, over ssh; may repeat"},
		&cli.StringFlag{Name: "on-run", Usage: "what to run there, as \"sudo -n send-bundle\"", Value: "send-bundle"},
		&cli.StringSliceFlag{Name: "only", Usage: "run only these collectors: `A,B`"},
		&cli.StringSliceFlag{Name: "skip", Usage: "leave these collectors out: `A,B`"},
		&cli.StringSliceFlag{Name: "include", Usage: "another file or folder, `PATH`; may repeat"},
		&cli.StringFlag{Name: "since", Usage: "logs not older than `AGE`, as 48h or 7d, than a date, as 2026-11-20, or (last) than the last bundle that was delivered"},
		&cli.StringFlag{Name: "max-size", Usage: "at most `SIZE` of collected data, as 500MB"},
		&cli.DurationFlag{Name: "deadline", Usage: "collect for at most `TIME`, as 10m"},
		&cli.StringFlag{Name: "format", Usage: "`FORMAT` of the archive: tar.zst, tar.gz or zip", Value: string(bundle.TarZstd)},
		&cli.BoolFlag{Name: "no-encrypt", Usage: "do not encrypt; with --output only"},
		&cli.BoolFlag{Name: "full-speed", Usage: "do not step back for the other work of the machine"},
		&cli.BoolFlag{Name: "no-pseudonyms", Usage: "leave names and addresses as they are; secrets go all the same"},
		ipModeFlag(),
	}, deliveryFlags()...)
}

// deliveryFlags say where a bundle goes, and how it gets there.
func deliveryFlags() []cli.Flag {
	return append([]cli.Flag{rssFlag(), patienceFlag(),
		&cli.StringFlag{Name: "limit-rate", Usage: "send at most `SIZE` a second, as 500kB"},
	}, cmdline.RouteFlags()...)
}

func rssFlag() cli.Flag {
	return &cli.StringFlag{Name: "rss", Usage: "send to the relay at `HOST[:PORT]`"}
}

func patienceFlag() cli.Flag {
	return &cli.DurationFlag{Name: "patience", Usage: "go on trying for `TIME` while nothing moves, then leave the bundle queued", Value: 2 * time.Minute}
}

func ipModeFlag() cli.Flag {
	return &cli.StringFlag{Name: "ip-mode", Usage: "pseudonyms of addresses: prefix keeps apart what is in different networks, random hides networks too: `MODE`", Value: "prefix"}
}

// randomIPs reads --ip-mode.
func randomIPs(c *cli.Context) (bool, error) {
	switch m := c.String("ip-mode"); m {
	case "prefix":
		return false, nil
	case "random":
		return true, nil
	default:
		return false, cmdline.Usagef("--ip-mode %s: say prefix or random", m)
	}
}

// request makes a request of the flags.
func request(c *cli.Context, now time.Time) (bundler.Request, error) {
	r := bundler.Request{
		Only: list(c, "only"), Skip: list(c, "skip"), Include: c.StringSlice("include"),
		Deadline: c.Duration("deadline"), Output: c.String("output"), NoEncrypt: c.Bool("no-encrypt"),
		RSS: c.String("rss"), NoPseudonyms: c.Bool("no-pseudonyms"),
		Withhold: c.StringSlice("withhold"), On: list(c, "on"), OnRun: c.String("on-run"), AskUser: cmdline.Interactive(),
	}
	var err error
	if r.RandomIPs, err = randomIPs(c); err != nil {
		return r, err
	}
	if r.Words, err = wordsOf(c.String("hide-file")); err != nil {
		return r, err
	}
	if r.Format, err = bundle.ParseFormat(c.String("format")); err != nil {
		return r, cmdline.Usagef("--format: %v", err)
	}
	if s := c.String("since"); s != "" && s != sinceLast {
		if r.Since, err = since(s, now); err != nil {
			return r, cmdline.Usagef("--since %s: %v", s, err)
		}
	}
	if s := c.String("max-size"); s != "" {
		if r.MaxBytes, err = size(s); err != nil {
			return r, cmdline.Usagef("--max-size %s: %v", s, err)
		}
	}
	if c.IsSet("deadline") && r.Deadline <= 0 {
		return r, cmdline.Usagef("--deadline %s: must be longer than nothing", r.Deadline)
	}
	return r, nil
}

// list reads a flag that repeats and takes commas.
func list(c *cli.Context, name string) []string {
	var out []string
	for _, v := range c.StringSlice(name) {
		for _, s := range strings.Split(v, ",") {
			if s = strings.TrimSpace(s); s != "" {
				out = append(out, s)
			}
		}
	}
	return out
}

type parseError string

func (e parseError) Error() string { return string(e) }

// sinceLast is what --since takes besides ages and dates.
const sinceLast = "last"

// sinceDelivered puts the time of the last delivery into a request that asks for
// it. Without one nothing is left out: it is the first bundle.
func sinceDelivered(c *cli.Context, b *bundler.Bundler, req *bundler.Request) error {
	if c.String("since") != sinceLast {
		return nil
	}
	last, err := b.LastDelivered()
	if err != nil {
		return fmt.Errorf("--since last: %w", err)
	}
	if last.IsZero() {
		fmt.Fprintln(c.App.ErrWriter, "note: no bundle was delivered yet; logs are collected as far as they go")
	}
	req.Since = last
	return nil
}

// since reads an age (48h, 7d) or a date or time in the past.
func since(s string, now time.Time) (time.Time, error) {
	age, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n float64
		n, err = strconv.ParseFloat(days, 64)
		age = time.Duration(n * 24 * float64(time.Hour))
	}
	if err == nil {
		if age <= 0 {
			return time.Time{}, parseError("an age must be longer than nothing")
		}
		return now.Add(-age), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			if t.After(now) {
				return time.Time{}, parseError("lies in the future")
			}
			return t, nil
		}
	}
	return time.Time{}, parseError("neither an age as 48h or 7d, nor a date as 2026-11-20, nor last")
}

// size reads a number of bytes as people write it; k, M and G are powers of
// 1000, Ki, Mi and Gi of 1024.
func size(s string) (int64, error) {
	units := []struct {
		suffix string
		n      float64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30},
		{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"B", 1}, {"", 1}}
	for _, u := range units {
		num, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
		if err != nil || n*u.n < 1 || n*u.n > 1e15 {
			break
		}
		return int64(n * u.n), nil
	}
	return 0, parseError("want a size such as 500MB or 2GiB")
}
