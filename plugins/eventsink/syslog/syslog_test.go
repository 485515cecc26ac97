package syslog

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/latchstring/latchstring/plugins/internal/trust"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/plugintest"
	"github.com/latchstring/latchstring/testdata/until"
)

func sink(t *testing.T, set map[string]any) *Sink {
	t.Helper()
	s := New()
	data, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	if err := config.Decode(s.Config(), data); err != nil {
		t.Fatal(err)
	}
	return s
}

// server takes connections and keeps the messages that it reads by octet counting.
func server(t *testing.T, l net.Listener) <-chan string {
	got := make(chan string, 100)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for {
					n, err := r.ReadString(' ')
					if err != nil {
						return
					}
					size, err := strconv.Atoi(strings.TrimSpace(n))
					if err != nil {
						got <- "NO COUNT " + n
						return
					}
					b := make([]byte, size)
					if _, err := io.ReadFull(r, b); err != nil {
						got <- "SHORT"
						return
					}
					got <- string(b)
				}
			}()
		}
	}()
	return got
}

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var event = eventsink.Event{ID: "7-abc", Code: "SUPPORT_CONNECTED", Description: "Infinidat Support connected to the system", Level: "info",
	Time: time.Date(2026, 11, 23, 4, 5, 6, 7000, time.UTC), Data: map[string]string{"case": "4711", "actor": `engineer:"ada"]\`}}

const wantEvent = `<110>1 2026-11-23T04:05:06.000007Z sa1 latchstring - SUPPORT_CONNECTED [latchstring@32473 id="7-abc" actor="engineer:\"ada\"\]\\" case="4711"] ` + "\uFEFFInfinidat Support connected to the system"

func next(t *testing.T, got <-chan string) string {
	t.Helper()
	select {
	case s := <-got:
		return s
	case <-time.After(5 * time.Second):
		t.Fatal("no message")
		return ""
	}
}

func TestTCP(t *testing.T) {
	l := listen(t)
	got := server(t, l)
	s := sink(t, map[string]any{"address": l.Addr().String(), "hostname": "sa1"})
	for range 2 {
		if err := s.Deliver(t.Context(), event); err != nil {
			t.Fatal(err)
		}
		if m := next(t, got); m != wantEvent {
			t.Errorf("got\n%s, want\n%s", m, wantEvent)
		}
	}
}

func TestTLS(t *testing.T) {
	srv := httptest.NewUnstartedServer(nil)
	srv.StartTLS() // for its certificate
	cert := srv.TLS.Certificates[0]
	srv.Close()
	l := tls.NewListener(listen(t), &tls.Config{Certificates: []tls.Certificate{cert}})
	got := server(t, l)
	set := map[string]any{"address": l.Addr().String(), "hostname": "sa1", "protocol": "tls", "pin": trust.ShowPin(sha256.Sum256(cert.Certificate[0]))}
	if err := sink(t, set).Deliver(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	if m := next(t, got); m != wantEvent {
		t.Errorf("got %s", m)
	}
	set["pin"] = trust.ShowPin(sha256.Sum256(nil))
	if err := sink(t, set).Deliver(t.Context(), event); err == nil || eventsink.IsPermanent(err) {
		t.Errorf("a server with another certificate: %v", err)
	}
}

func TestUDP(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := sink(t, map[string]any{"address": c.LocalAddr().String(), "hostname": "sa1", "protocol": "udp"})
	if err := s.Deliver(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, _, err := c.ReadFrom(b)
	if err != nil || string(b[:n]) != wantEvent {
		t.Errorf("%v, %s", err, b[:n])
	}
	c.Close()
	if err := s.Deliver(t.Context(), event); err == nil || eventsink.IsPermanent(err) {
		t.Errorf("a port that is shut: %v", err)
	}
}

// message is what RFC 5424 lets through, as strict as its grammar.
var message = regexp.MustCompile(`^<(\d{1,3})>1 (-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) [!-~]{1,255} [!-~]{1,48} [!-~]{1,128} [!-~]{1,32} \[latchstring@32473( [!#-<>-\\^-~]{1,32}="([^"\\\]]|\\["\\\]])*")*\]( \x{FEFF}.*)?$`)

func checkMessage(t *testing.T, b []byte, limit int) {
	t.Helper()
	if !message.Match(b) || !utf8.Valid(b) || len(b) > limit {
		t.Fatalf("%d bytes, no message of RFC 5424: %q", len(b), b)
	}
	for _, r := range string(b) {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x202e {
			t.Fatalf("%U is in %q", r, b)
		}
	}
}

// An attack: what an event says forges no second line, no structured data and no
// other priority.
func TestForgery(t *testing.T) {
	evil := "x\"] forged\n<0>1 - evil evil - - - pwned\r\n17 <0>1 - a b c d - e\x00\x1b[2J\u2028\u202e\\"
	e := eventsink.Event{ID: evil, Code: evil, Level: evil, Description: evil, Time: time.Unix(0, 0), Data: map[string]string{evil: evil, `a"]=b`: "c", "": "d"}}
	for _, limit := range []int{480, 2048, 8192} {
		b := format(from{facility: 13, host: evil, app: evil, pid: evil, limit: limit}, e)
		checkMessage(t, b, limit)
		if !bytes.HasPrefix(b, []byte("<110>1 ")) || bytes.Count(b, []byte("[latchstring@32473")) != 1 {
			t.Errorf("%q", b)
		}
	}
}

func FuzzFormat(f *testing.F) {
	f.Add("id", "CODE", "text", "info", "k", "v", int64(0), 480)
	f.Add("\n", "\x00]", "\xff\"", "error", "=]\"", "\\\"]", int64(1)<<60, 8192)
	f.Fuzz(func(t *testing.T, id, code, said, level, k, v string, at int64, limit int) {
		limit = 480 + max(limit, 0)%8000
		b := format(from{facility: 13, host: code, app: "latchstring", pid: "-", limit: limit},
			eventsink.Event{ID: id, Code: code, Description: said, Level: level, Time: time.UnixMilli(at), Data: map[string]string{k: v, "x": said}})
		if len(code) > 255 {
			limit += 255
		}
		checkMessage(t, b, max(limit, 800))
	})
}

func TestSettings(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                            "address: is required",
		`{"address":"x:y"}`:             "address: write it as",
		`{"address":"x","facility":24}`: "facility: want 0 to 23",
		`{"address":"x","protocol":"udp","ca":"x"}`:          "protocol: certificates need tls",
		`{"address":"x","protocol":"tls","certificate":"x"}`: "certificate: it and key",
		`{"address":"x","max_size":1}`:                       "max_size: want",
	} {
		if err := config.Decode(New().Config(), []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// The real thing: rsyslog reads what is sent, one message an event.
func TestRsyslog(t *testing.T) {
	program, err := exec.LookPath("rsyslogd")
	if err != nil {
		if program = "/usr/sbin/rsyslogd"; !exists(program) {
			t.Skip("rsyslogd is not installed (Debian package rsyslog)")
		}
	}
	dir := t.TempDir()
	l := listen(t)
	address := l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	l.Close()
	out, conf := filepath.Join(dir, "out"), filepath.Join(dir, "conf")
	os.WriteFile(conf, fmt.Appendf(nil, `module(load="imtcp")
input(type="imtcp" port="%s" address="127.0.0.1")
template(name="t" type="string" string="%%pri%%|%%app-name%%|%%msgid%%|%%structured-data%%|%%msg%%\n")
*.* action(type="omfile" file="%s" template="t")
`, port, out), 0o600)
	cmd := exec.Command(program, "-n", "-f", conf, "-i", filepath.Join(dir, "pid"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	s := sink(t, map[string]any{"address": address, "hostname": "sa1"})
	evil := event
	evil.Description, evil.Data = "a\n<0>1 - x y z - - forged", map[string]string{"k": "v\"]\n"}
	deadline := time.Now().Add(10 * time.Second)
	for s.Deliver(t.Context(), event) != nil {
		if time.Now().After(deadline) {
			t.Skip("rsyslogd does not listen here")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := s.Deliver(t.Context(), evil); err != nil {
		t.Fatal(err)
	}
	var got string
	until.OK(t, "rsyslog has both", func() error {
		b, _ := os.ReadFile(out)
		got = string(b)
		if i := strings.Index(got, "110|latchstring"); i > 0 { // what it says of itself
			got = got[i:]
		}
		if strings.Count(got, "\n") < 2 {
			return errors.New(got)
		}
		return nil
	})
	lines := strings.Split(strings.TrimSpace(got), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `|SUPPORT_CONNECTED|[latchstring@32473 id="7-abc" actor="engineer:\"ada\"\]\\" case="4711"]|`) ||
		!strings.HasPrefix(lines[1], "110|latchstring|") || !strings.Contains(lines[1], "forged") {
		t.Errorf("rsyslog has\n%s", got)
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func TestConformance(t *testing.T) {
	l := listen(t)
	got := server(t, l)
	go func() {
		for range got {
		}
	}()
	plugintest.EventSink(t, func() eventsink.Sink { return New() }, plugintest.Options{
		Config: map[string]any{"address": l.Addr().String()}, Broken: map[string]any{"address": "127.0.0.1:1"},
	})
}
