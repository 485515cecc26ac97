package failure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"
)

func TestFrom(t *testing.T) {
	inner := New(ProxyAuth, "check the password", "proxy p:3128 wants a login: %w", io.EOF)
	tests := []struct {
		name      string
		err       error
		code      Code
		message   string
		temporary bool
	}{
		{"plain", errors.New("no"), Failed, "no", false},
		{"itself", inner, ProxyAuth, "proxy p:3128 wants a login: EOF", false},
		{"wrapped", fmt.Errorf("dial x:1: %w", inner), ProxyAuth, "dial x:1: proxy p:3128 wants a login: EOF", false},
		{"cancelled", fmt.Errorf("x: %w", context.Canceled), Cancelled, "x: context canceled", false},
		{"deadline", context.DeadlineExceeded, Timeout, "context deadline exceeded", true},
		{"permission", fs.ErrPermission, Denied, "permission denied", false},
		{"unsupported", errors.ErrUnsupported, Unsupported, "unsupported operation", false},
	}
	for _, tt := range tests {
		f := From(tt.err)
		if f.Code != tt.code || f.Error() != tt.message || f.Temporary != tt.temporary {
			t.Errorf("%s: %+v", tt.name, f)
		}
		if !errors.Is(f, tt.err) {
			t.Errorf("%s: lost the error it is made from", tt.name)
		}
	}
	if From(nil) != nil {
		t.Error("nil became a failure")
	}
	if f := From(fmt.Errorf("dial: %w", inner)); f.Hint != "check the password" || !errors.Is(f, ProxyAuth) || !errors.Is(f, io.EOF) {
		t.Errorf("lost on the way: %+v", f)
	}
}

func TestIs(t *testing.T) {
	err := fmt.Errorf("outer: %w", New(Refused, "", "refused"))
	if !errors.Is(err, Refused) || errors.Is(err, Reset) {
		t.Error("errors.Is does not go by code")
	}
}
