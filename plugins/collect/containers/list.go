package containers

import (
	"strings"
	"time"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
)

const (
	engineTime  = 30 * time.Second
	clusterTime = 45 * time.Second
	logLines    = "2000"  // of a container, the last
	logBytes    = 4 << 20 // of a container's log file, the last
	maxInspect  = 200     // containers that are looked at one by one
	requestTime = "--request-timeout=20s"
)

// engine is a program that runs containers.
type engine struct {
	name string
	// signs are paths of which one tells that it is in use: the socket of a
	// daemon, or the store. To ask Podman without one would make it.
	signs []string
	why   string
}

var engines = []engine{
	{name: "docker", signs: []string{"/run/docker.sock", "/var/run/docker.sock"}, why: "Docker does not run"},
	{name: "podman", signs: []string{"/var/lib/containers/storage"}, why: "Podman holds no containers of root"},
}

// commands are the questions to an engine.
func (e engine) commands() []recipe.Command {
	var out []recipe.Command
	for _, q := range []struct {
		name, args string
		config     bool
	}{
		{"version.txt", "version", false},
		{"info.txt", "info", true},
		{"containers.txt", "ps --all --no-trunc --size=false", true},
		{"images.txt", "images --no-trunc", false},
		{"networks.txt", "network ls --no-trunc", false},
		{"volumes.txt", "volume ls", false},
		{"disk.txt", "system df", false},
		{"stats.txt", "stats --no-stream --no-trunc", false},
	} {
		out = append(out, recipe.Command{
			Name: e.name + "/" + q.name, Argv: append([]string{e.name}, strings.Fields(q.args)...), Timeout: engineTime,
			Config: q.config, Root: true, If: e.signs, Why: e.why,
		})
	}
	return out
}

// names asks for the containers.
func (e engine) names() []string { return []string{e.name, "ps", "--all", "--format={{.Names}}"} }

// inspect and logs ask about one container; * stands for any.
func (e engine) inspect(container string) recipe.Command {
	return recipe.Command{Name: e.name + "/inspect/" + container + ".json", Argv: []string{e.name, "container", "inspect", container}, Timeout: engineTime, Config: true, Root: true}
}

func (e engine) logs(container string) recipe.Command {
	return recipe.Command{Name: e.name + "/logs/" + container + ".txt", Argv: []string{e.name, "logs", "--timestamps", "--tail=" + logLines, container}, Timeout: engineTime, Root: true}
}

// logFile asks where the engine keeps a container's log.
func (e engine) logFile(container string) []string {
	if e.name == "podman" {
		return []string{"podman", "container", "inspect", "--format={{.HostConfig.LogConfig.Path}}", container}
	}
	return []string{"docker", "container", "inspect", "--format={{.LogPath}}", container}
}

// logPaths are where log files of containers are by default.
var logPaths = []string{"/var/lib/docker/containers/*/*-json.log", "/var/lib/containers/storage/overlay-containers/*/userdata/ctr.log"}

// kubeconfigs are those of administrators, by the distribution of Kubernetes.
var kubeconfigs = []string{"/etc/kubernetes/admin.conf", "/etc/rancher/k3s/k3s.yaml", "/etc/rancher/rke2/rke2.yaml"}

// cluster are the questions to a cluster.
func cluster(kubeconfig string) []recipe.Command {
	var out []recipe.Command
	for _, q := range []struct{ name, args string }{
		{"version.json", "version --output=json"},
		{"nodes.txt", "get nodes --output=wide"},
		{"nodes-details.txt", "describe nodes"},
		{"namespaces.txt", "get namespaces"},
		{"pods.txt", "get pods --all-namespaces --output=wide"},
		{"workloads.txt", "get deployments,statefulsets,daemonsets,jobs,cronjobs --all-namespaces --output=wide"},
		{"services.txt", "get services,endpoints,ingresses --all-namespaces --output=wide"},
		{"storage.txt", "get persistentvolumes,persistentvolumeclaims,storageclasses --all-namespaces --output=wide"},
		{"events.txt", "get events --all-namespaces --sort-by=.lastTimestamp"},
		{"top-nodes.txt", "top nodes"},
	} {
		argv := append([]string{"kubectl", "--kubeconfig=" + kubeconfig, requestTime}, strings.Fields(q.args)...)
		out = append(out, recipe.Command{Name: "kubernetes/" + q.name, Argv: argv, Timeout: clusterTime, Root: true})
	}
	return out
}

// list is what needs no question before.
var list = recipe.List{
	Files: []recipe.File{
		{Name: "docker/daemon.json", Path: "/etc/docker/daemon.json", Config: true},
		{Name: "podman/registries.conf", Path: "/etc/containers/registries.conf", Config: true},
		{Name: "podman/containers.conf", Path: "/etc/containers/containers.conf", Config: true},
		{Name: "podman/storage.conf", Path: "/etc/containers/storage.conf", Config: true},
		{Name: "containerd/config.toml", Path: "/etc/containerd/config.toml", Config: true},
		{Name: "kubernetes/kubelet.yaml", Path: "/var/lib/kubelet/config.yaml", Config: true, Root: true},
	},
	Commands: append(append(engines[0].commands(), engines[1].commands()...),
		recipe.Command{Name: "cri/info.json", Argv: []string{"crictl", "info"}, Timeout: engineTime, Root: true, Config: true},
		recipe.Command{Name: "cri/pods.txt", Argv: []string{"crictl", "pods"}, Timeout: engineTime, Root: true},
		recipe.Command{Name: "cri/containers.txt", Argv: []string{"crictl", "ps", "--all"}, Timeout: engineTime, Root: true},
		recipe.Command{Name: "lxc/containers.txt", Argv: []string{"lxc-ls", "--fancy"}, Timeout: engineTime, Root: true},
		recipe.Command{Name: "machines/machines.txt", Argv: []string{"machinectl", "list", "--no-pager", "--all"}, If: []string{"/run/systemd/machines"}, Why: "systemd-machined does not run"},
		recipe.Command{Name: "machines/virsh.txt", Argv: []string{"virsh", "--readonly", "list", "--all"}, Root: true, If: []string{"/run/libvirt"}, Why: "libvirt does not run"},
	),
}
