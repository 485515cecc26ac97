package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/control"
)

// watchConnection shows what an engineer sees. What could make the terminal of
// the one who looks on do more than show is left out.
func watchConnection(c *cli.Context) error {
	id, client, err := connectionOf(c)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "looking on at %s; end with Ctrl-C, cut it with: remote-support connections cut %s\n", id, id)
	enc := json.NewEncoder(c.App.Writer)
	screens := map[uint32]*screen{}
	err = client.Live(c.Context, control.Self(), id, func(f control.Frame) error {
		if cmdline.JSON(c) {
			return enc.Encode(f)
		}
		if screens[f.Channel] == nil {
			screens[f.Channel] = &screen{}
		}
		_, err := c.App.Writer.Write(screens[f.Channel].show(f.Data))
		return err
	})
	if c.Context.Err() != nil {
		return nil // Ctrl-C is how it ends
	}
	if err == nil {
		fmt.Fprintln(c.App.ErrWriter, "\nthe connection has ended")
	}
	return err
}

// screen lets through what draws: text, colours, movements of the cursor. It
// leaves out what makes a terminal answer (the answer would be typed into the
// shell of whoever looks on), sets its title or its clipboard.
type screen struct {
	state byte   // 0 text, e after ESC, c in a CSI sequence, s in a string, t after ESC in a string
	seq   []byte // the sequence so far
}

const longestSequence = 64

func (s *screen) show(p []byte) []byte {
	var out []byte
	for _, b := range p {
		switch s.state {
		case 0:
			switch {
			case b == 0x1b:
				s.state, s.seq = 'e', append(s.seq[:0], b)
			case b == 0x05: // answers back
			default:
				out = append(out, b)
			}
		case 'e':
			s.seq = append(s.seq, b)
			switch {
			case b == '[':
				s.state = 'c'
			case strings.IndexByte("]PX^_", b) >= 0:
				s.state = 's'
			case b >= 0x20 && b <= 0x2f: // more to come
			default:
				s.state = 0
				if b != 'Z' && b != 'c' { // asks who the terminal is; resets it
					out = append(out, s.seq...)
				}
			}
		case 'c':
			s.seq = append(s.seq, b)
			switch {
			case len(s.seq) > longestSequence:
				s.state = 0
			case b >= 0x40 && b <= 0x7e:
				s.state = 0
				if strings.IndexByte("cnxtqpyi", b) < 0 { // reports, window, printer
					out = append(out, s.seq...)
				}
			}
		case 's':
			switch b {
			case 0x07:
				s.state = 0
			case 0x1b:
				s.state = 't'
			}
		case 't':
			s.state = 's'
			if b == '\\' {
				s.state = 0
			}
		}
	}
	return out
}
