package wire

import (
	"context"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/latchstring/latchstring/internal/wire/pluginv1"
)

// Services are the servers of one plugin process: Role, and one of the others.
type Services struct {
	Role      pluginv1.RoleServer
	Transport pluginv1.TransportServer
	Collect   pluginv1.CollectServer
	Auth      pluginv1.AuthServer
	EventSink pluginv1.EventSinkServer
}

// Register registers the services that are there.
func (s Services) Register(r grpc.ServiceRegistrar) {
	if s.Role != nil {
		pluginv1.RegisterRoleServer(r, s.Role)
	}
	if s.Transport != nil {
		pluginv1.RegisterTransportServer(r, s.Transport)
	}
	if s.Collect != nil {
		pluginv1.RegisterCollectServer(r, s.Collect)
	}
	if s.Auth != nil {
		pluginv1.RegisterAuthServer(r, s.Auth)
	}
	if s.EventSink != nil {
		pluginv1.RegisterEventSinkServer(r, s.EventSink)
	}
}

// ServerPlugins is the VersionedPlugins of a plugin's ServeConfig.
func ServerPlugins(s Services) map[int]plugin.PluginSet {
	return map[int]plugin.PluginSet{Version1: {Base: adapter{services: s}}}
}

// ClientPlugins is the VersionedPlugins of a host's ClientConfig. Dispensing
// Base gives a pluginv1.RoleClient; dispensing a role's name gives its client,
// for instance a pluginv1.TransportClient. A client of a role that the process
// does not serve answers every call with the status Unimplemented.
func ClientPlugins() map[int]plugin.PluginSet {
	return map[int]plugin.PluginSet{Version1: {
		Base:          adapter{client: func(c *grpc.ClientConn) any { return pluginv1.NewRoleClient(c) }},
		RoleTransport: adapter{client: func(c *grpc.ClientConn) any { return pluginv1.NewTransportClient(c) }},
		RoleCollect:   adapter{client: func(c *grpc.ClientConn) any { return pluginv1.NewCollectClient(c) }},
		RoleAuth:      adapter{client: func(c *grpc.ClientConn) any { return pluginv1.NewAuthClient(c) }},
		RoleEventSink: adapter{client: func(c *grpc.ClientConn) any { return pluginv1.NewEventSinkClient(c) }},
	}}
}

// adapter makes go-plugin's plugin of either side.
type adapter struct {
	plugin.NetRPCUnsupportedPlugin
	services Services
	client   func(*grpc.ClientConn) any
}

// GRPCServer registers the services.
func (a adapter) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	a.services.Register(s)
	return nil
}

// GRPCClient makes the generated client.
func (a adapter) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return a.client(c), nil
}
