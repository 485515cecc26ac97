package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/failure"
)

type role struct {
	pluginv1.UnimplementedRoleServer
}

func (role) Describe(context.Context, *pluginv1.DescribeRequest) (*pluginv1.DescribeResponse, error) {
	return &pluginv1.DescribeResponse{Json: []byte("{}")}, nil
}

func (role) Configure(context.Context, *pluginv1.ConfigureRequest) (*pluginv1.ConfigureResponse, error) {
	return &pluginv1.ConfigureResponse{Problems: []*pluginv1.Problem{{Message: strings.Repeat("x", MessageLimit)}}}, nil
}

// The adapters of both sides fit, and the message limit holds in both
// directions.
func TestServeAndDispense(t *testing.T) {
	ln := bufconn.Listen(1 << 20)
	srv := grpc.NewServer(ServerOptions()...)
	for _, p := range ServerPlugins(Services{Role: role{}})[Version1] {
		if err := p.(plugin.GRPCPlugin).GRPCServer(nil, srv); err != nil {
			t.Fatal(err)
		}
	}
	go srv.Serve(ln)
	defer srv.Stop()
	conn, err := grpc.NewClient("passthrough:///x", append(DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return ln.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx := context.Background()
	dispense := func(name string) any {
		raw, err := ClientPlugins()[Version1][name].(plugin.GRPCPlugin).GRPCClient(ctx, nil, conn)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	base := dispense(Base).(pluginv1.RoleClient)
	if rep, err := base.Describe(ctx, &pluginv1.DescribeRequest{}); err != nil || string(rep.GetJson()) != "{}" {
		t.Errorf("describe: %v, %v", rep, err)
	}
	if _, err := base.Configure(ctx, &pluginv1.ConfigureRequest{Json: make([]byte, MessageLimit)}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("request above the limit: %v", err)
	}
	if _, err := base.Configure(ctx, &pluginv1.ConfigureRequest{}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("response above the limit: %v", err)
	}
	_, _ = dispense(RoleTransport).(pluginv1.TransportClient), dispense(RoleCollect).(pluginv1.CollectClient)
	_, _ = dispense(RoleAuth).(pluginv1.AuthClient), dispense(RoleEventSink).(pluginv1.EventSinkClient)
	_, err = dispense(RoleTransport).(pluginv1.TransportClient).Dial(ctx, &pluginv1.DialRequest{})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("role that is not served: %v", err)
	}
}

func TestParseName(t *testing.T) {
	for s, ok := range map[string]bool{
		"transport/direct": true, "collect/os-release_2": true,
		"transport": false, "transport/": false, "shell/x": false, "transport/../x": false,
		"transport/Direct": false, "transport/a/b": false, "transport/" + strings.Repeat("a", 41): false,
	} {
		if _, _, err := ParseName(s); (err == nil) != ok {
			t.Errorf("ParseName(%q): %v", s, err)
		}
	}
}

func TestFailureRoundTrip(t *testing.T) {
	err := ErrorOf(FailureOf(fmt.Errorf("dial: %w", failure.New(failure.Refused, "start it", "nobody there: %w", io.EOF))))
	var f *failure.Error
	if !errors.As(err, &f) || f.Code != failure.Refused || f.Message != "dial: nobody there: EOF" || f.Hint != "start it" || !f.Temporary {
		t.Errorf("came back as %+v", f)
	}
	if ErrorOf(nil) != nil || FailureOf(nil) != nil {
		t.Error("no failure became one")
	}
}

// A plugin's text reaches terminals and logs: no escape sequence, no new
// line, no megabytes.
func TestFailureIsCleaned(t *testing.T) {
	err := ErrorOf(&pluginv1.Failure{Code: "../etc", Message: "a\x1b[2Jb\nc\xff\u202e" + strings.Repeat("x", 1<<20)})
	var f *failure.Error
	errors.As(err, &f)
	if f.Code != failure.Failed || !strings.HasPrefix(f.Message, "a[2Jb cx") || len(f.Message) > maxText+10 {
		t.Errorf("%s %.40q (%d bytes)", f.Code, f.Message, len(f.Message))
	}
}

func TestParseDescription(t *testing.T) {
	good := `{"name":"x","version":"1","roles":[{"role":"transport","name":"a"},{"role":"collect","name":"a"}]}`
	d, err := ParseDescription([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := d.Find("collect", "a"); !ok {
		t.Error("role not found")
	}
	for _, bad := range []string{
		``, `[]`, `{"name":""}`, `{"name":"../x"}`,
		`{"name":"x","roles":[{"role":"root","name":"a"}]}`,
		`{"name":"x","roles":[{"role":"auth","name":"a"},{"role":"auth","name":"a"}]}`,
	} {
		if _, err := ParseDescription([]byte(bad)); err == nil {
			t.Errorf("accepted %s", bad)
		}
	}
}

func FuzzParseDescription(f *testing.F) {
	f.Add([]byte(`{"name":"x","roles":[{"role":"transport","name":"a","needs":{"paths":["/x"]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseDescription(data)
		if err == nil && !ValidName(d.Name) {
			t.Fatalf("accepted the name %q", d.Name)
		}
	})
}
