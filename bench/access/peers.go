package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// A peer is a relay and a client of it that makes it listen on a port for the
// target.
type peer struct {
	name   string
	relay  *process
	client *process
	port   string // host:port at the relay
}

func (p *peer) Name() string { return p.name }
func (p *peer) Relay() int   { return p.relay.pid() }
func (p *peer) Close() {
	if p.client != nil {
		p.client.end()
	}
	p.relay.end()
}

func (p *peer) Dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", p.port)
}

// recipe is how a peer is run: its relay listening on one address, and its
// client told to reach it at another and to have the relay listen on port.
type recipe struct {
	name   string
	relay  func(b *bench, listen string) (*process, error)
	client func(b *bench, relay, port string) (*process, error)
}

func (r recipe) candidate() candidate {
	launch := func(ctx context.Context, b *bench, slow bool) (p *peer, reach string, err error) {
		listen := freePort()
		p = &peer{name: r.name, port: freePort()}
		if p.relay, err = r.relay(b, listen); err != nil {
			return nil, "", err
		}
		if err := p.relay.answers(ctx, "tcp", listen); err != nil {
			return nil, "", err
		}
		if !slow {
			return p, listen, nil
		}
		d, err := newDelay(listen, oneWay)
		if err != nil {
			return nil, "", err
		}
		return p, d.address, nil
	}
	return candidate{
		name: r.name,
		start: func(ctx context.Context, b *bench, slow bool) (way, error) {
			p, reach, err := launch(ctx, b, slow)
			if err != nil {
				return nil, err
			}
			if p.client, err = r.client(b, reach, p.port); err == nil {
				err = p.client.answers(ctx, "tcp", p.port)
			}
			if err == nil {
				_, err = p.first(ctx, time.Now())
			}
			if err != nil {
				p.Close()
				return nil, err
			}
			return p, nil
		},
		usable: func(ctx context.Context, b *bench, slow bool) (_, echo time.Duration, err error) {
			p, reach, err := launch(ctx, b, slow)
			if err != nil {
				return 0, 0, err
			}
			defer p.Close()
			began := time.Now()
			if p.client, err = r.client(b, reach, p.port); err != nil {
				return 0, 0, err
			}
			echo, err = p.first(ctx, began)
			return echo, echo, err
		},
	}
}

// first tries until an echo comes back.
func (p *peer) first(ctx context.Context, began time.Time) (time.Duration, error) {
	for time.Since(began) < 20*time.Second {
		if d, err := firstEcho(ctx, p, began); err == nil {
			return d, nil
		}
		time.Sleep(500 * time.Microsecond)
	}
	return 0, errors.New(p.name + " does not pass an echo on")
}

// openSSH is `ssh -R` to a real sshd with one cipher.
func openSSH(cipher, name string) candidate {
	return recipe{
		name: name,
		relay: func(b *bench, listen string) (*process, error) {
			dir, err := os.MkdirTemp(b.dir, "sshd-")
			if err != nil {
				return nil, err
			}
			if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // where it separates privileges
				return nil, fmt.Errorf("sshd needs /run/sshd: %w", err)
			}
			if _, err := privateKey(filepath.Join(dir, "host")); err != nil {
				return nil, err
			}
			public, err := privateKey(filepath.Join(b.dir, "user-"+portOf(listen)))
			if err != nil {
				return nil, err
			}
			if err := os.WriteFile(filepath.Join(dir, "authorized"), []byte(public), 0o600); err != nil {
				return nil, err
			}
			config := fmt.Sprintf("ListenAddress %s\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\nMaxStartups 1000\n",
				listen, filepath.Join(dir, "host"), filepath.Join(dir, "authorized"))
			file := filepath.Join(dir, "config")
			if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
				return nil, err
			}
			b.sshKeys[listen] = filepath.Join(b.dir, "user-"+portOf(listen))
			b.lastSSH = listen
			return b.spawn("sshd", "-D", "-e", "-f", file)
		},
		client: func(b *bench, relay, port string) (*process, error) {
			return b.spawn("ssh", "-F", "none", "-N", "-i", b.sshKeys[b.lastSSH], "-c", cipher, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
				"-o", "IdentitiesOnly=yes", "-o", "ExitOnForwardFailure=yes", "-o", "LogLevel=ERROR", "-p", portOf(relay), "-R", port+":"+b.target, "127.0.0.1")
		},
	}.candidate()
}

// chisel, without TLS around it, which is when it is fastest.
func chisel() candidate {
	return recipe{
		name: "chisel",
		relay: func(b *bench, listen string) (*process, error) {
			return b.spawn("chisel", "server", "--reverse", "--host", "127.0.0.1", "--port", portOf(listen))
		},
		client: func(b *bench, relay, port string) (*process, error) {
			return b.spawn("chisel", "client", "http://"+relay, "R:"+port+":"+b.target)
		},
	}.candidate()
}

// frp with its defaults: TLS, and all streams over one connection.
func frp() candidate {
	write := func(b *bench, text string) (string, error) {
		f, err := os.CreateTemp(b.dir, "frp-*.toml")
		if err != nil {
			return "", err
		}
		_, err = f.WriteString(text)
		return f.Name(), errors.Join(err, f.Close())
	}
	return recipe{
		name: "frp",
		relay: func(b *bench, listen string) (*process, error) {
			file, err := write(b, fmt.Sprintf("bindAddr = \"127.0.0.1\"\nbindPort = %s\nproxyBindAddr = \"127.0.0.1\"\n", portOf(listen)))
			if err != nil {
				return nil, err
			}
			return b.spawn("frps", "-c", file)
		},
		client: func(b *bench, relay, port string) (*process, error) {
			file, err := write(b, fmt.Sprintf("serverAddr = \"127.0.0.1\"\nserverPort = %s\n[[proxies]]\nname = \"x\"\ntype = \"tcp\"\nlocalIP = \"127.0.0.1\"\nlocalPort = %s\nremotePort = %s\n",
				portOf(relay), portOf(b.target), portOf(port)))
			if err != nil {
				return nil, err
			}
			return b.spawn("frpc", "-c", file)
		},
	}.candidate()
}
