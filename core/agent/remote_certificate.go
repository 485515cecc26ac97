package agent

import (
	"fmt"
	"time"

	"golang.org/x/crypto/ssh"
)

// certificateWarning is how long before the end of his certificate an engineer
// is told of it.
const certificateWarning = 10 * time.Minute

// certificateEnd is when the certificate of a connection is over; the zero time
// if never.
func (c *conn) certificateEnd() time.Time {
	before := c.peer.Certificate.ValidBefore
	if before == ssh.CertTimeInfinity || before > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(before), 0)
}

// expired says in words that the engineer's certificate is not valid any more;
// nothing while it is.
func (c *conn) expired() string {
	end := c.certificateEnd()
	if end.IsZero() || c.l.clock.Now().Before(end) {
		return ""
	}
	return fmt.Sprintf("the certificate of %s expired at %s", c.peer.Engineer, end.UTC().Format(time.RFC3339))
}

// checkCertificates ends connections whose certificate has expired: it says who
// somebody is, and does not say it any more. It does not wait for that.
func (l *live) checkCertificates() {
	now := l.clock.Now()
	l.mu.Lock()
	over := map[*conn]string{}
	for _, c := range l.conns {
		end := c.certificateEnd()
		switch {
		case end.IsZero() || c.reason != "":
		case !now.Before(end):
			over[c] = c.expired()
		case !c.warned && c.rec != nil && end.Sub(now) <= certificateWarning:
			c.warned = true
			select {
			case c.warns <- fmt.Sprintf("Your certificate ends in %s, and this connection with it. Have it renewed: support certify", end.Sub(now).Round(time.Second)):
			default: // a terminal that does not read
			}
		}
	}
	l.mu.Unlock()
	for c, why := range over {
		go c.end("agent", why)
	}
}
