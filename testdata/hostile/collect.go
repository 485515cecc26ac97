package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/internal/handoff"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
)

type (
	stream = pluginv1.Collect_CollectServer
	event  = pluginv1.CollectEvent
)

const (
	begin  = pluginv1.CollectEvent_KIND_BEGIN
	end    = pluginv1.CollectEvent_KIND_END
	absent = pluginv1.CollectEvent_KIND_ABSENT
	note   = pluginv1.CollectEvent_KIND_NOTE
)

func give(p *process, s stream, name string, f *os.File) error {
	defer f.Close()
	id := p.channel.NewID()
	if err := p.channel.Pass(id, f); err != nil {
		return err
	}
	return s.Send(&event{Kind: begin, Handoff: id, Name: name, Source: f.Name(), Size: -1})
}

// collectGood behaves: a streamed item, one of a command, an absent one.
func collectGood(p *process, s stream) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	id := p.channel.NewID()
	if err := p.channel.Pass(id, r); err != nil {
		return err
	}
	r.Close()
	if err := s.Send(&event{Kind: begin, Handoff: id, Name: "facts/stream.txt", Config: true, Size: -1}); err != nil {
		return err
	}
	io.WriteString(w, "streamed")
	w.Close()
	if err := s.Send(&event{Kind: end, Handoff: id, Truncated: true, Reason: "enough"}); err != nil {
		return err
	}
	ctx := context.Background()
	for i, argv := range p.settings.Runs {
		out, rep, err := p.channel.Run(ctx, handoff.RunRequest{Argv: argv})
		if err != nil {
			s.Send(&event{Kind: note, Reason: err.Error()})
			continue
		}
		id := p.channel.NewID()
		if err := p.channel.Pass(id, out); err != nil {
			return err
		}
		out.Close()
		if err := s.Send(&event{Kind: begin, Handoff: id, Name: fmt.Sprintf("run-%d", i), Source: argv[0], Size: -1}); err != nil {
			return err
		}
		how, err := p.channel.Wait(ctx, handoff.WaitRequest{Run: rep.Run})
		if err != nil {
			return err
		}
		if err := s.Send(&event{Kind: end, Handoff: id, ExitCode: int32(how.ExitCode), Truncated: how.TimedOut, Reason: how.Stderr}); err != nil {
			return err
		}
	}
	return s.Send(&event{Kind: absent, Name: "gone", Reason: "not here"})
}

// collectAsk asks the broker for every configured path and says what it got.
func collectAsk(p *process, s stream) error {
	for _, path := range p.settings.Paths {
		f, rep, err := p.channel.Open(context.Background(), handoff.OpenRequest{Path: path})
		said := fmt.Sprintf("%s: %v", path, err)
		if err == nil {
			data, rerr := io.ReadAll(io.LimitReader(f, 100))
			names, _ := f.Readdirnames(-1)
			said = fmt.Sprintf("%s: opened %q %q %d %v", path, rep.Path, data, len(names), rerr != nil)
			f.Close()
		}
		if err := s.Send(&event{Kind: note, Reason: said}); err != nil {
			return err
		}
	}
	for _, argv := range p.settings.Runs {
		f, _, err := p.channel.Run(context.Background(), handoff.RunRequest{Argv: argv})
		said := fmt.Sprintf("%q: %v", argv, err)
		if err == nil {
			f.Close()
		}
		if err := s.Send(&event{Kind: note, Reason: said}); err != nil {
			return err
		}
	}
	return nil
}

func collectWritable(p *process, s stream) error {
	f, err := os.Create("mine")
	if err != nil {
		return err
	}
	return give(p, s, "mine", f)
}

func collectWriteEnd(p *process, s stream) error {
	_, w, err := os.Pipe()
	if err != nil {
		return err
	}
	return give(p, s, "pipe", w)
}

func collectSocket(p *process, s stream) error {
	a, _ := pair(unix.SOCK_SEQPACKET)
	return give(p, s, "socket", a)
}

// collectUndeclared hands over a file that the sandbox lets it read, but that
// it has not declared.
func collectUndeclared(p *process, s stream) error {
	f, err := os.Open("/usr/share/zoneinfo/UTC")
	if err != nil {
		return err
	}
	return give(p, s, "utc", f)
}

func collectBadName(p *process, s stream) error {
	return s.Send(&event{Kind: absent, Name: "../../etc/cron.d/x"})
}

func collectTwice(p *process, s stream) error {
	s.Send(&event{Kind: absent, Name: "a"})
	return s.Send(&event{Kind: absent, Name: "a"})
}

func collectBadEnd(p *process, s stream) error {
	return s.Send(&event{Kind: end, Handoff: 99})
}

func collectFlood(p *process, s stream) error {
	for i := 0; ; i++ {
		if err := s.Send(&event{Kind: absent, Name: fmt.Sprintf("n%d", i)}); err != nil {
			return err
		}
	}
}

func collectAnnounce(p *process, s stream) error {
	return s.Send(&event{Kind: begin, Handoff: 5, Name: "nothing"})
}

func collectExit(p *process, s stream) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	if err := give(p, s, "half", r); err != nil {
		return err
	}
	io.WriteString(w, "half of it")
	time.Sleep(100 * time.Millisecond)
	os.Exit(9)
	return nil
}

// collectNeverEnds leaves an item without an end.
func collectNeverEnds(p *process, s stream) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	io.WriteString(w, "all of it")
	w.Close()
	return give(p, s, "endless", r)
}

// collectMoves keeps a duplicate of a file that it hands over and moves its
// offset while the host reads.
func collectMoves(p *process, s stream) error {
	fd, err := unix.MemfdCreate("content", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	w := os.NewFile(uintptr(fd), "content")
	io.WriteString(w, "the content")
	f, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return err
	}
	f.Seek(5, io.SeekStart)
	id := p.channel.NewID()
	if err := p.channel.Pass(id, f); err != nil {
		return err
	}
	if err := s.Send(&event{Kind: begin, Handoff: id, Name: "moved", Size: 1 << 40}); err != nil {
		return err
	}
	for range 100 {
		f.Seek(3, io.SeekStart)
		time.Sleep(time.Millisecond)
	}
	return s.Send(&event{Kind: end, Handoff: id})
}
