package main

import (
	"context"
	"net"
	"time"
)

// A way leads from the engineer to a target beside the system.
type way interface {
	Name() string
	// Dial opens a stream to the target, within the connection where there is
	// one for many streams.
	Dial(ctx context.Context) (net.Conn, error)
	// Relay is the process of the relay, the parent of what serves.
	Relay() int
	Close()
}

// A candidate can be started, on the plain or on the slow path.
type candidate struct {
	name  string
	start func(ctx context.Context, b *bench, slow bool) (way, error)
	// usable measures one start: until the first byte, and until an echo.
	usable func(ctx context.Context, b *bench, slow bool) (first, echo time.Duration, err error)
}

// candidates are those that can be had here.
func candidates(b *bench) []candidate {
	all := []candidate{ours(b)}
	for _, p := range []struct {
		tools []string
		c     candidate
	}{
		{[]string{"ssh", "sshd"}, openSSH("chacha20-poly1305@openssh.com", "ssh -R chacha20")},
		{[]string{"ssh", "sshd"}, openSSH("aes128-gcm@openssh.com", "ssh -R aes-gcm")},
		{[]string{"chisel"}, chisel()},
		{[]string{"frps", "frpc"}, frp()},
	} {
		if missing := b.lacks(p.tools); missing != "" {
			b.say("%s: %s is not on the PATH, not measured", p.c.name, missing)
			continue
		}
		all = append(all, p.c)
	}
	return all
}
