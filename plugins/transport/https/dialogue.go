package https

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/latchstring/latchstring/sdk/transport"
)

const (
	maxHeader  = 64 << 10 // of one answer
	maxBody    = 1 << 20  // of an error page that is read to keep the connection
	maxAnswers = 6        // before we stop arguing
)

// dialogue asks one proxy for one connection.
type dialogue struct {
	*settings
	target  string
	connect func() (*link, error)

	login login // the way in use, nil before the proxy asked
}

// way names how we got in, for status pages.
func (d *dialogue) way() string {
	if d.login == nil {
		return "no authentication"
	}
	return d.login.name()
}

// run sends CONNECT until the proxy says yes or there is nothing left to try.
func (d *dialogue) run(ctx context.Context) (_ *link, err error) {
	l, err := d.connect()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil && l != nil {
			l.conn.Close()
		}
	}()
	var credentials string
	for range maxAnswers {
		var a *answer
		err := transport.Converse(ctx, l.conn, func() (err error) {
			a, err = d.ask(l, credentials)
			return err
		})
		if err != nil {
			return nil, err
		}
		switch {
		case a.status/100 == 2:
			return l, nil
		case a.status != http.StatusProxyAuthRequired:
			return nil, d.refused(a)
		}
		if credentials, err = d.answerChallenge(a); err != nil {
			return nil, err
		}
		if a.closes {
			l.conn.Close()
			l = nil
			if d.login.bound() {
				return nil, transport.Errorf(transport.ProxyBroken, "the proxy must keep connections open for "+d.login.name(), "the proxy closes the connection in the middle of the %s login", d.login.name())
			}
			if l, err = d.connect(); err != nil {
				return nil, err
			}
		}
	}
	return nil, transport.Errorf(transport.ProxyAuth, "check user name and password", "the proxy keeps asking for credentials")
}

// answerChallenge gives the next Proxy-Authorization.
func (d *dialogue) answerChallenge(a *answer) (string, error) {
	offers := parseOffers(a.header.Values("Proxy-Authenticate"))
	if d.login == nil {
		login, err := d.choose(offers)
		if err != nil {
			return "", err
		}
		d.login = login
	}
	credentials, err := d.login.next(offers)
	if errors.Is(err, errDenied) {
		return "", transport.Errorf(transport.ProxyAuth, "check user name and password", "the proxy %s does not accept the credentials (%s)", d.Proxy, d.login.name())
	}
	if err != nil {
		return "", err
	}
	return credentials, nil
}

// answer is what came back for one CONNECT.
type answer struct {
	status int
	line   string // status line, for error texts
	header textproto.MIMEHeader
	closes bool // the connection cannot be used again
}

// ask sends one request and reads the answer. After a refusal the body is read
// too, so that the connection can carry the next request.
func (d *dialogue) ask(l *link, credentials string) (*answer, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: latchstring\r\n", d.target, d.target)
	if credentials != "" {
		fmt.Fprintf(&b, "Proxy-Authorization: %s\r\n", credentials)
	}
	b.WriteString("\r\n")
	if _, err := io.WriteString(l.conn, b.String()); err != nil {
		return nil, transport.Explain(err)
	}
	a, err := readAnswer(l.br)
	if err != nil {
		return nil, err
	}
	if a.status/100 != 2 && !a.closes {
		a.closes = drain(l.br, a.header) != nil
	}
	return a, nil
}

// readAnswer reads a status line and headers, at most maxHeader bytes of them.
// Interim answers (1xx) are passed over.
func readAnswer(br *bufio.Reader) (*answer, error) {
	budget := maxHeader
	for {
		line, err := readLine(br, &budget)
		if err != nil {
			return nil, err
		}
		proto, rest, found := strings.Cut(line, " ")
		if !found || !strings.HasPrefix(proto, "HTTP/1.") || len(rest) < 3 {
			return nil, transport.Errorf(transport.ProxyBroken, "is it an HTTP proxy, and the right port?", "what answers is no HTTP proxy")
		}
		status, err := strconv.Atoi(rest[:3])
		if err != nil || status < 100 {
			return nil, transport.Errorf(transport.ProxyBroken, "is it an HTTP proxy?", "the proxy's answer has no status")
		}
		header := textproto.MIMEHeader{}
		for {
			line, err := readLine(br, &budget)
			if err != nil {
				return nil, err
			}
			if line == "" {
				break
			}
			if name, value, found := strings.Cut(line, ":"); found {
				header.Add(textproto.TrimString(name), textproto.TrimString(value))
			}
		}
		if status/100 == 1 {
			continue
		}
		a := &answer{status: status, line: printable(rest), header: header}
		connection := strings.ToLower(header.Get("Connection") + "," + header.Get("Proxy-Connection"))
		a.closes = strings.Contains(connection, "close") ||
			proto == "HTTP/1.0" && !strings.Contains(connection, "keep-alive")
		return a, nil
	}
}

func readLine(br *bufio.Reader, budget *int) (string, error) {
	var line []byte
	for {
		part, more, err := br.ReadLine()
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return "", transport.Errorf(transport.ProxyBroken, "is it an HTTP proxy, and the right port?", "the proxy hung up instead of answering")
			}
			return "", transport.Explain(err)
		}
		if *budget -= len(part) + 2; *budget < 0 {
			return "", transport.Errorf(transport.ProxyBroken, "is it an HTTP proxy?", "the header of the proxy's answer is longer than %d bytes", maxHeader)
		}
		line = append(line, part...)
		if !more {
			return string(line), nil
		}
	}
}

// drain reads the body of a refusal. An error means that the connection is of
// no more use.
func drain(br *bufio.Reader, h textproto.MIMEHeader) error {
	resp := &http.Response{Header: http.Header(h)}
	if strings.EqualFold(h.Get("Transfer-Encoding"), "chunked") {
		// net/http knows chunks; give it an answer made of this body alone.
		r, err := http.ReadResponse(bufio.NewReader(io.MultiReader(strings.NewReader("HTTP/1.1 407 x\r\nTransfer-Encoding: chunked\r\n\r\n"), oneByte{br})), nil)
		if err != nil {
			return err
		}
		resp = r
	} else {
		n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
		if err != nil || n < 0 {
			return errors.New("a body without a length")
		}
		resp.Body = io.NopCloser(io.LimitReader(br, n))
	}
	n, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	if err == nil && n == maxBody {
		err = errors.New("too long a body")
	}
	return err
}

// oneByte reads no further than it must: what follows the last chunk is the
// next answer's.
type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return o.r.Read(p[:1])
}

// printable keeps what a proxy says out of the control of terminals.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r > 0x7e {
			return '?'
		}
		return r
	}, s[:min(len(s), 120)])
}
