package motd

import (
	"testing"

	"github.com/latchstring/latchstring/sdk/plugintest"
)

func TestConformance(t *testing.T) {
	plugintest.Collector(t, New, plugintest.Options{Commands: map[string]string{"uptime": " 10:00 up 1 day\n"}})
}
