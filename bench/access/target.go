package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
)

// The target answers one request on each connection: a letter and a number of
// bytes.
const (
	wantPull = 'g' // that many bytes
	wantPush = 'p' // takes that many and answers with one
	wantEcho = 'e' // sends everything back
)

const piece = 256 << 10

// serveTarget listens until the program ends.
func serveTarget() (address string, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("target: %w", err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go answer(c)
		}
	}()
	return ln.Addr().String(), nil
}

func answer(c net.Conn) {
	defer c.Close()
	var head [9]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return
	}
	left := int64(binary.BigEndian.Uint64(head[1:]))
	buf := make([]byte, piece)
	switch head[0] {
	case wantPull:
		for left > 0 {
			n, err := c.Write(buf[:min(left, piece)])
			if err != nil {
				return
			}
			left -= int64(n)
		}
	case wantPush:
		for left > 0 {
			n, err := c.Read(buf[:min(left, piece)])
			if err != nil {
				return
			}
			left -= int64(n)
		}
		c.Write(head[:1])
	case wantEcho:
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			if _, err := c.Write(buf[:n]); err != nil {
				return
			}
		}
	}
}

func request(c net.Conn, what byte, n int64) error {
	var head [9]byte
	head[0] = what
	binary.BigEndian.PutUint64(head[1:], uint64(n))
	_, err := c.Write(head[:])
	return err
}

// pull reads n bytes from the target.
func pull(c net.Conn, n int64) error {
	if err := request(c, wantPull, n); err != nil {
		return err
	}
	buf := make([]byte, piece)
	for n > 0 {
		m, err := c.Read(buf)
		if n -= int64(m); err != nil && n > 0 {
			return fmt.Errorf("with %d bytes to come: %w", n, err)
		}
	}
	return nil
}

// push writes n bytes and waits until the target has them.
func push(c net.Conn, n int64) error {
	if err := request(c, wantPush, n); err != nil {
		return err
	}
	buf := make([]byte, piece)
	for n > 0 {
		m, err := c.Write(buf[:min(n, piece)])
		if err != nil {
			return err
		}
		n -= int64(m)
	}
	_, err := io.ReadFull(c, buf[:1])
	return err
}
