//go:build !amd64

package main

func int80getpid() int64 { select {} }
