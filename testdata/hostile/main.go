// Command hostile is a plugin that does what no plugin may do, one thing per
// role: `hostile serve transport/garbage` prints garbage instead of a
// handshake, and so on. Two of its roles, transport/good and transport/pump,
// behave, for comparison. The tests of core/host run it as if it were the
// program of the built-in plugins.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-plugin"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"

	"github.com/latchstring/latchstring/internal/handoff"
	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/needs"
)

// stderr is the real one; go-plugin puts another in its place.
var stderr = os.Stderr

// channelFD is the handoff channel past the library.
var channelFD int

// settings are what a test configures: other addresses, paths to ask for.
type settings struct {
	Other string     `json:"other"`
	Paths []string   `json:"paths"`
	Runs  [][]string `json:"runs"`
}

// mode is one kind of behaviour of a role: before is run instead of, or before,
// the handshake.
type mode struct {
	before func()
	dial   func(*process, *pluginv1.DialRequest) (*pluginv1.DialResponse, error)
	// collect and deliver are for the other roles.
	collect func(*process, pluginv1.Collect_CollectServer) error
	deliver func(*process, *pluginv1.DeliverRequest) (*pluginv1.DeliverResponse, error)
	login   func(*process, pluginv1.Auth_AuthenticateServer) error
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "describe" {
		json.NewEncoder(os.Stdout).Encode(description())
		return
	}
	if len(os.Args) != 3 || os.Args[1] != "serve" {
		fmt.Fprintln(os.Stderr, "usage: hostile describe | serve ROLE/NAME")
		os.Exit(2)
	}
	m, ok := modes[os.Args[2]]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such mode")
		os.Exit(2)
	}
	if m.before != nil {
		m.before()
	}
	var err error
	if channelFD, err = unix.Dup(wire.HandoffFD); err != nil {
		panic(err)
	}
	channel, err := handoff.New(os.NewFile(wire.HandoffFD, "handoff"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	// No lifeline on purpose: a hostile plugin would not keep one.
	p := &process{mode: m, channel: channel}
	services := wire.Services{Role: p, Transport: transportServer{p: p}}
	if m.collect != nil {
		services = wire.Services{Role: p, Collect: collectServer{p: p}}
	}
	if m.deliver != nil {
		services = wire.Services{Role: p, EventSink: sinkServer{p: p}}
	}
	if m.login != nil {
		services = wire.Services{Role: p, Auth: authServer{p: p}}
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: wire.ServerPlugins(services),
		GRPCServer:       func(opts []grpc.ServerOption) *grpc.Server { return grpc.NewServer(opts...) },
	})
}

// goodPorts are the ports that the transports declare.
const goodPorts = "20000-23999"

func description() wire.Description {
	d := wire.Description{Name: "hostile", Version: "1.2.3", SDK: "none", Protocols: wire.Versions}
	for id, m := range modes {
		role, name, _ := strings.Cut(id, "/")
		n := needs.List{Ports: []string{goodPorts}}
		if m.collect != nil {
			n = needs.List{
				Paths:    []string{"/var/lib/latchstring-test/**", "/tmp/latchstring-test-*/**", "/etc/hostname", "/proc/self/environ", "/etc/declared-*"},
				Commands: [][]string{{"sh", "-c", "..."}, {"echo", "..."}, {"/bin/sleep", "*"}},
			}
		}
		d.Roles = append(d.Roles, wire.RoleDescription{Role: role, Name: name, Needs: n})
	}
	return d
}

// process is the plugin side of the control path.
type process struct {
	pluginv1.UnimplementedRoleServer
	mode     mode
	channel  *handoff.Channel
	settings settings
	stuck    atomic.Bool
	ctx      atomic.Pointer[context.Context] // of the last dial
}

func (p *process) Describe(context.Context, *pluginv1.DescribeRequest) (*pluginv1.DescribeResponse, error) {
	out, err := json.Marshal(description())
	return &pluginv1.DescribeResponse{Json: out}, err
}

func (p *process) Configure(_ context.Context, r *pluginv1.ConfigureRequest) (*pluginv1.ConfigureResponse, error) {
	if err := json.Unmarshal(r.GetJson(), &p.settings); err != nil {
		return &pluginv1.ConfigureResponse{Problems: []*pluginv1.Problem{{Field: "x\x1b[2J", Message: err.Error()}}}, nil
	}
	return &pluginv1.ConfigureResponse{}, nil
}

func (p *process) Health(context.Context, *pluginv1.HealthRequest) (*pluginv1.HealthResponse, error) {
	if p.stuck.Load() {
		time.Sleep(time.Hour)
	}
	return &pluginv1.HealthResponse{}, nil
}

type transportServer struct {
	pluginv1.UnimplementedTransportServer
	p *process
}

func (t transportServer) Dial(ctx context.Context, r *pluginv1.DialRequest) (*pluginv1.DialResponse, error) {
	t.p.ctx.Store(&ctx)
	if t.p.mode.dial == nil {
		return good(t.p, r)
	}
	return t.p.mode.dial(t.p, r)
}

type collectServer struct {
	pluginv1.UnimplementedCollectServer
	p *process
}

func (c collectServer) Collect(_ *pluginv1.CollectRequest, s pluginv1.Collect_CollectServer) error {
	return c.p.mode.collect(c.p, s)
}

type sinkServer struct {
	pluginv1.UnimplementedEventSinkServer
	p *process
}

func (s sinkServer) Deliver(_ context.Context, r *pluginv1.DeliverRequest) (*pluginv1.DeliverResponse, error) {
	return s.p.mode.deliver(s.p, r)
}

type authServer struct {
	pluginv1.UnimplementedAuthServer
	p *process
}

func (a authServer) Authenticate(s pluginv1.Auth_AuthenticateServer) error {
	return a.p.mode.login(a.p, s)
}

// crash ends the process by SIGABRT.
func crash() {
	debug.SetTraceback("crash")
	go func() { panic("on purpose") }()
	time.Sleep(time.Hour)
}

// say answers a dial with what was tried: a failure whose message is the
// result.
func say(format string, args ...any) (*pluginv1.DialResponse, error) {
	return &pluginv1.DialResponse{Failure: &pluginv1.Failure{Code: "tried", Message: fmt.Sprintf(format, args...)}}, nil
}

// modes are all behaviours, by ROLE/NAME.
var modes = map[string]mode{
	"transport/good": {},
	"transport/pump": {dial: pump},

	// before the handshake
	"transport/garbage": {before: func() { fmt.Print("hello\x1b[2J, I am a plugin\n"); time.Sleep(time.Hour) }},
	"transport/silent":  {before: func() { time.Sleep(time.Hour) }},
	"transport/quits": {before: func() {
		fmt.Fprintln(os.Stderr, "cannot find my config")
		os.Exit(3)
	}},
	"transport/endless": {before: func() {
		for {
			os.Stdout.WriteString(strings.Repeat("x", 1<<16))
		}
	}},
	"transport/address-tcp":  {before: func() { fmt.Println("1|1|tcp|127.0.0.1:22|grpc|"); time.Sleep(time.Hour) }},
	"transport/address-path": {before: func() { fmt.Println("1|1|unix|../../host.sock|grpc|"); time.Sleep(time.Hour) }},
	"transport/address-file": {before: func() {
		os.WriteFile("file", nil, 0o600)
		fmt.Println("1|1|unix|./file|grpc|")
		time.Sleep(time.Hour)
	}},
	"transport/version": {before: func() { fmt.Println("1|999|unix|./x|grpc|"); time.Sleep(time.Hour) }},

	// crashes that would leave a core, with the settings in it
	"transport/crash": {dial: func(*process, *pluginv1.DialRequest) (*pluginv1.DialResponse, error) {
		crash()
		select {}
	}},
	"transport/crash-at-once": {before: crash},

	// the log
	"transport/log-json": {before: func() {
		fmt.Fprintln(os.Stderr, `{"@message":1}`)
		fmt.Fprintln(os.Stderr, `{"@message":"x","@level":7,"@timestamp":[]}`)
	}},
	"transport/log-long": {before: func() {
		chunk := strings.Repeat("y", 1<<20)
		for range 100 {
			os.Stderr.WriteString(chunk)
		}
		os.Stderr.WriteString("\n")
	}},
	"transport/stdout-later": {dial: func(p *process, r *pluginv1.DialRequest) (*pluginv1.DialResponse, error) {
		out := os.NewFile(1, "stdout")
		for range 64 {
			out.WriteString(strings.Repeat("z", 1<<16)) // would block if nobody read
		}
		return good(p, r)
	}},

	// calls
	"transport/hang": {dial: func(*process, *pluginv1.DialRequest) (*pluginv1.DialResponse, error) {
		time.Sleep(time.Hour)
		return nil, nil
	}},
	"transport/slow": {dial: slow},
	"transport/hang-all": {dial: func(p *process, _ *pluginv1.DialRequest) (*pluginv1.DialResponse, error) {
		p.stuck.Store(true)
		time.Sleep(time.Hour)
		return nil, nil
	}},
	"transport/pump-hang": {dial: func(p *process, r *pluginv1.DialRequest) (*pluginv1.DialResponse, error) {
		if strings.HasSuffix(r.GetAddress(), ":23999") {
			time.Sleep(time.Hour)
		}
		return pump(p, r)
	}},
	"transport/exit": {dial: func(*process, *pluginv1.DialRequest) (*pluginv1.DialResponse, error) {
		fmt.Fprintln(stderr, "giving up")
		time.Sleep(50 * time.Millisecond)
		os.Exit(7)
		return nil, nil
	}},
	"transport/big": {dial: func(*process, *pluginv1.DialRequest) (*pluginv1.DialResponse, error) {
		return &pluginv1.DialResponse{Note: strings.Repeat("n", 8<<20)}, nil
	}},

	// out of the sandbox
	"transport/shadow": {dial: func(*process, *pluginv1.DialRequest) (*pluginv1.DialResponse, error) {
		_, err := os.ReadFile("/etc/shadow")
		_, err2 := os.ReadFile("/etc/passwd")
		return say("shadow: %v; passwd: %v", err, err2)
	}},
	"transport/fork": {dial: func(*process, *pluginv1.DialRequest) (*pluginv1.DialResponse, error) {
		cmd := exec.Command("/bin/sh", "-c", "sleep 1000 & disown")
		cmd.Stdout, cmd.Stderr = stderr, stderr
		err := cmd.Run()
		return say("shell: %v; %s", err, rawFork())
	}},
	"transport/elsewhere": {dial: elsewhere},
	"transport/syscalls":  {dial: func(*process, *pluginv1.DialRequest) (*pluginv1.DialResponse, error) { return say("%s", syscalls()) }},
	"transport/int80": {dial: func(*process, *pluginv1.DialRequest) (*pluginv1.DialResponse, error) {
		return say("int80: %d", int80getpid())
	}},
	"transport/kill-host": {dial: func(*process, *pluginv1.DialRequest) (*pluginv1.DialResponse, error) {
		return say("%s", killHost())
	}},

	// wrong descriptors
	"transport/hand-file":        {dial: handFile},
	"transport/hand-pipe":        {dial: handPipe},
	"transport/hand-listener":    {dial: handListener},
	"transport/hand-udp":         {dial: handUDP},
	"transport/hand-unconnected": {dial: handUnconnected},
	"transport/hand-other":       {dial: handOther},
	"transport/hand-pair":        {dial: handPair},
	"transport/hand-epoll":       {dial: handEpoll},
	"transport/hand-none":        {dial: handNone},
	"transport/hand-many":        {dial: handMany},
	"transport/pump-tcp":         {dial: pumpTCP},

	"collect/good":       {collect: collectGood},
	"collect/ask":        {collect: collectAsk},
	"collect/writable":   {collect: collectWritable},
	"collect/write-end":  {collect: collectWriteEnd},
	"collect/socket":     {collect: collectSocket},
	"collect/undeclared": {collect: collectUndeclared},
	"collect/bad-name":   {collect: collectBadName},
	"collect/twice":      {collect: collectTwice},
	"collect/bad-end":    {collect: collectBadEnd},
	"collect/flood":      {collect: collectFlood},
	"collect/announce":   {collect: collectAnnounce},
	"collect/exit":       {collect: collectExit},
	"collect/never-ends": {collect: collectNeverEnds},
	"collect/moves":      {collect: collectMoves},
	"collect/hang":       {collect: func(*process, pluginv1.Collect_CollectServer) error { time.Sleep(time.Hour); return nil }},
	"eventsink/good": {deliver: func(*process, *pluginv1.DeliverRequest) (*pluginv1.DeliverResponse, error) {
		return &pluginv1.DeliverResponse{}, nil
	}},
	"eventsink/hang": {deliver: func(*process, *pluginv1.DeliverRequest) (*pluginv1.DeliverResponse, error) {
		time.Sleep(time.Hour)
		return nil, nil
	}},
	"auth/good":      {login: loginGood},
	"auth/no-result": {login: func(*process, pluginv1.Auth_AuthenticateServer) error { return nil }},
	"auth/escape":    {login: loginEscape},
	"auth/endless":   {login: loginEndless},
}
