package transport

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/latchstring/latchstring/sdk/failure"
)

func TestConverse(t *testing.T) {
	silent := func(t *testing.T) (net.Conn, net.Conn) {
		a, b := net.Pipe()
		t.Cleanup(func() { a.Close(); b.Close() })
		return a, b
	}
	t.Run("interrupted", func(t *testing.T) {
		a, _ := silent(t)
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(10*time.Millisecond, cancel)
		began := time.Now()
		err := Converse(ctx, a, func() error { _, err := a.Read(make([]byte, 1)); return err })
		if !errors.Is(err, context.Canceled) || time.Since(began) > time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
	t.Run("deadline", func(t *testing.T) {
		a, _ := silent(t)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		err := Converse(ctx, a, func() error {
			_, err := a.Read(make([]byte, 1))
			return Errorf(ProxyBroken, "", "no answer: %w", err)
		})
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ProxyBroken) {
			t.Error(err)
		}
	})
	t.Run("over before it began", func(t *testing.T) {
		a, _ := silent(t)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := Converse(ctx, a, func() error { t.Error("talked"); return nil }); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("no deadline stays", func(t *testing.T) {
		a, b := silent(t)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		if err := Converse(ctx, a, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		go io.WriteString(b, "x")
		if _, err := a.Read(make([]byte, 1)); err != nil {
			t.Errorf("a read after the conversation: %v", err)
		}
	})
	t.Run("its own error", func(t *testing.T) {
		a, _ := silent(t)
		if err := Converse(context.Background(), a, func() error { return io.ErrShortWrite }); err != io.ErrShortWrite {
			t.Error(err)
		}
	})
}

func TestBuffered(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	go io.WriteString(b, "answer\nbanner")
	br := bufio.NewReader(a)
	if _, err := br.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	conn := Buffered(WithNote(a, "by pipe"), br)
	if n, ok := conn.(Noter); !ok || n.Note() != "by pipe" {
		t.Error("the note is lost")
	}
	got := make([]byte, 3)
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "ban" {
		t.Fatalf("%q, %v", got, err)
	}
	_, residual := conn.(Detacher).Detach()
	if string(residual) != "ner" {
		t.Errorf("residual %q", residual)
	}
	if c := Buffered(a, bufio.NewReader(a)); c != a {
		t.Error("nothing was buffered, yet the connection is wrapped")
	}
	if inner, r := WithNote(conn, "x").(Detacher).Detach(); string(r) != "ner" || inner == nil {
		t.Errorf("through a note: %q", r)
	}
}

func TestExplain(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	_, refused := net.Dial("tcp", ln.Addr().String())
	tests := []struct {
		err  error
		want Code
	}{
		{refused, Refused},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}, Unreachable},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)}, failure.Denied},
		{&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, Reset},
		{&net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}, DNS},
		{&net.DNSError{Err: "timeout", Name: "x", IsTimeout: true}, Timeout},
		{fmt.Errorf("proxy: %w", io.ErrUnexpectedEOF), Reset},
		{os.ErrDeadlineExceeded, Timeout},
		{context.Canceled, failure.Cancelled},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, TLS},
		{x509.HostnameError{Certificate: new(x509.Certificate), Host: "x"}, TLS},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, TLS},
		{errors.New("something else"), failure.Failed},
		{Errorf(ProxyAuth, "", "x: %w", syscall.ECONNRESET), ProxyAuth},
	}
	for _, tt := range tests {
		got := failure.From(Explain(tt.err))
		if got.Code != tt.want || !strings.Contains(got.Error(), tt.err.Error()) || !errors.Is(got, tt.err) {
			t.Errorf("%v: code %q, %v", tt.err, got.Code, got)
		}
	}
	if Explain(nil) != nil {
		t.Error("nil was explained")
	}
}
