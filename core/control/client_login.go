package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

var _ Logins = (*Client)(nil)

// LoginMethods implements [Logins].
func (c *Client) LoginMethods(ctx context.Context, _ Caller) (list []string, err error) {
	return list, c.call(ctx, http.MethodGet, "/v1/login/methods", &list)
}

// Login implements [Logins].
func (c *Client) Login(ctx context.Context, _ Caller, r LoginRequest, talk Conversation) (Ticket, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // whatever ends here ends there
	resp, err := c.do(ctx, http.MethodPost, "/v1/login", r)
	if err != nil {
		return Ticket{}, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	id := ""
	for lines.Scan() {
		var t turn
		if err := json.Unmarshal(lines.Bytes(), &t); err != nil {
			return Ticket{}, fmt.Errorf("read the agent's stream: %w", err)
		}
		switch {
		case t.Login != "":
			id = t.Login
		case t.Show != nil:
			err = talk.Show(ctx, *t.Show)
		case t.Ask != nil:
			err = c.answer(ctx, id, t.Ask, talk)
		case t.Error != nil:
			return Ticket{}, t.Error
		case t.Ticket != nil:
			return *t.Ticket, nil
		}
		if err != nil {
			return Ticket{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return Ticket{}, err
	}
	return Ticket{}, errors.Join(errors.New("the agent ended the login"), lines.Err())
}

func (c *Client) answer(ctx context.Context, id string, fields []Field, talk Conversation) error {
	values, err := talk.Ask(ctx, fields)
	defer func() {
		for _, v := range values {
			clear(v)
		}
	}()
	resp, serr := c.do(ctx, http.MethodPost, "/v1/login/"+url.PathEscape(id), reply{Values: values, Cancelled: err != nil})
	if serr == nil {
		resp.Body.Close()
	}
	if err == nil {
		err = serr
	}
	return err
}

// Logout implements [Logins].
func (c *Client) Logout(ctx context.Context, _ Caller) (out bool, err error) {
	return out, c.call(ctx, http.MethodDelete, "/v1/login", &out)
}

// WhoAmI implements [Logins].
func (c *Client) WhoAmI(ctx context.Context, _ Caller) (t Ticket, err error) {
	return t, c.call(ctx, http.MethodGet, "/v1/login", &t)
}

// WaitingLogins implements [Logins].
func (c *Client) WaitingLogins(ctx context.Context, _ Caller) (list []WaitingLogin, err error) {
	return list, c.call(ctx, http.MethodGet, "/v1/consents", &list)
}

// ConfirmLogin implements [Logins].
func (c *Client) ConfirmLogin(ctx context.Context, _ Caller, in Confirmation) (w WaitingLogin, err error) {
	return w, c.ask(ctx, http.MethodPost, "/v1/consents", in, &w)
}
