package handoff

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Broker does for a plugin what the plugin may not do itself. The host
// implements it: it asks the policy first, and starts and opens nothing that
// the plugin has not declared.
//
// Errors that wrap fs.ErrNotExist and fs.ErrPermission, or are a *RemoteError,
// keep their meaning on the way to the plugin; of others only the text goes.
type Broker interface {
	Open(ctx context.Context, req OpenRequest) (*os.File, OpenReply, error)
	Run(ctx context.Context, req RunRequest) (*os.File, RunReply, error)
	Wait(ctx context.Context, req WaitRequest) (WaitReply, error)
	Stop(ctx context.Context, req StopRequest) error
}

// Serving returns the handler that answers the operations of ops.go with b,
// for [Channel.Serve].
func Serving(b Broker) Handler {
	return HandlerFunc(func(ctx context.Context, op Op, payload []byte) (*os.File, []byte, error) {
		switch op {
		case OpOpen:
			return serve(payload, func(req OpenRequest) (*os.File, OpenReply, error) { return b.Open(ctx, req) })
		case OpRun:
			return serve(payload, func(req RunRequest) (*os.File, RunReply, error) { return b.Run(ctx, req) })
		case OpWait:
			return serve(payload, func(req WaitRequest) (*os.File, WaitReply, error) {
				rep, err := b.Wait(ctx, req)
				return nil, rep, err
			})
		case OpStop:
			return serve(payload, func(req StopRequest) (*os.File, struct{}, error) {
				return nil, struct{}{}, b.Stop(ctx, req)
			})
		default:
			return nil, nil, &RemoteError{Code: CodeUnsupported, Message: fmt.Sprintf("operation %d is not known here", op)}
		}
	})
}

func serve[Req, Rep any](payload []byte, do func(Req) (*os.File, Rep, error)) (*os.File, []byte, error) {
	var req Req
	if err := json.Unmarshal(payload, &req); err != nil {
		return nil, nil, &RemoteError{Code: CodeFailed, Message: "request cannot be read"}
	}
	f, rep, err := do(req)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	out, err := json.Marshal(rep)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, out, nil
}

// Codes of a refusal.
const (
	CodeDenied      = "denied"      // not allowed; errors.Is fs.ErrPermission
	CodeNotFound    = "not-found"   // no such file or command; errors.Is fs.ErrNotExist
	CodeUnsupported = "unsupported" // the other side does not do this; errors.Is errors.ErrUnsupported
	CodeFailed      = "failed"      // anything else
)

// RemoteError is why the other side refused a call.
type RemoteError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error returns the message of the other side.
func (e *RemoteError) Error() string {
	if e.Message == "" {
		return "refused by the host: " + e.Code
	}
	return e.Message
}

// Is lets errors.Is find the standard error that the code stands for.
func (e *RemoteError) Is(target error) bool {
	switch e.Code {
	case CodeDenied:
		return target == fs.ErrPermission
	case CodeNotFound:
		return target == fs.ErrNotExist
	case CodeUnsupported:
		return target == errors.ErrUnsupported
	}
	return false
}

// encodeError makes the payload of a refusal.
func encodeError(err error) []byte {
	remote := &RemoteError{Code: CodeFailed, Message: err.Error()}
	var re *RemoteError
	switch {
	case errors.As(err, &re):
		remote.Code = re.Code
	case errors.Is(err, fs.ErrPermission):
		remote.Code = CodeDenied
	case errors.Is(err, fs.ErrNotExist):
		remote.Code = CodeNotFound
	case errors.Is(err, errors.ErrUnsupported):
		remote.Code = CodeUnsupported
	}
	if len(remote.Message) > 2048 {
		remote.Message = remote.Message[:2048]
	}
	out, merr := json.Marshal(remote)
	if merr != nil {
		return []byte(`{"code":"failed"}`)
	}
	return out
}
