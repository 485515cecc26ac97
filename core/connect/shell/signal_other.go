//go:build !unix

package shell

import (
	"os"

	"golang.org/x/crypto/ssh"
)

func resizes() <-chan struct{} { return nil }

var passed = map[os.Signal]ssh.Signal{}
