package main

import (
	"fmt"
	"os"
	"strings"
)

// The secrets of the demonstration. None of them may reach the vendor.
const (
	demoPassword = "correct-horse-battery"
	demoToken    = "ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
)

// demoFiles are what an application on this machine might have left behind: a
// configuration with a password, and a log in which the same password turns up
// where no rule could expect it.
var demoFiles = map[string]string{
	"app.conf": `[database]
host = db7.corp.example
user = billing
password = PASSWORD
timeout = 30s

[github]
token = TOKEN
`,
	"app.log": `2026-11-22T10:00:01Z INFO  start version=4.2 peer=192.168.17.20
2026-11-22T10:00:02Z ERROR connect postgres://billing:PASSWORD@db7.corp.example:5432/bills: timeout
2026-11-22T10:00:03Z WARN  retry with PASSWORD in the middle of nowhere
2026-11-22T10:00:04Z INFO  PasswordAuthentication no (policy, not a password)
`,
}

// writeDemo writes the files to the folder demo.
func (t *tour) writeDemo() error {
	if err := os.Mkdir(t.path("demo"), 0o700); err != nil {
		return err
	}
	r := strings.NewReplacer("PASSWORD", demoPassword, "TOKEN", demoToken)
	for name, text := range demoFiles {
		if err := os.WriteFile(t.path("demo", name), []byte(r.Replace(text)), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// show prints a file that the sanitizer has been through, set off.
func (t *tour) show(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if strings.Contains(string(b), demoPassword) || strings.Contains(string(b), demoToken) {
		return fmt.Errorf("%s holds a secret of the demonstration in clear: this must never happen, please report it", path)
	}
	for line := range strings.Lines(string(b)) {
		t.say("  | %s", strings.TrimRight(line, "\n"))
	}
	return nil
}
