package localcfg

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// The keys that the product reads.
const (
	Enable          = "REMOTE_SUPPORT_ENABLE"
	RSS             = "REMOTE_SUPPORT_RSS"
	Proxy           = "REMOTE_SUPPORT_PROXY"
	Resume          = "REMOTE_SUPPORT_RESUME"
	ShareRecordings = "REMOTE_SUPPORT_SHARE_RECORDINGS"
	RunAs           = "REMOTE_SUPPORT_RUN_AS"
	Backend         = "REMOTE_SUPPORT_BACKEND"
	WatchHardware   = "REMOTE_SUPPORT_WATCH_HARDWARE"
)

// prefix is what all keys of the product begin with. Keys without it belong to
// others who share the file, and are left alone.
const prefix = "REMOTE_SUPPORT_"

// Key is a key of the product.
type Key struct {
	Name, Default, Doc, Example string

	check func(value string) error
}

// Keys returns the keys of the product.
func Keys() []Key { return append([]Key(nil), keys...) }

var keys = []Key{
	{Enable, "no", "The global switch: remote support is on, and `remote-support off` is refused.", `REMOTE_SUPPORT_ENABLE="yes"`, isBool},
	{RSS, "the relay of the enrolment", "The relay that is used when a command names none.", `REMOTE_SUPPORT_RSS="rss.vendor.example:443"`, isAddress},
	{Proxy, "none", "The proxy to the relay, without user and password; `machine` means what HTTPS_PROXY and NO_PROXY say, in the agent's environment or in /etc/environment.", `REMOTE_SUPPORT_PROXY="https://proxy.example.com:3128"`, isProxy},
	{Resume, "no", "A session goes on after a restart, where policy does not forbid it.", `REMOTE_SUPPORT_RESUME="yes"`, isBool},
	{ShareRecordings, "no", "Recordings are encrypted to the vendor too, where policy does not forbid it.", `REMOTE_SUPPORT_SHARE_RECORDINGS="yes"`, isBool},
	{RunAs, "the user that the agent runs as", "The local user as whom engineers act.", `REMOTE_SUPPORT_RUN_AS="support"`, isUser},
	{Backend, "builtin", "What serves engineers: the agent itself, or the machine's own SSH server.", `REMOTE_SUPPORT_BACKEND="openssh"`, isBackend},
	{WatchHardware, "yes", "The agent watches the hardware of this machine and records what fails; where policy lists `hardware_failure` in `notify.always`, \"no\" has no effect.", `REMOTE_SUPPORT_WATCH_HARDWARE="no"`, isBool},
}

// Bool reads the value of a switch: yes, true, on, 1 or no, false, off, 0, in
// any case. Anything else is an error, and never means yes.
func (e Entry) Bool() (bool, error) {
	switch strings.ToLower(e.Value) {
	case "yes", "true", "on", "1":
		return true, nil
	case "no", "false", "off", "0":
		return false, nil
	}
	return false, fmt.Errorf(`%s is %q; it is "yes" or "no"`, e.Key, e.Value)
}

func isBool(v string) error {
	if _, err := (Entry{Value: v}).Bool(); err != nil {
		return fmt.Errorf(`it is "yes" or "no", not %q`, v)
	}
	return nil
}

func isAddress(v string) error {
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		host, port = v, "443"
	}
	n, err := strconv.Atoi(port)
	if host == "" || err != nil || n < 1 || n > 65535 || strings.ContainsAny(host, "/@ \t") || strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return fmt.Errorf(`it is written like "rss.vendor.example:443", not %q`, v)
	}
	return nil
}

func isProxy(v string) error {
	if v == "" || v == "none" || v == "machine" {
		return nil
	}
	scheme, rest, _ := strings.Cut(v, "://")
	switch {
	case strings.Contains(rest, "@"):
		return fmt.Errorf("it is written without user and password; those are asked for, or read from a file")
	case rest == "" || scheme != "https" && scheme != "socks4" && scheme != "socks5":
		return fmt.Errorf(`it is written like "https://proxy.example.com:3128", socks4:// or socks5://, or "none" or "machine", not %q`, v)
	}
	return nil
}

func isUser(v string) error {
	if v == "" || len(v) > 32 || strings.HasPrefix(v, "-") || strings.ContainsAny(v, ": /,\t") {
		return fmt.Errorf(`it is the name of a local user, not %q`, v)
	}
	return nil
}

func isBackend(v string) error {
	if v != "builtin" && v != "openssh" {
		return fmt.Errorf(`it is "builtin" or "openssh", not %q`, v)
	}
	return nil
}

// Ours reports whether an entry belongs to the product. Other products may
// keep secrets in the same file.
func (e Entry) Ours() bool { return strings.HasPrefix(e.Key, prefix) }

// check holds the entries against the keys.
func (f *File) check() (mistakes []Mistake) {
next:
	for _, e := range f.Entries {
		if !strings.HasPrefix(strings.ToUpper(e.Key), prefix) {
			continue
		}
		for _, k := range keys {
			if k.Name == e.Key {
				if err := k.check(e.Value); err != nil {
					mistakes = append(mistakes, Mistake{f.Path, e.Line, 1, e.Key + ": " + err.Error()})
				}
				continue next
			}
		}
		names := make([]string, len(keys))
		for i, k := range keys {
			names[i] = k.Name
		}
		mistakes = append(mistakes, Mistake{f.Path, e.Line, 1, fmt.Sprintf("%s is not known; known are %s", e.Key, strings.Join(names, ", "))})
	}
	return mistakes
}
