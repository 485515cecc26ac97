package findings

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var failedUnit = regexp.MustCompile(`^(?:●|\*|×|x)\s+(\S+\.(?:service|mount|socket|timer|swap|path|device|target))(?:\s|$)`)

// units reads `systemctl status --state=failed`.
func units(l *looker) bool {
	const file = "services/systemd/failed.txt"
	at, name := 0, ""
	var detail []string
	flush := func() {
		if name != "" {
			l.found(Critical, "units", file, at, name+" has failed", detail...)
		}
		name, detail = "", nil
	}
	ok := l.lines(file, func(n int, line string) {
		if m := failedUnit.FindStringSubmatch(line); m != nil {
			flush()
			at, name = n, m[1]
			return
		}
		if line = strings.TrimSpace(line); name != "" && line != "" {
			if detail = append(detail, line); len(detail) > maxDetail {
				detail = append(detail[:3:3], detail[len(detail)-maxDetail+3:]...) // the head and the end
			}
		}
	})
	flush()
	return ok
}

// certificates reads what the security collector found. Roots of the trust
// store expire all the time and trouble nobody.
func certificates(l *looker) bool {
	const file = "security/certificates.json"
	data, ok := l.small(file)
	if !ok {
		return false
	}
	type cert struct {
		Subject string
		After   time.Time `json:"not_after"`
		CA      bool
	}
	var c struct {
		Files []struct {
			Path    string
			Expired []cert
			Soon    []cert `json:"expire_within_30_days"`
			Certs   []cert `json:"certificates"`
		}
	}
	if json.Unmarshal(data, &c) != nil {
		return false
	}
	now := l.r.Made
	for _, f := range c.Files {
		if strings.Contains(f.Path, "ca-certificates") || strings.Contains(f.Path, "ca-bundle") {
			continue
		}
		seen := map[string]bool{}
		for _, crt := range append(append(f.Expired, f.Soon...), f.Certs...) {
			days := int(crt.After.Sub(now).Hours() / 24)
			if crt.After.IsZero() || days > 30 || seen[crt.Subject] {
				continue
			}
			seen[crt.Subject] = true
			if crt.After.Before(now) {
				s := Critical
				if crt.CA {
					s = Warning
				}
				l.found(s, "certificates", file, 0, fmt.Sprintf("the certificate %s expired on %s", f.Path, crt.After.Format(time.DateOnly)), crt.Subject)
			} else {
				l.found(Warning, "certificates", file, 0, fmt.Sprintf("the certificate %s expires in %d days", f.Path, days), crt.Subject)
			}
		}
	}
	return true
}

var chronyOffset = regexp.MustCompile(`^System time\s*:\s*([0-9.]+) seconds (slow|fast)`)

// clock reads whether the machine's time is kept.
func clock(l *looker) bool {
	any := l.lines("network/time/timedatectl.txt", func(n int, line string) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case key == "System clock synchronized" && value == "no":
			l.found(Warning, "clock", "network/time/timedatectl.txt", n, "the clock is not synchronized", line)
		case key == "NTP service" && value == "inactive":
			l.found(Notice, "clock", "network/time/timedatectl.txt", n, "no time service of systemd runs", line)
		}
	})
	return l.lines("network/time/chrony-tracking.txt", func(n int, line string) {
		if m := chronyOffset.FindStringSubmatch(line); m != nil {
			if off, err := strconv.ParseFloat(m[1], 64); err == nil && off > 0.5 {
				l.found(Warning, "clock", "network/time/chrony-tracking.txt", n, fmt.Sprintf("the clock is %s s %s", m[1], m[2]), line)
			}
		}
		if strings.HasPrefix(line, "Leap status") && strings.Contains(line, "Not synchronised") {
			l.found(Warning, "clock", "network/time/chrony-tracking.txt", n, "chronyd is not synchronized", line)
		}
	}) || any
}
