package control

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"reflect"
	"testing"
	"time"
)

// doorman lets nobody do anything, and keeps what was asked.
type doorman struct {
	keeper // its embedded Remote is nil: what gets past would crash
	Pages
	Recorded
	asked []string
}

func (d *doorman) Test(context.Context, Caller, OnRequest, func(Step)) error {
	return errors.New("tested")
}

var errNotYou = errors.New("not you")

func (d *doorman) Admit(_ Caller, what string) error {
	d.asked = append(d.asked, what)
	return errNotYou
}

// Whatever a browser calls is admitted first, method by method; only what has to
// do with logging in is open.
func TestGuardedAsksForEverything(t *testing.T) {
	open := map[string]bool{"LoginMethods": true, "Login": true, "Logout": true, "WhoAmI": true, "WaitingLogins": true, "ConfirmLogin": true}
	d := &doorman{}
	g := reflect.ValueOf(Guarded(d))
	browser := OfBrowser("s", "ada", "192.0.2.7", nobody, 0)
	for i := range g.NumMethod() {
		name := g.Type().Method(i).Name
		if open[name] {
			continue
		}
		d.asked = nil
		m := g.Method(i)
		args := []reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(browser)}
		for len(args) < m.Type().NumIn() {
			args = append(args, reflect.Zero(m.Type().In(len(args))))
		}
		out := m.Call(args)
		err, _ := out[len(out)-1].Interface().(error)
		if len(d.asked) != 1 || !errors.Is(err, errNotYou) {
			t.Errorf("%s: asked %q, %v", name, d.asked, err)
		}
	}
}

func TestBrowsersAreNotTrusted(t *testing.T) {
	for _, uid := range []uint32{0, uint32(os.Geteuid()), nobody} {
		if OfBrowser("s", "root", "127.0.0.1", uid, 1).Trusted() {
			t.Errorf("a browser of uid %d is trusted", uid)
		}
	}
	if !Self().Trusted() {
		t.Error("the agent's own user is not")
	}
	if a := OfBrowser("s", "ada", "192.0.2.7", 0, 0).Actor(); a != "web:192.0.2.7(ada)" {
		t.Error(a)
	}
}

func TestLocalPeer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accept := func() net.Conn {
		t.Helper()
		l.(*net.TCPListener).SetDeadline(time.Now().Add(10 * time.Second))
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	mine, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	c := accept()
	defer c.Close()
	if uid, pid, local := LocalPeer(c); !local || int(pid) != os.Getpid() || int(uid) != os.Geteuid() {
		t.Errorf("this process: %d, %d, %t", uid, pid, local)
	}
	ctx, cancel := context.WithCancel(t.Context())
	other := exec.CommandContext(ctx, "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$0; read <&3", portOf(l))
	if err := other.Start(); err != nil {
		t.Skip("no bash here")
	}
	defer func() { cancel(); other.Wait() }()
	c2 := accept()
	defer c2.Close()
	if uid, pid, local := LocalPeer(c2); !local || int(pid) != other.Process.Pid || int(uid) != os.Geteuid() {
		t.Errorf("another process: %d, %d, %t; it is %d", uid, pid, local, other.Process.Pid)
	}
	if _, pid, local := LocalPeer(elsewhere{c}); local || pid != 0 {
		t.Errorf("another machine: %d, %t", pid, local)
	}
}

func portOf(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 40000}
}
