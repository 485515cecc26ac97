package msg

import (
	"fmt"
	"regexp"
	"unicode"
	"unicode/utf8"
)

const (
	maxText  = 256 // letters of a text for people
	maxDrain = 3600
)

var (
	sessionPattern    = regexp.MustCompile(`^ses-[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{8}$`)
	connectionPattern = regexp.MustCompile(`^con-[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{8}$`)
	ticketPattern     = regexp.MustCompile(`^[0-9A-Za-z_-]{8,128}$`)
	codePattern       = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
)

// ValidSession reports whether s has the form of a session's id: "ses-" and
// eight characters of Crockford's alphabet.
func ValidSession(s string) bool { return sessionPattern.MatchString(s) }

// ValidConnection reports whether s has the form of a connection's id: "con-"
// and eight characters of Crockford's alphabet.
func ValidConnection(s string) bool { return connectionPattern.MatchString(s) }

// text refuses what must not reach a terminal or a log.
func text(name, s string) error {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxText {
		return fmt.Errorf("%s is not valid UTF-8 or has more than %d letters", name, maxText)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) { // nor characters that turn the direction
			return fmt.Errorf("%s holds a character that cannot be shown: %U", name, r)
		}
	}
	return nil
}

func texts(pairs ...string) error {
	for i := 0; i < len(pairs); i += 2 {
		if err := text(pairs[i], pairs[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func version(v int) error {
	if v < 1 {
		return fmt.Errorf("version %d", v)
	}
	return nil
}

func form(name, s string, p *regexp.Regexp) error {
	if !p.MatchString(s) {
		return fmt.Errorf("%s %.80q has not the form of one", name, s)
	}
	return nil
}

func (m *Hello) check() error {
	if err := version(m.V); err != nil {
		return err
	}
	if err := form("session", m.Session, sessionPattern); err != nil {
		return err
	}
	return texts("name", m.Name, "case", m.Case)
}

func (m *Welcome) check() error {
	if err := version(m.V); err != nil {
		return err
	}
	if err := m.Spread.check(); err != nil {
		return err
	}
	return text("node", m.Node)
}

func (m *Ping) check() error { return nil }
func (m *Pong) check() error { return m.Spread.check() }

func (s Spread) check() error {
	if s.Seconds < 0 || s.Seconds > maxDrain {
		return fmt.Errorf("spread %d is not within 0 and %d seconds", s.Seconds, maxDrain)
	}
	return nil
}

func (m *Bye) check() error { return text("reason", m.Reason) }

func (m *Dial) check() error {
	if err := form("ticket", m.Ticket, ticketPattern); err != nil {
		return err
	}
	return form("connection", m.Connection, connectionPattern)
}

func (m *Replaced) check() error { return nil }

func (m *Drain) check() error {
	if m.RetryAfter < 0 || m.RetryAfter > maxDrain {
		return fmt.Errorf("retry_after %d is not within 0 and %d seconds", m.RetryAfter, maxDrain)
	}
	return nil
}

func (m *Refuse) check() error {
	if err := form("code", m.Code, codePattern); err != nil {
		return err
	}
	return text("message", m.Message)
}

func (m *Start) check() error {
	if err := form("connection", m.Connection, connectionPattern); err != nil {
		return err
	}
	if m.Session != "" {
		if err := form("session", m.Session, sessionPattern); err != nil {
			return err
		}
	}
	return texts("node", m.Node, "engineer", m.Engineer, "from", m.From, "system", m.System)
}
