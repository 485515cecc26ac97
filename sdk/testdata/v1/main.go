// Command v1 is a plugin as the first SDK made them, with a protocol package of
// its own. It is frozen: it uses nothing of today's tree, and is never changed.
// A test of core/host builds it and has today's host run it. If that test
// fails, plugins that customers have fail with it.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"

	"github.com/hashicorp/go-plugin"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"

	"github.com/latchstring/latchstring/sdk/testdata/v1/pluginv1"
)

const description = `{"name":"frozen","version":"1.0.0","sdk":"1","protocols":[1],"roles":[
{"role":"transport","name":"frozen","config":{"type":"object","properties":{"greeting":{"type":"string"}}},"needs":{"ports":["*"]}}]}`

func main() {
	if len(os.Args) == 2 && os.Args[1] == "describe" {
		fmt.Println(description)
		return
	}
	if len(os.Args) != 3 || os.Args[1] != "serve" || os.Args[2] != "transport/frozen" {
		fmt.Fprintln(os.Stderr, "usage: v1 describe | serve transport/frozen")
		os.Exit(2)
	}
	p := &frozen{}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "LATCHSTRING_PLUGIN", MagicCookieValue: "started-by-its-host"},
		VersionedPlugins: map[int]plugin.PluginSet{1: {"role": adapter{p: p}}},
		GRPCServer:       func(o []grpc.ServerOption) *grpc.Server { return grpc.NewServer(o...) },
	})
}

type adapter struct {
	plugin.NetRPCUnsupportedPlugin
	p *frozen
}

func (a adapter) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	pluginv1.RegisterRoleServer(s, a.p)
	pluginv1.RegisterTransportServer(s, transport{p: a.p})
	return nil
}

func (adapter) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, fmt.Errorf("no host")
}

type frozen struct {
	pluginv1.UnimplementedRoleServer
	greeting string
}

func (*frozen) Describe(context.Context, *pluginv1.DescribeRequest) (*pluginv1.DescribeResponse, error) {
	return &pluginv1.DescribeResponse{Json: []byte(description)}, nil
}

func (f *frozen) Configure(_ context.Context, r *pluginv1.ConfigureRequest) (*pluginv1.ConfigureResponse, error) {
	var s struct{ Greeting string }
	if err := json.Unmarshal(r.GetJson(), &s); err != nil {
		return nil, err
	}
	if s.Greeting == "bad" {
		return &pluginv1.ConfigureResponse{Problems: []*pluginv1.Problem{{Field: "greeting", Message: "be kind"}}}, nil
	}
	f.greeting = s.Greeting
	return &pluginv1.ConfigureResponse{}, nil
}

func (*frozen) Health(context.Context, *pluginv1.HealthRequest) (*pluginv1.HealthResponse, error) {
	return &pluginv1.HealthResponse{}, nil
}

type transport struct {
	pluginv1.UnimplementedTransportServer
	p *frozen
}

func (t transport) Dial(ctx context.Context, r *pluginv1.DialRequest) (*pluginv1.DialResponse, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, r.GetNetwork(), r.GetAddress())
	if err != nil {
		return &pluginv1.DialResponse{Failure: &pluginv1.Failure{Code: "refused", Message: err.Error(), Hint: "says the frozen one"}}, nil
	}
	defer conn.Close()
	if err := pass(r.GetHandoff(), conn.(*net.TCPConn)); err != nil {
		return nil, err
	}
	return &pluginv1.DialResponse{Residual: []byte(t.p.greeting), Note: "as ever"}, nil
}

// pass hands the connection over on descriptor 3: 16 bytes of header with
// version, kind 1, no operation, no payload and the id.
func pass(id uint64, conn *net.TCPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	msg := binary.BigEndian.AppendUint64([]byte{1, 1, 0, 0, 0, 0, 0, 0}, id)
	var sent error
	err = raw.Control(func(fd uintptr) { sent = unix.Sendmsg(3, msg, unix.UnixRights(int(fd)), nil, 0) })
	if err != nil {
		return err
	}
	return sent
}
