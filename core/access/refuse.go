package access

import (
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
)

// refused writes a refusal down and returns what the engineer is told.
func (s *server) refused(channel uint32, what string, facts map[string]string, why string) string {
	_ = s.ledger.note(record.Note{Channel: channel, Kind: record.Refused, Command: facts["command"], Path: facts["path"],
		Direction: facts["direction"], Address: facts["address"], Text: what + ": " + why})
	detail := map[string]string{"what": what, "why": why}
	for k, v := range facts {
		detail[k] = v
	}
	if err := s.ledger.audit(audit.AccessRefused, detail); err != nil {
		s.fail(err) // who may probe without a trace, will
	}
	return what + ": " + why
}

// deny is refused for a decision of policy.
func (s *server) deny(channel uint32, what string, facts map[string]string, d policy.Decision) string {
	return s.refused(channel, what, facts, d.Err().Error())
}

// rejected turns down a channel that no policy can allow.
func (s *server) rejected(number uint32, n ssh.NewChannel, what string) {
	why := s.refused(number, what, nil, "does not exist here")
	_ = n.Reject(ssh.Prohibited, why)
}

// notice refuses something that has no channel to say so on: the next best
// screen of the engineer shows it.
func (s *server) notice(what, why string) {
	s.screens.show(s.refused(0, what, nil, why))
}

// screens are the places where an engineer can be told something.
type screens struct {
	server *server

	mu   sync.Mutex
	open map[uint32]screen
	wait []string // said before there was any
}

// A screen shows a line.
type screen interface {
	show(line string)
	terminal() bool
}

func (s *screens) add(number uint32, sc screen) {
	s.mu.Lock()
	if s.open == nil {
		s.open = map[uint32]screen{}
	}
	s.open[number] = sc
	wait := s.wait
	s.wait = nil
	s.mu.Unlock()
	for _, line := range wait {
		sc.show(line)
	}
}

func (s *screens) remove(number uint32) {
	s.mu.Lock()
	delete(s.open, number)
	s.mu.Unlock()
}

// show tells one screen, or the next one that opens.
func (s *screens) show(line string) {
	s.mu.Lock()
	for _, sc := range s.open {
		s.mu.Unlock()
		sc.show(line)
		return
	}
	if len(s.wait) < 16 {
		s.wait = append(s.wait, line)
	}
	s.mu.Unlock()
}

// warnings go to every terminal.
func (s *screens) warnings(lines <-chan string) {
	for {
		select {
		case <-s.server.ctx.Done():
			return
		case line, ok := <-lines:
			if !ok {
				return
			}
			s.mu.Lock()
			var all []screen
			for _, sc := range s.open {
				if sc.terminal() {
					all = append(all, sc)
				}
			}
			s.mu.Unlock()
			for _, sc := range all {
				go sc.show(line) // one whose client does not read must not hold up the others
			}
		}
	}
}

// plain makes a line fit for a terminal, whatever it repeats.
func plain(line string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(line, "?"))
}
