// Package infinibox is a fake InfiniBox array: its REST API as far as remote
// support touches it, faithful enough that a client which works here works
// against the real one.
//
// It answers on one or more management addresses over TLS with a self-signed
// certificate, as arrays do. Users, roles, sessions, events with their
// delayed visibility, notification targets with a real SMTP delivery, and the
// failures that a client must tell apart (see [Knobs]) are there; volumes and
// everything else about storage is not.
//
//	box := infinibox.New(infinibox.Options{})
//	srv := httptest.NewTLSServer(box)
//
// The program in fakebox runs it by hand. What no public source says, such as
// the error code of a refused login, is invented and marked so in a comment:
// clients must branch on the HTTP status there.
package infinibox
