package discover

import (
	"net/url"
	"strings"
)

var kubeconfigs = []string{
	"etc/kubernetes/admin.conf", "etc/kubernetes/kubelet.conf", "etc/rancher/k3s/k3s.yaml",
	"etc/rancher/rke2/rke2.yaml", "root/.kube/config", "var/lib/kubelet/kubeconfig",
}

// kubeconfigs takes the API servers of kubeconfigs and the node that a
// kubelet's user is named for. The files are YAML, but the two keys stand on
// lines of their own in every one that a tool writes.
func (f *finder) kubeconfigs(files []string) {
	if files == nil {
		files = kubeconfigs
	}
	for _, file := range files {
		f.read(file, func(data []byte) {
			lines(data, func(words []string) {
				if words[0] == "-" {
					words = words[1:]
				}
				if len(words) < 2 {
					return
				}
				value := strings.Trim(words[1], `"'`)
				switch words[0] {
				case "server:":
					if u, err := url.Parse(value); err == nil {
						f.host(u.Hostname())
					}
				case "user:", "name:":
					if node, ok := strings.CutPrefix(value, "system:node:"); ok {
						f.host(node)
					}
				}
			})
		})
	}
}
