package collect_test

import (
	"context"
	"fmt"

	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// nginx collects the configuration of a web server.
type nginx struct{}

func (nginx) Needs() needs.List {
	return needs.List{
		Paths:    []string{"/etc/nginx/**", "/var/log/nginx/*.log"},
		Commands: [][]string{{"nginx", "-T"}},
	}
}

func (nginx) Collect(_ context.Context, _ collect.Request, sink collect.Sink) error {
	if err := sink.Path(collect.Item{Name: "nginx.conf", Config: true}, "/etc/nginx/nginx.conf"); err != nil {
		return err
	}
	return sink.Command(collect.Item{Name: "effective.txt", Config: true}, "nginx", "-T")
}

func Example() {
	var c collect.Collector = nginx{}
	list := c.(collect.Needer).Needs()
	fmt.Println(list.Path("/etc/nginx/sites-enabled/default"), list.Path("/etc/shadow"))
	// Output: true false
}

func ExampleNameOf() {
	fmt.Println(collect.NameOf("/etc/nginx/nginx.conf"))
	// Output: etc/nginx/nginx.conf
}
