package resume

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Errors that end a stream or a connection of it.
var (
	// ErrLost ends a stream that had no connection for too long.
	ErrLost = errors.New("the connection was lost and could not be made again in time")
	// ErrSilent ends a connection on which nothing arrives.
	ErrSilent = errors.New("the other side does not answer")
	// ErrHeld ends a connection on which things arrive, but no answer.
	ErrHeld = errors.New("somebody on the way holds back what is sent")
	// ErrReplaced ends a connection in favour of another one.
	ErrReplaced = errors.New("another connection took over")
	// ErrPeerClosed is returned by Write when the other side reads no more.
	ErrPeerClosed = errors.New("the other side has closed the stream")
	// ErrNoConnection is returned by Send while there is none.
	ErrNoConnection = errors.New("there is no connection at the moment")
	// ErrBusy is returned by Send when too much is waiting.
	ErrBusy = errors.New("too many messages are waiting to be sent")
	// ErrNoStream is returned for an attachment to a stream that does not exist
	// any more, or that is not the asker's.
	ErrNoStream = errors.New("there is no such stream to go on with")
	// ErrFull is returned by a table that holds as many streams as it may.
	ErrFull = errors.New("too many streams are open")
	// ErrProtocol is wrapped by errors about what the other side sent.
	ErrProtocol = errors.New("the other side breaks the protocol of the stream")
)

// ResetError ends a stream because the other side said so.
type ResetError struct{ Reason string }

func (e *ResetError) Error() string {
	if e.Reason == "" {
		return "the other side has ended the stream"
	}
	return "the other side has ended the stream: " + e.Reason
}

// Final reports that there is no use in dialling again.
func (e *ResetError) Final() bool { return true }

func broken(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrProtocol}, args...)...)
}

func isFinal(err error) bool {
	var f interface{ Final() bool }
	return errors.Is(err, ErrNoStream) || errors.As(err, &f) && f.Final()
}

// plain makes a foreign reason fit to be shown.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
