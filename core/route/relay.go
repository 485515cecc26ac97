package route

import (
	"fmt"
	"net"
	"strings"
)

// retired are names of relays that are no longer used, and why. Old
// configurations and printed guides still have them.
var retired = map[string]string{
	"rss02.infinidat.com": "rss.infinidat.com",
	"rss05.infinidat.com": "rss.infinidat.com",
	"rss07.infinidat.com": "rss.infinidat.com",
	"rss08.infinidat.com": "rss.infinidat.com",
}

// RetiredError is the name of a relay that is no longer used.
type RetiredError struct{ Name, Instead string }

func (e *RetiredError) Error() string {
	return fmt.Sprintf("the relay %s is retired and no longer used", e.Name)
}

// Hint names the one to use.
func (e *RetiredError) Hint() string { return "use " + e.Instead }

// ExitCode is that of a wrong flag.
func (e *RetiredError) ExitCode() int { return 2 }

// CheckRelay refuses the address of a relay (host:port) that is retired
// (REQ A15).
func CheckRelay(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if instead, gone := retired[host]; gone {
		return &RetiredError{Name: host, Instead: instead}
	}
	return nil
}
