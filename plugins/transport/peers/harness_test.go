package peers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/plugins/transport/https"
	"github.com/latchstring/latchstring/plugins/transport/socks"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/transport"
	"github.com/latchstring/latchstring/testdata/peers"
)

const password = peers.Password

// target is where connections shall lead: it sends a greeting and then echoes.
func target(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.WriteString(conn, "hello\n") // at once: behind the proxy's answer
				io.Copy(conn, conn)
			}()
		}
	}()
	return l.Addr().String()
}

func configured(t *testing.T, name string, settings map[string]any) transport.Transport {
	t.Helper()
	b, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	var tr interface {
		transport.Transport
		Config() any
	}
	switch name {
	case https.Name:
		tr = https.New()
	case socks.Name:
		tr = socks.New()
	}
	if err := config.Decode(tr.Config(), b); err != nil {
		t.Fatal(err)
	}
	return tr
}

// through dials the target and checks that bytes go both ways, whole.
func through(t *testing.T, tr transport.Transport, address string) {
	t.Helper()
	conn, err := tr.Dial(t.Context(), transport.Target{Network: "tcp", Address: address})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	br := bufio.NewReader(conn)
	if line, err := br.ReadString('\n'); line != "hello\n" {
		t.Fatalf("greeting: %q, %v", line, err)
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
	go conn.Write(data)
	got := make([]byte, len(data))
	if _, err := io.ReadFull(br, got); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("echo of 1 MiB: %v, equal %v", err, bytes.Equal(got, data))
	}
}

// refused dials and expects a failure of one of the codes that does not repeat
// the password.
func refused(t *testing.T, tr transport.Transport, address string, codes ...error) {
	t.Helper()
	conn, err := tr.Dial(t.Context(), transport.Target{Network: "tcp", Address: address})
	if err == nil {
		conn.Close()
		t.Fatal("the connection was made")
	}
	if strings.Contains(err.Error(), password) {
		t.Errorf("the password is in the error: %v", err)
	}
	for _, code := range codes {
		if errors.Is(err, code) {
			return
		}
	}
	t.Errorf("got %v, want one of %v", err, codes)
}

// with are the settings of a transport through the proxy, and more.
func with(p *peers.Proxy, more map[string]any) map[string]any {
	all := map[string]any{"proxy": p.Address, "timeout": "10s"}
	maps.Copy(all, p.Settings)
	maps.Copy(all, more)
	return all
}

// as adds a login.
func as(settings map[string]any, user, password string) map[string]any {
	all := maps.Clone(settings)
	all["user"], all["password"] = user, password
	return all
}
