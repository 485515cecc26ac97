package infinibox

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the collector's folder in the bundle.
const Name = "infinibox"

type settings struct {
	Addresses   []string      `config:"addresses" help:"management addresses of the array; the first that answers is used"`
	Username    string        `config:"username" help:"a user of the array who may read"`
	Password    config.Secret `config:"password" help:"that user's password"`
	Fingerprint string        `config:"fingerprint" help:"SHA-256 of the array's certificate, in hex; empty means that this machine trusts it"`
	Events      int           `config:"events" default:"5000" help:"events to take, the newest"`
}

// Validate checks what tags cannot say.
func (s *settings) Validate() error {
	var p config.Problems
	if len(s.Addresses) > 0 && (s.Username == "" || s.Password.IsZero()) {
		p.Add("username", "a user and a password are needed for the array")
	}
	if sum, err := hex.DecodeString(plainHex(s.Fingerprint)); err != nil || len(sum) != 0 && len(sum) != 32 {
		p.Add("fingerprint", "want 64 hexadecimal digits")
	}
	if s.Events < 0 || s.Events > 100_000 {
		p.Add("events", "want 0 to 100000")
	}
	if len(p) == 0 {
		return nil
	}
	return p
}

// Collector is the collector.
type Collector struct{ settings settings }

// New makes the collector.
func New() *Collector { return &Collector{} }

// Config is where the host's settings go.
func (c *Collector) Config() any { return &c.settings }

// Needs declares the port of the array's API.
func (c *Collector) Needs() needs.List { return needs.List{Ports: []string{"443"}} }

// resources are what is asked for, and the items that they become. One that a
// firmware does not know is absent.
var resources = []struct {
	name, resource string
	config         bool
}{
	{"system.json", "system", false},
	{"health.json", "system/health_state", false},
	{"features.json", "_features", false},
	{"time.json", "system/ntp_status", false},
	{"security.json", "system/security", false},
	{"counts.json", "system/entity_counts", false},
	{"ssh.json", "system/ssh", false},
	{"components/nodes.json", "components/racks/1/nodes", false},
	{"components/enclosures.json", "components/racks/1/enclosures", false},
	{"components/support-appliances.json", "components/racks/1/support_appliances", false},
	{"settings/sso.json", "config/sso/idps", true},
	{"settings/ldap.json", "config/ldap", true},
	{"settings/notification-targets.json", "notifications/targets", true},
	{"settings/notification-rules.json", "notifications/rules", true},
}

const (
	eventsName = "events.json"
	pageSize   = 500
)

// Plan lists the items, if an array is named.
func (c *Collector) Plan(context.Context, collect.Request) ([]collect.Planned, error) {
	if len(c.settings.Addresses) == 0 {
		return nil, nil
	}
	out := []collect.Planned{{Name: eventsName, Source: source("events"), Size: -1}}
	for _, r := range resources {
		out = append(out, collect.Planned{Name: r.name, Source: source(r.resource), Size: -1, Config: r.config})
	}
	return out, nil
}

func source(resource string) string { return "GET /api/rest/" + resource }

// Collect hands over everything that the array tells.
func (c *Collector) Collect(ctx context.Context, req collect.Request, sink collect.Sink) error {
	first := collect.Item{Name: resources[0].name, Source: source(resources[0].resource)}
	if len(c.settings.Addresses) == 0 {
		return sink.Absent(first, "no array is named in the collector's settings")
	}
	box, err := connect(ctx, &c.settings)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return sink.Failed(first, err)
	}
	defer box.logout()
	for _, r := range resources {
		a, err := box.get(ctx, r.resource)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		it := collect.Item{Name: r.name, Source: source(r.resource), Config: r.config}
		if status(err) == http.StatusNotFound {
			if err := sink.Absent(it, "the array's firmware does not know it"); err != nil {
				return err
			}
			continue
		}
		var text []byte
		if err == nil {
			text, err = indent(a.Result)
		}
		if err := recipe.Write(sink, it, text, err); err != nil {
			return err
		}
	}
	text, err := c.events(ctx, box, req.Since)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return recipe.Write(sink, collect.Item{Name: eventsName, Source: source("events")}, text, err)
}

// events are the newest events, as many as the settings say and not older than
// asked for: one a line, as a JSON array.
func (c *Collector) events(ctx context.Context, box *client, since time.Time) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("[")
	n := 0
	for page := 1; n < c.settings.Events; page++ {
		a, err := box.get(ctx, fmt.Sprintf("events?sort=-id&page=%d&page_size=%d", page, pageSize))
		if err != nil {
			return nil, err
		}
		var events []json.RawMessage
		if err := json.Unmarshal(a.Result, &events); err != nil {
			return nil, fmt.Errorf("the array's events are no list: %w", err)
		}
		for _, e := range events {
			var when struct {
				Timestamp int64 `json:"timestamp"` // milliseconds since 1970
			}
			if json.Unmarshal(e, &when) == nil && !since.IsZero() && time.UnixMilli(when.Timestamp).Before(since) {
				continue
			}
			if n >= c.settings.Events {
				break
			}
			if n++; n > 1 {
				out.WriteByte(',')
			}
			out.WriteByte('\n')
			if err := json.Compact(&out, e); err != nil {
				return nil, err
			}
		}
		if page >= a.Metadata.Pages || len(events) == 0 {
			break
		}
	}
	out.WriteString("\n]\n")
	return out.Bytes(), nil
}

func indent(data []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
