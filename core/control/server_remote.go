package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxBody bounds what a caller sends.
const maxBody = 64 << 10

// remote adds the methods of [Remote].
func (s *Server) remote(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/session/on", answer(s, func(r *http.Request, by Caller) (any, error) {
		var in OnRequest
		defer func() { clear(in.Secret); clear(in.ProxyPassword) }()
		if err := read(r, &in); err != nil {
			return nil, err
		}
		return s.API.On(r.Context(), by, in)
	}))
	mux.HandleFunc("POST /v1/session/off", answer(s, func(r *http.Request, by Caller) (any, error) { return s.API.Off(r.Context(), by) }))
	mux.HandleFunc("POST /v1/session/extend", answer(s, func(r *http.Request, by Caller) (any, error) {
		var in ExtendRequest
		if err := read(r, &in); err != nil {
			return nil, err
		}
		return s.API.Extend(r.Context(), by, in)
	}))
	mux.HandleFunc("POST /v1/session/secret", answer(s, func(r *http.Request, by Caller) (any, error) {
		var in SecretRequest
		defer func() { clear(in.Given) }()
		if err := read(r, &in); err != nil {
			return nil, err
		}
		return s.API.Secret(r.Context(), by, in)
	}))
	mux.HandleFunc("GET /v1/session", answer(s, func(r *http.Request, by Caller) (any, error) { return s.API.Session(r.Context(), by) }))
	mux.HandleFunc("GET /v1/connections", answer(s, func(r *http.Request, by Caller) (any, error) { return s.API.Connections(r.Context(), by) }))
	mux.HandleFunc("POST /v1/connections/{id}/cut", answer(s, func(r *http.Request, by Caller) (any, error) {
		return struct{}{}, s.API.Cut(r.Context(), by, r.PathValue("id"))
	}))
	mux.HandleFunc("POST /v1/connections/{id}/approve", answer(s, func(r *http.Request, by Caller) (any, error) {
		return s.API.Approve(r.Context(), by, r.PathValue("id"))
	}))
	mux.HandleFunc("POST /v1/connections/{id}/deny", answer(s, func(r *http.Request, by Caller) (any, error) {
		return struct{}{}, s.API.Deny(r.Context(), by, r.PathValue("id"))
	}))
	mux.HandleFunc("GET /v1/connections/{id}/live", func(w http.ResponseWriter, r *http.Request) {
		stream(s, w, r, func(by Caller, fn func(Frame) error) error { return s.API.Live(r.Context(), by, r.PathValue("id"), fn) })
	})
}

// read takes the body of a request, which may be empty. A mistake in it is not
// quoted: it may hold a secret.
func read(r *http.Request, v any) error {
	b, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	defer func() { clear(b) }()
	switch {
	case err != nil:
		return fmt.Errorf("read the request: %w", err)
	case len(b) > maxBody:
		return badRequest("the request is longer than %d bytes", maxBody)
	case len(b) == 0:
		return nil
	}
	var field *json.UnmarshalTypeError
	if err := json.Unmarshal(b, v); errors.As(err, &field) {
		return badRequest("%s in the request has the wrong type", field.Field)
	} else if err != nil {
		return badRequest("the request is no JSON")
	}
	return nil
}
