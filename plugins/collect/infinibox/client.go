package infinibox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// Bounds of the conversation.
const (
	requestTime = 20 * time.Second
	maxAnswer   = 32 << 20
)

// client is a session with an array.
type client struct {
	http *http.Client
	base string // https://host:port
}

// answer is what every answer is wrapped in.
type answer struct {
	Result   json.RawMessage `json:"result"`
	Error    *apiError       `json:"error"`
	Metadata struct {
		Pages int `json:"pages_total"`
	} `json:"metadata"`
}

type apiError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// statusError is an answer other than success.
type statusError struct {
	status int
	api    apiError
}

func (e *statusError) Error() string {
	msg := fmt.Sprintf("the array answered with status %d", e.status)
	if e.api.Code != "" {
		msg += fmt.Sprintf(" (%s: %s)", e.api.Code, e.api.Message)
	}
	return msg
}

// status is the HTTP status in an error, or 0.
func status(err error) int {
	var e *statusError
	if errors.As(err, &e) {
		return e.status
	}
	return 0
}

// connect logs in at the first address that answers.
func connect(ctx context.Context, s *settings) (*client, error) {
	var errs []error
	for _, a := range s.Addresses {
		c := newClient(a, s.Fingerprint)
		err := c.login(ctx, s)
		if err == nil {
			return c, nil
		}
		c.http.CloseIdleConnections()
		errs = append(errs, fmt.Errorf("%s: %w", a, err))
		if st := status(err); ctx.Err() != nil || st == http.StatusUnauthorized || st == http.StatusForbidden {
			break // the other nodes would say the same, and count it as one more attempt
		}
	}
	return nil, errors.Join(errs...)
}

func newClient(address, fingerprint string) *client {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if fingerprint != "" {
		// The pin takes the place of the chain and the name.
		conf.InsecureSkipVerify = true
		conf.VerifyConnection = func(st tls.ConnectionState) error { return pinned(st, fingerprint) }
	}
	jar, _ := cookiejar.New(nil) // without options it cannot fail
	host := address
	if _, _, err := net.SplitHostPort(address); err != nil {
		host = net.JoinHostPort(strings.Trim(address, "[]"), "443")
	}
	return &client{base: "https://" + host, http: &http.Client{
		Jar: jar, Timeout: requestTime,
		Transport: &http.Transport{TLSClientConfig: conf, TLSHandshakeTimeout: requestTime, MaxIdleConns: 1},
		// The password goes where it was sent and nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the array redirects, which it should not")
		},
	}}
}

// pinned checks the array's own certificate.
func pinned(st tls.ConnectionState, fingerprint string) error {
	if len(st.PeerCertificates) == 0 {
		return errors.New("the array shows no certificate")
	}
	sum := sha256.Sum256(st.PeerCertificates[0].Raw)
	want, err := hex.DecodeString(plainHex(fingerprint))
	if err != nil || subtle.ConstantTimeCompare(want, sum[:]) != 1 {
		return fmt.Errorf("the array's certificate has the fingerprint %x, not the one of the settings", sum)
	}
	return nil
}

// plainHex takes the colons out that openssl writes.
func plainHex(s string) string { return strings.ToLower(strings.ReplaceAll(s, ":", "")) }

func (c *client) login(ctx context.Context, s *settings) error {
	body, err := json.Marshal(map[string]string{"username": s.Username, "password": s.Password.Reveal()})
	if err != nil {
		return errors.New("log in: the user name is no text")
	}
	defer clear(body)
	if _, err := c.do(ctx, http.MethodPost, "users/login", body); err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	return nil
}

// logout ends the session: arrays have few. It is done also when the
// collection was cancelled.
func (c *client) logout() {
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	c.do(ctx, http.MethodPost, "users/logout", []byte("{}")) // it would end by itself
	c.http.CloseIdleConnections()
}

// get asks for a resource.
func (c *client) get(ctx context.Context, resource string) (*answer, error) {
	return c.do(ctx, http.MethodGet, resource, nil)
}

func (c *client) do(ctx context.Context, method, resource string, body []byte) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/api/rest/"+resource, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address is told by the caller
		}
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the array's answer: %w", err)
	case len(data) > maxAnswer:
		return nil, fmt.Errorf("the array's answer is longer than %d bytes", maxAnswer)
	}
	var a answer
	jerr := json.Unmarshal(data, &a)
	if resp.StatusCode != http.StatusOK || a.Error != nil {
		e := &statusError{status: resp.StatusCode}
		if jerr == nil && a.Error != nil {
			e.api = *a.Error
		}
		return nil, e
	}
	if jerr != nil {
		return nil, fmt.Errorf("the array's answer is no JSON: %w", jerr)
	}
	return &a, nil
}
