package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/core/connect"
)

func pipeCommand() *cli.Command {
	return &cli.Command{
		Name:      "pipe",
		Usage:     "carry an SSH connection on standard input and output (for ProxyCommand)",
		ArgsUsage: "SYSTEM",
		Description: `What support ssh-config puts into the configuration of stock OpenSSH. It asks for
nothing: the secret was given to ssh-config. When the network fails, it goes on
within 60 seconds where it was, and ssh does not notice.

Example:
   ssh -o ProxyCommand='support pipe array-7' array-7`,
		Flags:  accessFlags(),
		Action: pipe,
	}
}

func pipe(c *cli.Context) error {
	w, err := onlyWay(c)
	if err != nil {
		return err
	}
	defer w.close()
	// Never on standard input, which is SSH's; a file is another matter.
	o, err := w.options(c, c.String("secret-file") != "")
	if err != nil {
		return err
	}
	conn, err := connect.Dial(c.Context, o)
	if err != nil {
		return err
	}
	defer conn.Close()
	// That is how ssh ends its ProxyCommand: the system is to know that the
	// engineer has left, not that his network failed.
	ctx, stop := signal.NotifyContext(c.Context, syscall.SIGHUP)
	defer stop()
	err = carry(ctx, conn, os.Stdin, os.Stdout)
	if ctx.Err() != nil && c.Context.Err() == nil {
		return nil // ssh is done with us
	}
	return err
}

// carry passes both ways until the system's end is over.
func carry(ctx context.Context, conn *connect.Conn, in io.Reader, out io.Writer) error {
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { conn.Close(); close(ended) })
	defer func() {
		if !stop() {
			<-ended
		}
	}()
	go func() {
		io.Copy(conn, in)
		conn.CloseWrite()
	}()
	_, err := io.Copy(out, conn)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case conn.Ended() != nil:
		return conn.Ended()
	case errors.Is(err, os.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return nil
	}
	return err
}
