package smtp

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/plugins/internal/trust"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/plugintest"
	fake "github.com/latchstring/latchstring/testdata/infinibox"
)

// relay is a mail relay; answers has what it says to a command instead of yes.
func relayAt(t *testing.T, answers map[string]string) (address string, got <-chan string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	mails := make(chan string, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				fmt.Fprint(c, "220 relay ESMTP\r\n")
				envelope := ""
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					verb := strings.ToUpper(strings.Fields(line + " x")[0])
					if a := answers[verb]; a != "" {
						fmt.Fprint(c, a+"\r\n")
						continue
					}
					switch verb {
					case "EHLO", "HELO":
						fmt.Fprint(c, "250-relay\r\n250 8BITMIME\r\n")
					case "MAIL", "RCPT":
						envelope += line
						fmt.Fprint(c, "250 ok\r\n")
					case "DATA":
						fmt.Fprint(c, "354 go on\r\n")
						text := envelope
						for {
							line, err := r.ReadString('\n')
							if err != nil {
								return
							}
							if line == ".\r\n" {
								break
							}
							text += line
						}
						if a := answers["END"]; a != "" {
							fmt.Fprint(c, a+"\r\n")
							continue
						}
						mails <- text
						fmt.Fprint(c, "250 ok\r\n")
					case "QUIT":
						fmt.Fprint(c, "221 bye\r\n")
						return
					default:
						fmt.Fprint(c, "250 ok\r\n")
					}
				}
			}()
		}
	}()
	return l.Addr().String(), mails
}

func own(address string) map[string]any {
	host, port, _ := net.SplitHostPort(address)
	return map[string]any{"host": host, "port": port, "security": "none", "from": "sa@example.com", "hello": "sa1", "timeout": "5s"}
}

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

var event = eventsink.Event{ID: "7-abc", Code: "LOGIN_LOCKED", Description: "login locked: md0: degraded", Level: "error", Time: time.Unix(1e9, 0), Data: map[string]string{"subject": "md0"}}

func received(t *testing.T, got <-chan string) string {
	t.Helper()
	select {
	case s := <-got:
		return s
	case <-time.After(5 * time.Second):
		t.Fatal("no mail")
		return ""
	}
}

// REQ F1: own settings.
func TestOwnRelay(t *testing.T) {
	address, got := relayAt(t, nil)
	s := sink(t, own(address))
	if err := s.Deliver(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	m := received(t, got)
	for _, want := range []string{"MAIL FROM:<sa@example.com>", "RCPT TO:<callhome@infiniops.com>", "Subject: [error] sa1: login locked: md0: degraded", "Message-ID: <7-abc@sa1>", "subject: md0", "Auto-Submitted: auto-generated"} {
		if !strings.Contains(m, want) {
			t.Errorf("%q is not in\n%s", want, m)
		}
	}
}

// REQ F1: through the array's SMTP entry, which is looked up by its name.
func TestThroughTheArray(t *testing.T) {
	address, got := relayAt(t, nil)
	srv := httptest.NewUnstartedServer(fake.New(fake.Options{SMTP: address}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	defer srv.Close()
	array := map[string]any{"addresses": []string{srv.Listener.Addr().String()}, "pin": trust.ShowPin(sha256.Sum256(srv.Certificate().Raw)), "event_user": "tech", "event_password": "tech-pass"}
	if err := sink(t, map[string]any{"array": array}).Deliver(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	if m := received(t, got); !strings.Contains(m, "MAIL FROM:<ibox-lab@example.com>") || !strings.Contains(m, "RCPT TO:<callhome@infiniops.com>") {
		t.Error(m)
	}
	err := sink(t, map[string]any{"array": array, "target": "another"}).Deliver(t.Context(), event)
	if !errors.Is(err, failure.Config) || !strings.Contains(err.Error(), `no SMTP entry "another"`) || eventsink.IsPermanent(err) {
		t.Error(err)
	}
}

// REQ F2: an error has both hints. What somebody can mend at the relay waits; only
// a message that is refused itself is given up.
func TestRefusals(t *testing.T) {
	for verb, c := range map[string]struct {
		answer string
		perm   bool
	}{
		"RCPT": {"550 5.7.1 relaying denied", false},
		"MAIL": {"550 sender unknown", false},
		"DATA": {"451 later", false},
		"END":  {"554 5.6.0 message refused", true},
		"EHLO": {"421 go away", false},
	} {
		answers := map[string]string{verb: c.answer}
		if verb == "EHLO" {
			answers["HELO"] = c.answer
		}
		address, _ := relayAt(t, answers)
		err := sink(t, own(address)).Deliver(t.Context(), event)
		var f *failure.Error
		if err == nil || eventsink.IsPermanent(err) != c.perm || !errors.As(err, &f) ||
			!strings.Contains(f.Hint, "callhome@infiniops.com is allowed on the mail relay") || !strings.Contains(f.Hint, "outbound TCP port") {
			t.Errorf("%s: %v (permanent %v), hint %v", verb, err, eventsink.IsPermanent(err), f)
		}
	}
	err := sink(t, own("127.0.0.1:1")).Deliver(t.Context(), event)
	var f *failure.Error
	if !errors.As(err, &f) || !strings.Contains(f.Hint, "port 1 to 127.0.0.1 is open") || eventsink.IsPermanent(err) {
		t.Error(err)
	}
	set := own("127.0.0.1:1")
	address, _ := relayAt(t, nil)
	_, set["port"], _ = net.SplitHostPort(address)
	set["security"] = "starttls"
	if err := sink(t, set).Deliver(t.Context(), event); err == nil || eventsink.IsPermanent(err) {
		t.Errorf("a relay without STARTTLS: %v", err)
	}
}

// An attack: what an event says makes no header and ends no mail.
func TestForgery(t *testing.T) {
	evil := "x\r\nBcc: evil@example.com\r\n\r\n.\r\nMAIL FROM:<evil@example.com>\u2028\x00"
	address, got := relayAt(t, nil)
	e := eventsink.Event{ID: evil, Code: evil, Level: evil, Description: evil, Time: time.Unix(1e9, 0), Data: map[string]string{evil: evil}}
	if err := sink(t, own(address)).Deliver(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	text := received(t, got)
	_, text, _ = strings.Cut(text, "RCPT TO:<callhome@infiniops.com>\r\n")
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err, text)
	}
	for name := range m.Header {
		switch name {
		case "From", "To", "Subject", "Date", "Message-Id", "X-Latchstring-Event", "Auto-Submitted", "Mime-Version", "Content-Type", "Content-Transfer-Encoding":
		default:
			t.Errorf("header %s: %s", name, m.Header.Get(name))
		}
	}
	if to, err := m.Header.AddressList("To"); err != nil || len(to) != 1 {
		t.Errorf("to %v, %v", to, err)
	}
	for _, line := range strings.Split(text, "\r\n") {
		if strings.HasPrefix(line, "Bcc:") || strings.HasPrefix(line, "MAIL FROM") || line == "." {
			t.Errorf("forged line %q", line)
		}
	}
}

func TestSettings(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:           "host: want a mail relay",
		`{"host":"x"}`: "from: a relay of your own needs a sender",
		`{"host":"x","from":"a@b","to":["nobody\r\nBcc: x@y"]}`:                         "to: want an address",
		`{"host":"x","from":"a@b","user":"u","password":"p","security":"none"}`:         "security: a password goes over",
		`{"host":"x","from":"a@b","user":"u"}`:                                          "password: user needs one",
		`{"array":{"addresses":["https://x"],"event_user":"u","event_password":"p"}}`:   "array.addresses: write each",
		`{"array":{"addresses":["x"],"event_user":"u","event_password":"p","pin":"1"}}`: "array.pin:",
	} {
		if err := config.Decode(New().Config(), []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestConformance(t *testing.T) {
	address, got := relayAt(t, nil)
	go func() {
		for range got {
		}
	}()
	plugintest.EventSink(t, func() eventsink.Sink { return New() }, plugintest.Options{Config: own(address), Broken: own("127.0.0.1:1")})
}
