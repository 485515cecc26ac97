package main

import (
	"time"

	"github.com/latchstring/latchstring/internal/wire/pluginv1"
)

type conversation = pluginv1.Auth_AuthenticateServer

func ask(s conversation) (*pluginv1.AuthAnswer, error) {
	q := &pluginv1.AuthAsk{Fields: []*pluginv1.AuthField{{Name: "pin", Label: "PIN\x1b[2J", Secret: true}}}
	if err := s.Send(&pluginv1.AuthFromPlugin{Message: &pluginv1.AuthFromPlugin_Ask{Ask: q}}); err != nil {
		return nil, err
	}
	m, err := s.Recv()
	return m.GetAnswer(), err
}

func result(s conversation, r *pluginv1.AuthResult) error {
	return s.Send(&pluginv1.AuthFromPlugin{Message: &pluginv1.AuthFromPlugin_Result{Result: r}})
}

func loginGood(p *process, s conversation) error {
	first, err := s.Recv()
	if err != nil {
		return err
	}
	s.Send(&pluginv1.AuthFromPlugin{Message: &pluginv1.AuthFromPlugin_Show{Show: &pluginv1.AuthShow{Label: "code", Value: "ABC"}}})
	a, err := ask(s)
	if err != nil {
		return err
	}
	if string(a.GetValues()["pin"]) != "1234" {
		return result(s, &pluginv1.AuthResult{Failure: &pluginv1.Failure{Code: "bad-login", Message: "wrong PIN", Hint: "ask"}})
	}
	return result(s, &pluginv1.AuthResult{
		User: "ada", Roles: []string{"admin"}, Method: "pin", Evidence: map[string]string{"client": first.GetBegin().GetClient()},
		ExpiresUnix: time.Now().Add(time.Hour).Unix(),
	})
}

func loginEscape(p *process, s conversation) error {
	return result(s, &pluginv1.AuthResult{User: "ada\x1b[2J", Method: "pin"})
}

func loginEndless(p *process, s conversation) error {
	for {
		if _, err := ask(s); err != nil {
			return err
		}
	}
}
