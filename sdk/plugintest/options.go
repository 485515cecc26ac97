package plugintest

import (
	"encoding/json"
	"net"
	"strings"
)

// ProxyAddress, as part of a text in Options.Config, becomes the host:port of
// the proxy that the suite plays.
const ProxyAddress = "$PROXY"

// Options adapt a suite to what is tested. The zero Options are right for
// whatever needs no settings.
type Options struct {
	// Config are the settings, as the host would send them.
	Config map[string]any

	// Proxy is the proxy's side of a transport's dialogue; nil for a
	// transport that dials its target itself.
	Proxy Proxy

	// Commands are what a collector's commands write, by their command
	// line with spaces between the words. Others are not on the machine.
	Commands map[string]string

	// Login is a login that succeeds, for an auth method. Without it only
	// what must fail is tested.
	Login *Login

	// Broken are settings with which an event sink cannot deliver now but
	// could later: those of a server that is down, for instance.
	Broken map[string]any

	// Skip names cases that do not apply.
	Skip []string

	// Short makes the long cases short. Suites in a test of Go follow
	// the flag -short.
	Short bool

	testOnlyHurry bool // no second try, no long wait: it is known to fail
}

// Login is how a user answers and who he is.
type Login struct {
	Answers map[string]string // by the name of the field
	User    string            // expected
}

// Proxy speaks the proxy's side of one dialogue on conn, up to and with the
// answer that the way is free. It returns what the target's bytes then go
// through (conn itself, or what wraps it: TLS, frames) and the host:port that
// the client asked for. What it reads beyond the request is lost, so it reads
// no more than that.
type Proxy func(conn net.Conn) (through net.Conn, target string, err error)

func first(opts []Options) Options {
	if len(opts) == 0 {
		return Options{}
	}
	return opts[0]
}

// settings makes the configuration: the address of the proxy in place, and a
// canary in every secret that is empty.
func settings(config map[string]any, proxy string, secrets []string, canary func(setting string) string) ([]byte, error) {
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	if config == nil {
		text = []byte("{}")
	}
	text = []byte(strings.ReplaceAll(string(text), ProxyAddress, proxy))
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, err
	}
	for _, name := range secrets {
		group, path := out, strings.Split(name, ".")
		for _, part := range path[:len(path)-1] {
			inner, ok := group[part].(map[string]any)
			if !ok {
				inner = make(map[string]any)
				group[part] = inner
			}
			group = inner
		}
		last := path[len(path)-1]
		if given, ok := group[last].(string); ok && given != "" {
			canary(given) // the author's own counts too
			continue
		}
		group[last] = canary("")
	}
	return json.Marshal(out)
}
