package link

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/latchstring/latchstring/core/relay/api"
)

// The headers that carry greeting and answer within the upgrade, as JSON in
// base64url without padding.
const (
	greetingHeader = "Latchstring-Greeting"
	answerHeader   = "Latchstring-Answer"
)

// maxEarly is how much may go along with a greeting in the header.
const maxEarly = 2 << 10

func encodeHeader(v any) (string, error) {
	b, err := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(b), err
}

func decodeHeader(s string) ([]byte, error) {
	if len(s) > 2*maxGreeting {
		return nil, fmt.Errorf("it has more than %d bytes", 2*maxGreeting)
	}
	return base64.RawURLEncoding.DecodeString(s)
}

// headerGreeting is the greeting in a request's header, or nil where it comes in
// a frame.
func headerGreeting(h http.Header) (*greeting, error) {
	value := h.Get(greetingHeader)
	if value == "" {
		return nil, nil
	}
	b, err := decodeHeader(value)
	if err != nil {
		return nil, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "the greeting in the header: %v", err)
	}
	g, err := parseGreeting(b)
	if err != nil {
		return nil, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "%v", err)
	}
	return &g, nil
}
