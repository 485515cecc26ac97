package hostile

import (
	"errors"
	"fmt"
	"slices"

	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/handshake"
)

// Cases are all attacks, in the order in which they are told.
func Cases() []Case {
	return slices.Concat(listening, keys, replays, messages, streams, below, guesses, others, controls, denials, between, ends, revocations, records)
}

// codeOf is the code of a refusal of the handshake, or "".
func codeOf(err error) handshake.Code {
	var h *handshake.Error
	if errors.As(err, &h) {
		return h.Code
	}
	return ""
}

// wantCode checks that somebody was refused, for one of the reasons.
func wantCode(err error, codes ...handshake.Code) (string, error) {
	if err == nil {
		return "", errors.New("nobody refused it")
	}
	var again *connect.NoEnrolmentError
	if errors.As(err, &again) && slices.Contains(codes, handshake.CodeHostKey) {
		return "refused: " + again.Error(), nil
	}
	if !slices.Contains(codes, codeOf(err)) {
		return "", fmt.Errorf("it was refused for another reason than expected: %w", err)
	}
	return fmt.Sprintf("refused: %s", err), nil
}

// refusedThen is wantCode, and that the honest way works afterwards.
func (w *world) refusedThen(err error, codes ...handshake.Code) (string, error) {
	said, err := wantCode(err, codes...)
	if err != nil {
		return said, err
	}
	return said, w.after()
}

// after checks that the attack has broken nothing: with a new secret if it
// cost tries, the engineer gets in.
func (w *world) after() error {
	w.set(plan{})
	if err := w.fresh(); err != nil {
		return err
	}
	if err := w.honest(); err != nil {
		return fmt.Errorf("afterwards the system is of no use: %w", err)
	}
	return nil
}
