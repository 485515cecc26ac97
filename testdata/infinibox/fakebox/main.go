// Command fakebox runs the fake InfiniBox by hand, over TLS with a
// self-signed certificate on a loopback address.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/latchstring/latchstring/testdata/infinibox"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	name := flag.String("name", "", "name of the array")
	serial := flag.Int("serial", 4242, "serial number of the array")
	old := flag.Bool("old-firmware", false, "know no SUPPORT_* events")
	smtp := flag.String("smtp", "", "host:port behind the target infinidat-smtp")
	guard := flag.Bool("infiniguard", false, "be the InfiniBox inside of an InfiniGuard")
	flag.Parse()
	if err := run(*listen, infinibox.Options{Name: *name, Serial: *serial, OldFirmware: *old, SMTP: *smtp, Guard: *guard, Visibility: 2 * time.Second}); err != nil {
		fmt.Fprintln(os.Stderr, "fakebox:", err)
		os.Exit(1)
	}
}

func run(listen string, o infinibox.Options) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	srv := httptest.NewUnstartedServer(infinibox.New(o))
	srv.Listener.Close()
	srv.Listener = l
	srv.StartTLS()
	defer srv.Close()
	pin := sha256.Sum256(srv.Certificate().Raw)
	fmt.Printf("fake array %q, serial %d, at %s\n", o.Name, o.Serial, srv.URL)
	fmt.Printf("settings for etc/auth.d/infinibox.json: {\"addresses\": [%q], \"pin\": \"SHA256:%s\"}\n",
		srv.Listener.Addr(), base64.RawStdEncoding.EncodeToString(pin[:]))
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	return nil
}
