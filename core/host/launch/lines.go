package launch

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// What a plugin may write to stderr. What is more is read and dropped, so that
// the plugin never blocks and the host never grows.
const (
	maxLine       = 4 << 10 // bytes of a line
	linesBurst    = 200
	linesASecond  = 50
	droppedNotice = "%d lines of the plugin's log were dropped: more than %d a second"
)

// Lines reads r to its end and gives each line to emit, cut to a bounded
// length and freed of control characters, at a bounded rate. go-plugin would
// parse the lines as JSON without checks: the single line {"@message":1} ends
// a host.
func Lines(r io.Reader, emit func(string)) {
	lines(r, emit, time.Now)
}

func lines(r io.Reader, emit func(string), now func() time.Time) {
	in := bufio.NewReaderSize(r, maxLine)
	budget, last, dropped := float64(linesBurst), now(), 0
	for {
		line, err := readLine(in)
		if line != "" {
			t := now()
			budget = min(linesBurst, budget+t.Sub(last).Seconds()*linesASecond)
			last = t
			if budget < 1 {
				dropped++
			} else {
				budget--
				if dropped > 0 {
					emit(fmt.Sprintf(droppedNotice, dropped, linesASecond))
					dropped = 0
				}
				emit(line)
			}
		}
		if err != nil {
			if dropped > 0 {
				emit(fmt.Sprintf(droppedNotice, dropped, linesASecond))
			}
			return
		}
	}
}

// readLine returns the start of the next line and skips the rest of it.
func readLine(in *bufio.Reader) (string, error) {
	part, err := in.ReadSlice('\n')
	line := Clean(string(part))
	for cut := false; err == bufio.ErrBufferFull; {
		if !cut {
			line += " ... (cut)"
			cut = true
		}
		_, err = in.ReadSlice('\n')
	}
	return line, err
}

// Clean makes one printable line of foreign text.
func Clean(s string) string {
	s = strings.TrimRight(strings.ToValidUTF8(s, "?"), "\r\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return ' '
		case !unicode.IsGraphic(r):
			return -1
		}
		return r
	}, s)
}
