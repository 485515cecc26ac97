package auth_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/config"
)

// pin lets in who knows a number.
type pin struct{ number config.Secret }

func (p pin) Authenticate(ctx context.Context, _ auth.Request, talk auth.Conversation) (auth.Identity, error) {
	answers, err := talk.Ask(ctx, auth.Field{Name: "pin", Label: "PIN", Secret: true})
	if err != nil {
		return auth.Identity{}, err
	}
	defer answers.Zero()
	if !p.number.Equal(answers.Secret("pin")) {
		return auth.Identity{}, auth.Errorf(auth.BadLogin, "ask your administrator", "wrong PIN")
	}
	return auth.Identity{User: "operator"}, nil
}

// typed is a user who answers every question in the same way.
type typed string

func (u typed) Ask(_ context.Context, fields ...auth.Field) (auth.Answers, error) {
	return auth.Answers{fields[0].Name: config.NewSecret(string(u))}, nil
}

func (typed) Show(context.Context, auth.Notice) error { return nil }

func Example() {
	var m auth.Method = pin{number: config.NewSecret("314159")}
	id, err := m.Authenticate(context.Background(), auth.Request{}, typed("314159"))
	fmt.Println(id.User, err)
	_, err = m.Authenticate(context.Background(), auth.Request{}, typed("1234"))
	fmt.Println(err, errors.Is(err, auth.BadLogin))
	// Output:
	// operator <nil>
	// wrong PIN true
}
