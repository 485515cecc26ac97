package control

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// holdConnections opens many, says how many of them are answered, and holds
// them until its input ends.
func holdConnections(socket string) {
	answered := 0
	var all []net.Conn
	for range 4 * maxGuest {
		c, err := net.Dial("unix", socket)
		if err != nil {
			continue
		}
		all = append(all, c)
		c.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprint(c, "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")
		if _, err := bufio.NewReader(c).ReadString('\n'); err == nil {
			answered++
		}
	}
	fmt.Println(answered)
	io.Copy(io.Discard, os.Stdin)
	for _, c := range all {
		c.Close()
	}
}

// A local user who takes all the connections that he can get keeps nobody else
// out, least of all root.
func TestOneUserTakesNotAllConnections(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user")
	}
	socket := serve(t, &fake{})
	exe := filepath.Join(filepath.Dir(socket), "holder")
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(exe, self, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := OpenToUsers(socket); err != nil {
		t.Fatal(err)
	}
	hold := func(uid uint32) (answered string, end func()) {
		cmd := exec.Command(exe)
		cmd.Env = []string{"CONTROL_TEST_HOLDER=" + socket}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		in, err1 := cmd.StdinPipe()
		out, err2 := cmd.StdoutPipe()
		if err1 != nil || err2 != nil || cmd.Start() != nil {
			t.Fatal(err1, err2)
		}
		line, _ := bufio.NewReader(out).ReadString('\n')
		return strings.TrimSpace(line), func() { in.Close(); cmd.Wait() }
	}
	first, end := hold(65534)
	defer end()
	if first != fmt.Sprint(maxGuest) {
		t.Errorf("%s connections of one user are answered, not %d", first, maxGuest)
	}
	second, end2 := hold(65533)
	end2()
	if second != fmt.Sprint(maxGuest) {
		t.Errorf("%s connections of another user are answered, not %d", second, maxGuest)
	}
	c, err := Dial(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(t.Context(), Caller{}); err != nil {
		t.Errorf("root: %v", err)
	}
}
