package sdk_test

import (
	"github.com/latchstring/latchstring/sdk"
	"github.com/latchstring/latchstring/sdk/collect"
)

// The whole main function of a plugin program.
func ExampleServe() {
	sdk.Serve(sdk.Plugin{
		Name:       "example",
		Version:    "1.0.0",
		Collectors: map[string]func() collect.Collector{"nginx": newNginx},
	})
}

func newNginx() collect.Collector { return nil }
