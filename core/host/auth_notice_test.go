package host

import (
	"strings"
	"testing"

	"github.com/latchstring/latchstring/internal/wire/pluginv1"
)

// An address is shown whole or not at all: a request of single sign-on is long,
// and cut it would lead elsewhere.
func TestNoticeOf(t *testing.T) {
	long := "https://idp.example/sso?SAMLRequest=" + strings.Repeat("a", 3000)
	for in, want := range map[string]string{
		"": "", long: long, "https://idp.example/device": "https://idp.example/device",
		"https://idp.example/" + strings.Repeat("a", maxURL): "", "http://idp.example/": "", "javascript:alert(1)": "",
		"https://idp.example/\x1b[2J": "", "https://idp.example/\u202e": "", "https://idp.example/\n": "",
	} {
		if got := noticeOf(&pluginv1.AuthShow{Url: in}).URL; got != want {
			t.Errorf("%.60q is shown as %.60q", in, got)
		}
	}
}
