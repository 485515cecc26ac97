package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/latchstring/latchstring/plugins/eventsink/internal/box"
	"github.com/latchstring/latchstring/plugins/eventsink/internal/text"
	"github.com/latchstring/latchstring/plugins/internal/trust"
	"github.com/latchstring/latchstring/plugins/transport/tcp"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the sink's name.
const Name = "smtp"

type settings struct {
	To       []string      `config:"to" default:"callhome@infiniops.com" help:"the vendor's call-home address"`
	From     string        `config:"from" help:"sender; by default that of the array's target"`
	Host     string        `config:"host" help:"mail relay; without one it is that of the array's target"`
	Port     int           `config:"port" help:"its port; 25, with tls 465"`
	Security string        `config:"security" oneof:"starttls,tls,none" help:"starttls, tls from the first byte, or none; by default starttls, with the array's target as it says"`
	CA       string        `config:"ca" help:"PEM certificates that the relay's must chain to, instead of the system's"`
	Pin      string        `config:"pin" help:"SHA-256 of the relay's certificate instead"`
	User     string        `config:"user" help:"login at the relay"`
	Password config.Secret `config:"password" help:"its password"`
	Hello    string        `config:"hello" help:"name of this machine for the relay; by default its own"`
	Target   string        `config:"target" default:"infinidat-smtp" help:"notification target of the array"`
	Timeout  time.Duration `config:"timeout" default:"30s" help:"how long one delivery may take"`
	Array    box.Settings  `config:"array"`
}

// Validate checks what the tags cannot say.
func (s *settings) Validate() error {
	var p config.Problems
	address := func(field, a string) {
		if m, err := mailAddress(a); err != nil || m != a {
			p.Add(field, "want an address like support@example.com")
		}
	}
	if len(s.To) == 0 || len(s.To) > 20 {
		p.Add("to", "want 1 to 20 addresses")
	}
	for _, a := range s.To {
		address("to", a)
	}
	if s.From != "" {
		address("from", s.From)
	}
	if s.Host == "" {
		if len(s.Array.Addresses) == 0 {
			p.Add("host", "want a mail relay, or the array whose target %s has one", s.Target)
		} else {
			s.Array.Check(&p, "array.")
		}
	} else if s.From == "" {
		p.Add("from", "a relay of your own needs a sender")
	}
	if strings.ContainsAny(s.Host, " /@\r\n\t") {
		p.Add("host", "want the name or address of a machine")
	}
	if s.Port < 0 || s.Port > 65535 {
		p.Add("port", "want 1 to 65535")
	}
	if s.User != "" && s.Security == "none" {
		p.Add("security", "a password goes over starttls or tls only")
	}
	if s.User != "" && s.Password.IsZero() {
		p.Add("password", "user needs one")
	}
	if s.CA != "" {
		if err := trust.CheckCA(s.CA); err != nil {
			p.Add("ca", "%v", err)
		}
	}
	if s.Pin != "" {
		if _, err := trust.ParsePin(s.Pin); err != nil {
			p.Add("pin", "%v", err)
		}
	}
	if s.Timeout <= 0 {
		p.Add("timeout", "it must be more than nothing")
	}
	return p.Err()
}

func mailAddress(a string) (string, error) {
	m := mail.NewMsg()
	if err := m.To(a); err != nil {
		return "", err
	}
	return m.GetTo()[0].Address, nil
}

// Sink sends mail.
type Sink struct{ settings settings }

// New makes the sink.
func New() *Sink { return &Sink{} }

// Help is a line for `describe`.
func (s *Sink) Help() string {
	return "mail to the vendor's call-home address, through the array's relay or another"
}

// Config is where the host's settings go.
func (s *Sink) Config() any { return &s.settings }

// Needs declares the ports of relay and array, which only the settings know.
func (s *Sink) Needs() needs.List {
	return needs.List{Ports: []string{"*"}, Paths: tcp.ResolverPaths()}
}

// relay is where a mail goes.
type relay struct {
	host, from, security string
	port                 int
}

func (r relay) String() string { return net.JoinHostPort(r.host, strconv.Itoa(r.port)) }

// find says which relay it is.
func (s *Sink) find(ctx context.Context) (relay, error) {
	r := relay{host: s.settings.Host, from: s.settings.From, security: s.settings.Security, port: s.settings.Port}
	if r.host == "" {
		var list []struct {
			Name, Protocol, Host string
			Port                 int
			TLS                  bool
			From                 string `json:"from_address"`
			User                 string `json:"username"`
		}
		err := s.settings.Array.Do(ctx, http.MethodGet, "notifications/targets?name="+url.QueryEscape("eq:"+s.settings.Target), nil, &list)
		if err != nil {
			return r, box.Explain(err)
		}
		i := slices.IndexFunc(list, func(t struct {
			Name, Protocol, Host string
			Port                 int
			TLS                  bool
			From                 string `json:"from_address"`
			User                 string `json:"username"`
		}) bool {
			return t.Name == s.settings.Target && strings.EqualFold(t.Protocol, "SMTP") && t.Host != ""
		})
		if i < 0 {
			return r, eventsink.Errorf(failure.Config, "set the SMTP entry up at the array, or a mail relay of your own", "the array has no SMTP entry %q", s.settings.Target)
		}
		t := list[i]
		if t.User != "" && s.settings.User == "" {
			return r, eventsink.Errorf(failure.Config, "set user and password of the mail relay; arrays do not tell them", "the array's SMTP entry %q logs in at its relay", t.Name)
		}
		r.host = t.Host
		if r.port == 0 {
			r.port = t.Port
		}
		if r.from == "" {
			r.from = t.From
		}
		if r.security == "" {
			r.security = map[bool]string{true: "starttls", false: "none"}[t.TLS]
		}
		if r.port == 465 && t.TLS && s.settings.Security == "" {
			r.security = "tls"
		}
	}
	if r.security == "" {
		r.security = "starttls"
	}
	if r.port == 0 {
		r.port = map[bool]int{true: 465, false: 25}[r.security == "tls"]
	}
	return r, nil
}

// Deliver implements [eventsink.Sink].
func (s *Sink) Deliver(ctx context.Context, e eventsink.Event) error {
	ctx, cancel := context.WithTimeout(ctx, s.settings.Timeout)
	defer cancel()
	r, err := s.find(ctx)
	if err != nil {
		return err
	}
	m, err := s.message(r, e)
	if err != nil {
		return err
	}
	err = s.send(ctx, r, m)
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	}
	return s.explain(r, err)
}

// explain names both hints of the array's own test (REQ F2).
func (s *Sink) explain(r relay, err error) error {
	hint := fmt.Sprintf("ensure that the address %s is allowed on the mail relay; ensure that the outbound TCP port %d to %s is open", strings.Join(s.settings.To, ", "), r.port, r.host)
	code := failure.Unreachable
	if trust.IsCertificate(err) {
		code, hint = failure.TLS, "if the mail relay has a certificate of your own authority, set ca or pin; "+hint
	}
	said := text.Line(err.Error(), 400)
	var refused *mail.SendError
	if errors.As(err, &refused) && refused.ErrorCode() >= 500 && (refused.Reason == mail.ErrSMTPData || refused.Reason == mail.ErrSMTPDataClose) {
		return eventsink.Permanent(failure.New(failure.Failed, hint, "the mail relay %s refuses the message: %s", r, said))
	}
	return eventsink.Errorf(code, hint, "mail through %s: %s", r, said)
}

// message writes the mail.
func (s *Sink) message(r relay, e eventsink.Event) (*mail.Msg, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := m.From(r.from); err != nil {
		return nil, eventsink.Errorf(failure.Config, "set from", "the sender is no mail address")
	}
	if err := m.To(s.settings.To...); err != nil {
		return nil, eventsink.Errorf(failure.Config, "set to", "the recipient is no mail address")
	}
	what := e.Description
	if what == "" {
		what = e.Code
	}
	what = text.Line(what, 300)
	host := plain(s.name())
	m.Subject(text.Line("["+e.Level+"] "+host+": "+what, 200))
	m.SetMessageIDWithValue(plain(e.ID) + "@" + host)
	if y := e.Time.UTC().Year(); y > 1970 && y < 9999 {
		m.SetDateWithValue(e.Time)
	} else {
		m.SetDate()
	}
	m.SetGenHeader("X-Latchstring-Event", plain(e.Code))
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	var b strings.Builder
	fmt.Fprintf(&b, "%s\r\n\r\nevent: %s\r\nid: %s\r\ntime: %s\r\nlevel: %s\r\nmachine: %s\r\n", what, text.Line(e.Code, 100), text.Line(e.ID, 100), e.Time.UTC().Format(time.RFC3339), text.Line(e.Level, 20), host)
	for i, k := range slices.Sorted(maps.Keys(e.Data)) {
		if i == 100 {
			break
		}
		fmt.Fprintf(&b, "%s: %s\r\n", text.Line(k, 100), text.Line(e.Data[k], 1000))
	}
	m.SetBodyString(mail.TypeTextPlain, b.String())
	return m, nil
}

func (s *Sink) name() string {
	if s.settings.Hello != "" {
		return s.settings.Hello
	}
	name, _ := os.Hostname()
	return name
}

// plain keeps what may stand in any header as it is.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '_'
	}, s)
	if s == "" {
		return "none"
	}
	return s[:min(len(s), 100)]
}

func (s *Sink) send(ctx context.Context, r relay, m *mail.Msg) error {
	conf, _ := trust.Config(s.settings.Pin, s.settings.CA)
	conf.ServerName = r.host
	opened := make(chan net.Conn, 1)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if r.security == "tls" {
			t := tls.Client(c, conf)
			if err := t.HandshakeContext(ctx); err != nil {
				c.Close()
				return nil, err
			}
			c = t
		}
		opened <- c
		return c, nil
	}
	opts := []mail.Option{mail.WithPort(r.port), mail.WithTimeout(s.settings.Timeout), mail.WithTLSConfig(conf), mail.WithHELO(plain(s.name())), mail.WithoutNoop()}
	switch r.security {
	case "tls":
		opts = append(opts, mail.WithSSL())
	case "starttls":
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
	default:
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	}
	opts = append(opts, mail.WithDialContextFunc(dial))
	if s.settings.User != "" {
		opts = append(opts, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.settings.User), mail.WithPassword(s.settings.Password.Reveal()))
	}
	c, err := mail.NewClient(r.host, opts...)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- c.DialAndSendWithContext(ctx, m) }()
	for {
		select {
		case err := <-done:
			if m.IsDelivered() { // what went wrong after that is no matter
				return nil
			}
			return err
		case conn := <-opened:
			// It is cut when ctx ends, at whatever step.
			defer context.AfterFunc(ctx, func() { conn.Close() })()
		}
	}
}
