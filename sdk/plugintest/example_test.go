package plugintest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/latchstring/latchstring/sdk/plugintest"
	"github.com/latchstring/latchstring/sdk/transport"
)

// The conformance test of a transport through an HTTP proxy.
func ExampleTransport() {
	_ = func(t *testing.T) { // func TestConformance(t *testing.T)
		plugintest.Transport(t, func() transport.Transport { return new(connect) }, plugintest.Options{
			Config: map[string]any{"proxy": plugintest.ProxyAddress},
			Proxy:  plugintest.CONNECT,
		})
	}
}

// A binary is checked through a function that starts it.
func ExampleBinary() {
	var start plugintest.Starter // of the program
	b := plugintest.Binary{Start: start, Report: func(r plugintest.Result) {
		fmt.Println(r.Status, r.Plugin, r.Case)
	}}
	_ = func() error {
		results, err := b.Check(context.Background(), "transport/tunnel")
		if err != nil {
			return err
		}
		return plugintest.Verdict(results)
	}
}
