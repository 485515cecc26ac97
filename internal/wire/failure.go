package wire

import (
	"strings"
	"unicode"

	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/failure"
)

// maxText bounds a message or a hint from a plugin.
const maxText = 2048

// FailureOf turns an error into the message that travels; nil for nil.
func FailureOf(err error) *pluginv1.Failure {
	f := failure.From(err)
	if f == nil {
		return nil
	}
	return &pluginv1.Failure{
		Code: string(f.Code), Message: clean(f.Error()), Hint: clean(f.Hint), Temporary: f.Temporary,
	}
}

// ErrorOf turns a message that came from a plugin into a *failure.Error; nil
// for nil. The text is cut and freed of control characters: it is shown on
// terminals and goes to logs.
func ErrorOf(f *pluginv1.Failure) error {
	if f == nil {
		return nil
	}
	code := failure.Code(f.GetCode())
	if !ValidName(string(code)) {
		code = failure.Failed
	}
	return &failure.Error{
		Code: code, Message: clean(f.GetMessage()), Hint: clean(f.GetHint()), Temporary: f.GetTemporary(),
	}
}

func clean(s string) string {
	if len(s) > maxText {
		s = s[:maxText] + " ..."
	}
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}
