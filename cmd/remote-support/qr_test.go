package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/control"
)

// A reader that is not ours reads what a terminal shows.
func TestQR(t *testing.T) {
	if _, err := exec.LookPath("zbarimg"); err != nil {
		t.Skip("needs zbarimg (Debian: zbar-tools)")
	}
	for _, text := range []string{
		"040TY G2RGF J87PR 9QJ4W 0ABCD EFGHJ KMNPQ RSTVW XYZ01 23456 789AB CDEFG H",
		"https://idp.example.com/device?user_code=WDJB-MJHT",
	} {
		drawn := drawQR(text, 100, 60)
		file := filepath.Join(t.TempDir(), "code.png")
		if err := os.WriteFile(file, photograph(t, drawn), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("zbarimg", "--quiet", "--raw", file).Output()
		if err != nil || strings.TrimSpace(string(out)) != text {
			t.Errorf("%q is read as %q, %v\n%s", text, out, err, drawn)
		}
	}
}

// photograph draws what a terminal would show.
func photograph(t *testing.T, drawn string) []byte {
	t.Helper()
	const scale = 6
	drawn = strings.NewReplacer("\x1b[97;40m", "", "\x1b[0m", "").Replace(drawn)
	lines := strings.Split(strings.TrimSuffix(drawn, "\n"), "\n")
	wide := len([]rune(lines[0]))
	img := image.NewGray(image.Rect(0, 0, (wide+8)*scale, (2*len(lines)+8)*scale))
	for y, line := range lines {
		for x, r := range []rune(line) {
			for half, light := range []bool{r == '█' || r == '▀', r == '█' || r == '▄'} {
				for i := range scale * scale {
					if light {
						img.SetGray((x+4)*scale+i%scale, (2*y+half+4)*scale+i/scale, color.Gray{255})
					}
				}
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A code is drawn of what is taken elsewhere, where there is room, and never of
// anything else.
func TestQRWhere(t *testing.T) {
	large, small := func() (int, int) { return 100, 60 }, func() (int, int) { return 80, 10 }
	for _, tt := range []struct {
		name string
		room func() (int, int)
		n    control.Notice
		want bool
	}{
		{"a challenge", large, control.Notice{Value: "ABCDE", Expires: time.Now()}, true},
		{"a page", large, control.Notice{Value: "WDJB", URL: "https://idp.example/device"}, true},
		{"a word", large, control.Notice{Value: "mistyped"}, false},
		{"a small terminal", small, control.Notice{URL: "https://idp.example/device"}, false},
		{"no terminal", nil, control.Notice{URL: "https://idp.example/device"}, false},
		{"a long page", large, control.Notice{URL: "https://idp.example/" + strings.Repeat("x", 4000)}, false},
	} {
		term := &terminal{room: tt.room}
		if got := term.code(tt.n); (got != "") != tt.want {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}
