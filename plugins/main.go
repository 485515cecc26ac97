package main

import (
	"github.com/latchstring/latchstring/plugins/auth/challenge"
	"github.com/latchstring/latchstring/plugins/auth/infinibox"
	"github.com/latchstring/latchstring/plugins/auth/sso"
	"github.com/latchstring/latchstring/plugins/collect/config"
	"github.com/latchstring/latchstring/plugins/collect/containers"
	"github.com/latchstring/latchstring/plugins/collect/databases"
	"github.com/latchstring/latchstring/plugins/collect/files"
	"github.com/latchstring/latchstring/plugins/collect/hardware"
	array "github.com/latchstring/latchstring/plugins/collect/infinibox"
	"github.com/latchstring/latchstring/plugins/collect/kernel"
	"github.com/latchstring/latchstring/plugins/collect/logs"
	"github.com/latchstring/latchstring/plugins/collect/network"
	"github.com/latchstring/latchstring/plugins/collect/security"
	"github.com/latchstring/latchstring/plugins/collect/services"
	"github.com/latchstring/latchstring/plugins/collect/storage"
	"github.com/latchstring/latchstring/plugins/collect/system"
	events "github.com/latchstring/latchstring/plugins/eventsink/infinibox"
	"github.com/latchstring/latchstring/plugins/eventsink/smtp"
	"github.com/latchstring/latchstring/plugins/eventsink/syslog"
	"github.com/latchstring/latchstring/plugins/transport/direct"
	"github.com/latchstring/latchstring/plugins/transport/https"
	"github.com/latchstring/latchstring/plugins/transport/socks"
	"github.com/latchstring/latchstring/sdk"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/transport"
)

// version is set at link time by -X main.version=v1.2.3.
var version = "0.1.0-dev"

// builtin is what this program holds.
var builtin = sdk.Plugin{
	Name:    "latchstring-plugins",
	Version: version,
	Transports: map[string]func() transport.Transport{
		direct.Name: func() transport.Transport { return direct.New() },
		https.Name:  func() transport.Transport { return https.New() },
		socks.Name:  func() transport.Transport { return socks.New() },
	},
	Auths: map[string]func() auth.Method{
		challenge.Name: func() auth.Method { return challenge.New() },
		infinibox.Name: func() auth.Method { return infinibox.New() },
		sso.Name:       func() auth.Method { return sso.New() },
	},
	Collectors: map[string]func() collect.Collector{
		config.Name:     func() collect.Collector { return config.New() },
		containers.Name: func() collect.Collector { return containers.New() },
		databases.Name:  func() collect.Collector { return databases.New() },
		files.Name:      func() collect.Collector { return files.New() },
		hardware.Name:   func() collect.Collector { return hardware.New() },
		array.Name:      func() collect.Collector { return array.New() },
		kernel.Name:     func() collect.Collector { return kernel.New() },
		logs.Name:       func() collect.Collector { return logs.New() },
		network.Name:    func() collect.Collector { return network.New() },
		security.Name:   func() collect.Collector { return security.New() },
		services.Name:   func() collect.Collector { return services.New() },
		storage.Name:    func() collect.Collector { return storage.New() },
		system.Name:     func() collect.Collector { return system.New() },
	},
	EventSinks: map[string]func() eventsink.Sink{
		events.Name: func() eventsink.Sink { return events.New() },
		smtp.Name:   func() eventsink.Sink { return smtp.New() },
		syslog.Name: func() eventsink.Sink { return syslog.New() },
	},
}

func main() { sdk.Serve(builtin) }
