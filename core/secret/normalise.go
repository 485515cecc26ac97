package secret

import (
	"bytes"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxLength is the longest secret in bytes, as typed.
const MaxLength = 256

// Errors of Normalise.
var (
	ErrEmpty   = errors.New("the secret is empty")
	ErrTooLong = fmt.Errorf("the secret is longer than %d bytes", MaxLength)
	ErrText    = errors.New("the secret is not text: control characters or invalid UTF-8")
)

// Normalise brings a secret into the form that is compared: upper case, letter
// O as zero, I and L as one, without spaces and dashes, Unicode's NFKC. What
// people mishear, mistype or paste with ornaments comes out the same. It is
// idempotent. The result is a new slice.
func Normalise(typed []byte) ([]byte, error) {
	if len(typed) > MaxLength {
		return nil, ErrTooLong
	}
	typed = bytes.TrimRight(typed, "\r\n")
	if !utf8.Valid(typed) {
		return nil, ErrText
	}
	// A round may produce what the next one changes (upper case of a ligature);
	// two are enough for all but oddities, which are refused.
	last, err := fold(typed)
	for range 4 {
		if err != nil {
			return nil, err
		}
		var again []byte
		again, err = fold(last)
		if err == nil && bytes.Equal(again, last) {
			Clear(again)
			if len(last) == 0 {
				return nil, ErrEmpty
			}
			return last, nil
		}
		Clear(last)
		last = again
	}
	Clear(last)
	return nil, ErrText
}

// fold is one round of Normalise.
func fold(in []byte) ([]byte, error) {
	composed := make([]byte, 0, 4*len(in)+16)
	composed = norm.NFKC.Append(composed, in...)
	defer Clear(composed)
	out := make([]byte, 0, 2*len(composed)+utf8.UTFMax)
	for i := 0; i < len(composed); {
		r, n := utf8.DecodeRune(composed[i:])
		i += n
		switch r = unicode.ToUpper(r); {
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), unicode.Is(unicode.Cf, r), r == '_', r == '−':
			continue // ornaments
		case unicode.IsControl(r), r == utf8.RuneError, !unicode.IsGraphic(r):
			Clear(out)
			return nil, ErrText
		case r == 'O':
			r = '0'
		case r == 'I', r == 'L':
			r = '1'
		}
		out = utf8.AppendRune(out, r)
	}
	if len(out) > 4*MaxLength {
		Clear(out)
		return nil, ErrTooLong
	}
	return out, nil
}

// Clear overwrites b.
func Clear(b []byte) { clear(b[:cap(b)]) }
