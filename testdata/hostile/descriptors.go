package main

import (
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/internal/wire/pluginv1"
)

type (
	request  = pluginv1.DialRequest
	response = pluginv1.DialResponse
)

// good dials and hands the socket over.
func good(p *process, r *request) (*response, error) {
	c, err := net.DialTimeout("tcp", r.GetAddress(), 5*time.Second)
	if err != nil {
		return say("%v", err)
	}
	defer c.Close()
	if err := p.channel.Pass(r.GetHandoff(), c.(*net.TCPConn)); err != nil {
		return nil, err
	}
	return &response{Note: "straight"}, nil
}

// slow behaves: its far end does not answer, and it says so in time.
func slow(p *process, r *request) (*response, error) {
	ctx := *p.ctx.Load()
	<-ctx.Done()
	return nil, ctx.Err()
}

// pair makes a socket pair.
func pair(typ int) (a, b *os.File) {
	fds, err := unix.Socketpair(unix.AF_UNIX, typ|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		panic(err)
	}
	return os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
}

// pump stays between.
func pump(p *process, r *request) (*response, error) {
	c, err := net.DialTimeout("tcp", r.GetAddress(), 5*time.Second)
	if err != nil {
		return say("%v", err)
	}
	far, near := pair(unix.SOCK_STREAM)
	defer far.Close()
	unix.SetNonblock(int(near.Fd()), true)
	mine, err := net.FileConn(near)
	if err != nil {
		return nil, err
	}
	near.Close()
	go func() { io.Copy(mine, c); mine.(*net.UnixConn).CloseWrite() }()
	go func() { io.Copy(c, mine); c.(*net.TCPConn).CloseWrite() }()
	return &response{Pumped: true, Residual: []byte("residual ")}, p.channel.Pass(r.GetHandoff(), far)
}

func hand(p *process, r *request, f *os.File, err error) (*response, error) {
	if err != nil {
		return say("%v", err)
	}
	defer f.Close()
	if err := p.channel.Pass(r.GetHandoff(), f); err != nil {
		return nil, err
	}
	return &response{}, nil
}

func handFile(p *process, r *request) (*response, error) {
	f, err := os.Open("/etc/localtime") // readable in every sandbox
	if err != nil {
		f, err = os.Create("a-file")
	}
	return hand(p, r, f, err)
}

func handPipe(p *process, r *request) (*response, error) {
	f, w, err := os.Pipe()
	defer w.Close()
	return hand(p, r, f, err)
}

func handSocket(p *process, r *request, fd int, err error) (*response, error) {
	return hand(p, r, os.NewFile(uintptr(fd), "socket"), err)
}

func handListener(p *process, r *request) (*response, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err == nil {
		err = unix.Listen(fd, 1) // without bind: the kernel picks a port
	}
	if err != nil { // Landlock may forbid it; a Unix listener is one too
		var l *net.UnixListener
		if l, err = net.ListenUnix("unix", &net.UnixAddr{Name: "./listener", Net: "unix"}); err == nil {
			f, ferr := l.File()
			return hand(p, r, f, ferr)
		}
	}
	return handSocket(p, r, fd, err)
}

func handUDP(p *process, r *request) (*response, error) {
	c, err := net.Dial("udp", r.GetAddress())
	if err != nil {
		return say("%v", err)
	}
	f, err := c.(*net.UDPConn).File()
	return hand(p, r, f, err)
}

func handUnconnected(p *process, r *request) (*response, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	return handSocket(p, r, fd, err)
}

func handOther(p *process, r *request) (*response, error) {
	r.Address = p.settings.Other
	return good(p, r)
}

// handPair says that a socket pair is a connection.
func handPair(p *process, r *request) (*response, error) {
	a, _ := pair(unix.SOCK_STREAM)
	return hand(p, r, a, nil)
}

// pumpTCP says that a connection to elsewhere is a socket pair.
func pumpTCP(p *process, r *request) (*response, error) {
	rep, err := handOther(p, r)
	if rep != nil {
		rep.Pumped = true
	}
	return rep, err
}

func handEpoll(p *process, r *request) (*response, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return handSocket(p, r, fd, err)
}

func handNone(*process, *request) (*response, error) { return &response{}, nil }

// handMany passes many descriptors that nobody asked for.
func handMany(p *process, r *request) (*response, error) {
	f, w, err := os.Pipe()
	if err != nil {
		return say("%v", err)
	}
	defer w.Close()
	defer f.Close()
	for i := range uint64(1000) {
		raw := make([]byte, 16)
		raw[0], raw[1] = 1, 1 // a pass, past the library's own limit
		raw[15], raw[14] = byte(i), byte(i>>8)
		raw[8] = 0x77
		if err := unix.Sendmsg(channelFD, raw, unix.UnixRights(int(f.Fd())), nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL); err != nil {
			time.Sleep(time.Millisecond)
		}
	}
	return good(p, r)
}
