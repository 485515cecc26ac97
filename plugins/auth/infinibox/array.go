package infinibox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/latchstring/latchstring/sdk/auth"
)

// maxAnswer bounds what is read of an answer; the longest that is expected,
// that of GET system, has some 10 kB.
const maxAnswer = 1 << 20

// logoutLimit is how long closing the array's session may take.
const logoutLimit = 5 * time.Second

// account is what the array says of a user.
type account struct {
	Name    string
	Roles   []string
	Serial  string
	Array   string
	Product string
}

// unavailable is a management address that gave no usable answer.
type unavailable struct {
	what string
	err  error
}

func (e *unavailable) Error() string {
	if e.err == nil {
		return e.what
	}
	return e.what + ": " + e.err.Error()
}

func (e *unavailable) Unwrap() error { return e.err }

// errRefused says that the array turned user and password down.
var errRefused = errors.New("refused")

// array is one management address.
type array struct {
	http *http.Client
	base string // https://host:port/api/rest/
}

// login asks the array who the user is, with body as the credentials, and
// closes the session that this opens. It goes on to the end when ctx ends, so
// as to learn which session is to be closed, but for no longer than limit, and
// the caller does not wait for it. It wipes body.
func (a *array) login(ctx context.Context, body []byte, limit time.Duration) (account, error) {
	type answer struct {
		account
		err error
	}
	done := make(chan answer, 1)
	go func() {
		defer a.http.CloseIdleConnections()
		inner, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		defer cancel()
		acc, err := a.converse(inner, body)
		done <- answer{acc, err}
	}()
	select {
	case got := <-done:
		return got.account, got.err
	case <-ctx.Done():
		return account{}, context.Cause(ctx)
	}
}

func (a *array) converse(ctx context.Context, body []byte) (acc account, err error) {
	once := &wiped{b: body}
	defer once.Close()
	req, err := a.request(ctx, http.MethodPost, "users/login", once)
	if err != nil {
		return acc, err
	}
	req.ContentLength = int64(len(body))
	resp, err := a.http.Do(req)
	once.Close()
	if err != nil {
		return acc, &unavailable{"it does not answer", plain(err)}
	}
	var cookies []*http.Cookie
	for _, c := range resp.Cookies() {
		if c.MaxAge >= 0 && c.Value != "" {
			cookies = append(cookies, c)
		}
	}
	if len(cookies) > 0 {
		defer a.logout(ctx, cookies)
	}
	var in struct {
		Name  string
		Roles []string
	}
	if err := result(resp, &in); err != nil {
		return acc, err
	}
	acc = account{Name: in.Name, Roles: in.Roles}
	// Only for the record: who logged in is known already, so that an array
	// that goes away now changes nothing.
	acc.Array, acc.Serial = a.whereabouts(ctx, cookies)
	acc.Product = a.product(ctx, cookies)
	return acc, nil
}

// wiped is a body that can be read once. Closing it wipes what it was made of,
// also while package http still reads.
type wiped struct {
	mu sync.Mutex
	b  []byte
	n  int
}

func (w *wiped) Read(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n == len(w.b) {
		return 0, io.EOF
	}
	n := copy(p, w.b[w.n:])
	w.n += n
	return n, nil
}

func (w *wiped) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.b)
	w.b, w.n = nil, 0
	return nil
}

type system struct {
	Name   string      `json:"name"`
	Serial json.Number `json:"serial_number"`
}

// get reads a resource as somebody who is logged in.
func (a *array) get(ctx context.Context, path string, cookies []*http.Cookie, v any) error {
	req, err := a.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	for _, c := range cookies {
		req.AddCookie(c)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return plain(err)
	}
	return result(resp, v)
}

// logout closes the array's session. That it fails is nobody's business but
// the array's, which ends idle sessions by itself.
func (a *array) logout(ctx context.Context, cookies []*http.Cookie) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logoutLimit)
	defer cancel()
	req, err := a.request(ctx, http.MethodPost, "users/logout", strings.NewReader("{}"))
	if err != nil {
		return
	}
	for _, c := range cookies {
		req.AddCookie(c)
	}
	if resp, err := a.http.Do(req); err == nil {
		io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
		resp.Body.Close()
	}
}

func (a *array) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("ask the array: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// result reads the result in an answer's envelope. It goes by the status: what
// arrays say in the body of a refusal is documented nowhere, and it may be
// missing.
func result(resp *http.Response, v any) error {
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return errRefused
	case http.StatusOK, http.StatusCreated:
	default:
		return &unavailable{what: "it answers " + http.StatusText(resp.StatusCode) + fmt.Sprintf(" (%d)", resp.StatusCode)}
	}
	var envelope struct {
		Result json.RawMessage `json:"result"`
	}
	// What json says of an answer quotes no more than a character of it.
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&envelope); err != nil {
		return &unavailable{"its answer is not that of an InfiniBox", err}
	}
	if len(envelope.Result) == 0 || string(envelope.Result) == "null" {
		return &unavailable{what: "its answer is not that of an InfiniBox: it has no result"}
	}
	if err := json.Unmarshal(envelope.Result, v); err != nil {
		return &unavailable{what: "its answer is not that of an InfiniBox: the result has another form"}
	}
	return nil
}

// plain takes the URL out of an error of package http.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// credentials writes the body of a login. It is made by hand because package
// json would leave copies of the password that nobody can wipe. ok is false for
// a password that is no text.
func credentials(answers auth.Answers) (body []byte, ok bool) {
	ok = true
	name := answers.Text("user")
	answers.Secret("password").Use(func(p []byte) {
		ok = utf8.Valid(p) && utf8.ValidString(name)
		body = make([]byte, 0, 64+6*(len(name)+len(p))) // never grows
		body = append(body, `{"username":`...)
		body = quote(body, []byte(name))
		body = append(body, `,"password":`...)
		body = quote(body, p)
		body = append(body, '}')
	})
	return body, ok
}

// quote appends text as a JSON string (RFC 8259 section 7).
func quote(b, text []byte) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
