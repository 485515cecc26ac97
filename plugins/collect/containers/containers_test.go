package containers

import (
	"strings"
	"testing"

	"github.com/latchstring/latchstring/plugins/collect/internal/recorded"
	"github.com/latchstring/latchstring/plugins/collect/internal/sinktest"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/plugintest"
)

func TestConformance(t *testing.T) {
	plugintest.Collector(t, func() collect.Collector { return New() }, plugintest.Options{Commands: recorded.Commands(t, "testdata/commands.txtar")})
}

func TestServer(t *testing.T) {
	c := &Collector{exists: func(p string) bool { return p == "/etc/rancher/k3s/k3s.yaml" || p == "/run/docker.sock" }}
	long := strings.Repeat(`{"log":"tick\n","stream":"stderr"}`+"\n", logBytes/32)
	s := recorded.New(t, recorded.Commands(t, "testdata/commands.txtar"), recorded.Lay(t, map[string]string{
		"/var/lib/docker/containers/aa11/aa11-json.log": "first\n" + long,
		"/etc/docker/daemon.json":                       `{"log-driver": "json-file"}`,
		"/etc/rancher/k3s/k3s.yaml":                     "token: not for us",
	}), c.Needs())
	if err := c.Collect(t.Context(), collect.Request{}, s); err != nil {
		t.Fatal(err)
	}
	web := s.Find("docker/logs/web.txt")
	if len(web.Text) > logBytes || len(web.Text) < logBytes-100 || strings.Contains(web.Text, "first") || !strings.HasPrefix(web.Text, "{") || web.Truncated == "" {
		t.Errorf("the log of web: %d bytes, %q, %.60q", len(web.Text), web.Truncated, web.Text)
	}
	if g := s.Find("docker/logs/db.txt"); !strings.Contains(g.Text, "ready to accept") {
		t.Errorf("the log of db: %+v", g)
	}
	for _, name := range []string{"docker/inspect/web.json", "docker/inspect/db.json", "docker/daemon.json"} {
		if g := s.Find(name); !g.Config || g.Text == "" {
			t.Errorf("%s: the host must learn what is in it: %+v", name, g)
		}
	}
	if g := s.Find("kubernetes/nodes.txt"); !strings.Contains(g.Text, "NotReady") {
		t.Errorf("%+v", g)
	}
	for name, g := range s.Items {
		if strings.Contains(name, "-rf") || strings.Contains(g.Text, "not for us") || g.Failed != "" {
			t.Errorf("%s: %+v", name, g)
		}
	}
}

func TestWithoutAKubeconfigNobodyIsAsked(t *testing.T) {
	c := &Collector{exists: func(string) bool { return false }}
	s := recorded.New(t, recorded.Commands(t, "testdata/commands.txtar"), "", c.Needs())
	if err := c.Collect(t.Context(), collect.Request{}, s); err != nil {
		t.Fatal(err)
	}
	for name, g := range s.Items {
		if strings.HasPrefix(name, "kubernetes/") && g.Absent == "" {
			t.Errorf("%s: %+v", name, g)
		}
	}
}

func TestThisMachine(t *testing.T) { sinktest.ThisMachine(t, New()) }

func TestOnlyQuestionsAreDeclared(t *testing.T) {
	n := New().Needs()
	for _, bad := range [][]string{
		{"docker", "rm", "web"}, {"docker", "exec", "web", "sh"}, {"podman", "run", "x"}, {"docker", "container", "inspect", "web", "db", "x"},
		{"kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", requestTime, "get", "secrets"}, {"kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", requestTime, "delete", "pod"},
	} {
		if n.Command(bad) {
			t.Errorf("%q is declared", bad)
		}
	}
	for _, p := range append(kubeconfigs, "/run/docker.sock", "/root/.docker/config.json") {
		if n.Path(p) {
			t.Errorf("%s is declared", p)
		}
	}
}
