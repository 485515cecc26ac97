package direct

import (
	"testing"

	"github.com/latchstring/latchstring/sdk/plugintest"
	"github.com/latchstring/latchstring/sdk/transport"
)

func TestConformance(t *testing.T) {
	plugintest.Transport(t, func() transport.Transport { return New() })
}
