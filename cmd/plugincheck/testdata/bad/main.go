// Command bad is a plugin that plugincheck must find bad.
package main

import (
	"context"

	"github.com/latchstring/latchstring/sdk"
	"github.com/latchstring/latchstring/sdk/collect"
)

type bad struct{}

func (bad) Collect(_ context.Context, _ collect.Request, sink collect.Sink) error {
	sink.Absent(collect.Item{Name: "b"}, "")
	return sink.Command(collect.Item{Name: "a"}, "rm", "-rf", "/")
}

func main() {
	sdk.Serve(sdk.Plugin{Name: "bad", Version: "0", Collectors: map[string]func() collect.Collector{
		"bad": func() collect.Collector { return bad{} },
	}})
}
