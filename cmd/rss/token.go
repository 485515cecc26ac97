package main

import (
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/relay"
)

func tokenCommand() *cli.Command {
	return &cli.Command{
		Name:  "token",
		Usage: "let a system enrol",
		Subcommands: []*cli.Command{{
			Name:  "new",
			Usage: "print a token with which one system enrols, once",
			Description: `The token is a secret until it is used. Give it to the customer on a way that
you trust; the system is enrolled with
   remote-support enroll --token-file FILE

Examples:
   rss token new --system array-7 --serial 4242 > token
   rss token new --system array-7 --replace --valid 1h > token`,
			Flags: append([]cli.Flag{
				&cli.StringFlag{Name: "system", Usage: "`NAME` of the system: letters, digits, '.', '_', '-'"},
				&cli.StringFlag{Name: "serial", Usage: "serial `NUMBER` of the array or machine, for those who look for it"},
				&cli.DurationFlag{Name: "valid", Usage: "until `TIME` from now, as 24h", Value: 7 * 24 * time.Hour},
				&cli.BoolFlag{Name: "replace", Usage: "let it take the place of the enrolled system of that name"},
			}, storeFlags()...),
			Action: tokenNew,
		}},
	}
}

func tokenNew(c *cli.Context) error {
	if c.String("system") == "" {
		return cmdline.Usagef("--system is needed")
	}
	return withAdmin(c, func(a *relay.Admin) error {
		var resp relay.NewTokenResponse
		req := relay.NewTokenRequest{System: c.String("system"), Serial: c.String("serial"), Valid: c.Duration("valid"), Replace: c.Bool("replace")}
		if err := a.Call(c.Context, "POST", "/admin/tokens", req, &resp); err != nil {
			return err
		}
		fmt.Fprintf(c.App.ErrWriter, "good for one system named %s until %s\n", resp.System, resp.Expires.Local().Format(time.DateTime))
		return cmdline.Print(c, resp, func(w io.Writer) error {
			_, err := fmt.Fprintln(w, resp.Token)
			return err
		})
	})
}
