package playback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/latchstring/latchstring/core/record"
)

// Options say how to play.
type Options struct {
	Speed     float64       // 2 plays twice as fast; 0 means 1
	IdleLimit time.Duration // no pause lasts longer, before Speed; 0: as it was
	Channel   int           // only this one; negative: all
	Out       io.Writer
	Notes     io.Writer // what happened beside the output, a line each; nil: nowhere
}

// reset brings a terminal back from whatever a recording left it in: it soft
// resets (DECSTR), leaves the alternate screen, shows the cursor, ends mouse
// and focus reports, bracketed paste and application keys, resets colours and
// scrolling region, and goes to the last line.
const reset = "\x1b[!p\x1b[?1049l\x1b[?25h\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[?1l\x1b>\x1b(B\x1b[r\x1b[0m\x1b[999;1H\r\n"

// Play plays a recording until its end, or until ctx ends, which is no error:
// whoever watches has seen enough.
//
// The bytes are those that the engineer saw; none is left out. On a terminal
// its state is restored afterwards, and what it answered to queries in the
// recording is thrown away instead of reaching the shell as if it were typed.
func Play(ctx context.Context, r *record.Reader, o Options) error {
	if o.Speed <= 0 {
		o.Speed = 1
	}
	if f, ok := o.Out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		defer hold(f)()
	}
	var last time.Time
	for rec, err := range r.Records() {
		if err != nil {
			return err
		}
		if o.Channel >= 0 && rec.Channel != uint32(o.Channel) && (rec.Note == nil || rec.Note.Kind != record.Closed) {
			continue
		}
		if !last.IsZero() && !pause(ctx, rec.Time.Sub(last), o) {
			return nil
		}
		last = rec.Time
		switch {
		case len(rec.Output) > 0:
			if _, err := o.Out.Write(rec.Output); err != nil {
				return fmt.Errorf("play: %w", err)
			}
		case rec.Note != nil && o.Notes != nil:
			fmt.Fprintf(o.Notes, "%s  %s\n", rec.Time.Local().Format(time.TimeOnly), Line(*rec.Note))
		}
	}
	return nil
}

// pause waits as long as it took; false when nobody watches any more.
func pause(ctx context.Context, d time.Duration, o Options) bool {
	if o.IdleLimit > 0 {
		d = min(d, o.IdleLimit)
	}
	d = time.Duration(float64(d) / o.Speed)
	if d < time.Millisecond {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// hold keeps the terminal from echoing and from handing on what it answers,
// and gives back what restores it.
func hold(out *os.File) (restore func()) {
	in := int(os.Stdin.Fd())
	old, err := unix.IoctlGetTermios(in, unix.TCGETS)
	if err == nil {
		quiet := *old
		quiet.Lflag &^= unix.ECHO | unix.ICANON // ^C still ends
		err = unix.IoctlSetTermios(in, unix.TCSETS, &quiet)
	}
	return func() {
		_, _ = out.WriteString(reset)
		if err == nil {
			time.Sleep(50 * time.Millisecond) // the last answers are on their way
			// TCSETSF throws away what was not read.
			err = errors.Join(unix.IoctlSetTermios(in, unix.TCSETSF, old))
		}
	}
}
