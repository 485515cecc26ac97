// Package containers collects what Docker, Podman and Kubernetes run: the
// engine, the containers with their settings and the end of their logs, images,
// networks, volumes; of a cluster the nodes, the workloads and the events.
//
// Environments of containers come along as the engine tells them and are
// handed over as configuration: the host redacts the values, here and wherever
// else they turn up. Secrets and config maps of a cluster are not asked for.
// Kubernetes is asked only where this machine has an administrator's
// kubeconfig.
package containers
