package handoff

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// The operations that a plugin may ask of its host. Payloads are JSON.
const (
	// OpOpen opens a file for reading: OpenRequest, answered by the file
	// and an OpenReply.
	OpOpen Op = 1
	// OpRun starts a command: RunRequest, answered by the read end of the
	// pipe that is its stdout, and a RunReply.
	OpRun Op = 2
	// OpWait waits for a command to end: WaitRequest, answered by a
	// WaitReply. The command ends with the plugin at the latest.
	OpWait Op = 3
	// OpStop kills a command and all it started: StopRequest, answered by
	// nothing. Stopping one that has ended is no error.
	OpStop Op = 4
)

// OpenRequest names a file to open.
type OpenRequest struct {
	Path string `json:"path"` // absolute and clean
}

// OpenReply says what was opened.
type OpenReply struct {
	// Path is the file in the end, symbolic links resolved, if that is
	// another one than was asked for.
	Path string `json:"path,omitempty"`
}

// RunRequest is a command line. Argv[0] is an absolute path or a plain name
// that the host resolves in its own fixed search path. There is no shell, the
// environment is the host's choice, stdin is empty.
type RunRequest struct {
	Argv    []string      `json:"argv"`
	Timeout time.Duration `json:"timeout_ns,omitempty"` // 0: the host's limit; never above it
}

// RunReply names the running command for OpWait and OpStop.
type RunReply struct {
	Run uint64 `json:"run"`
}

// WaitRequest asks for the end of a command.
type WaitRequest struct {
	Run uint64 `json:"run"`
}

// WaitReply says how a command ended.
type WaitReply struct {
	ExitCode int    `json:"exit_code"`           // as a shell counts: 128+n for signal n
	TimedOut bool   `json:"timed_out,omitempty"` // killed because its time was over
	Stderr   string `json:"stderr,omitempty"`    // its last lines, at most 4 KiB
}

// StopRequest asks to kill a command.
type StopRequest struct {
	Run uint64 `json:"run"`
}

// Open asks the host to open a file for reading.
func (c *Channel) Open(ctx context.Context, req OpenRequest) (*os.File, OpenReply, error) {
	var rep OpenReply
	f, err := c.ask(ctx, OpOpen, req, &rep)
	if err != nil {
		return nil, rep, err
	}
	if f == nil {
		return nil, rep, fmt.Errorf("%w: file %s opened without a descriptor", ErrProtocol, req.Path)
	}
	return f, rep, nil
}

// Run asks the host to start a command; the file is the pipe from its stdout.
func (c *Channel) Run(ctx context.Context, req RunRequest) (*os.File, RunReply, error) {
	var rep RunReply
	f, err := c.ask(ctx, OpRun, req, &rep)
	if err != nil {
		return nil, rep, err
	}
	if f == nil {
		return nil, rep, fmt.Errorf("%w: command started without a descriptor", ErrProtocol)
	}
	return f, rep, nil
}

// Wait asks the host how a command ended, and waits until it has.
func (c *Channel) Wait(ctx context.Context, req WaitRequest) (WaitReply, error) {
	var rep WaitReply
	f, err := c.ask(ctx, OpWait, req, &rep)
	f.Close()
	return rep, err
}

// Stop asks the host to kill a command.
func (c *Channel) Stop(ctx context.Context, req StopRequest) error {
	f, err := c.ask(ctx, OpStop, req, nil)
	f.Close()
	return err
}

// ask is Call with JSON on both sides. A nil rep ignores the payload.
func (c *Channel) ask(ctx context.Context, op Op, req, rep any) (*os.File, error) {
	payload, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	f, out, err := c.Call(ctx, op, payload)
	if err != nil {
		return nil, err
	}
	if rep == nil {
		return f, nil
	}
	if err := json.Unmarshal(out, rep); err != nil {
		f.Close()
		return nil, fmt.Errorf("%w: answer to operation %d: %w", ErrProtocol, op, err)
	}
	return f, nil
}
