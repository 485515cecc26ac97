// Command probe is a plugin process that tells what it can see and do. The
// tests of package launch run it.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Facts is what `probe facts` prints.
type Facts struct {
	Args, Env []string
	Dir       string
	UID, GID  int
	Groups    []int
	FDs       map[string]string
	Stdin     string
	Status    map[string]string
	Core      uint64
	Files     uint64
}

func main() {
	switch os.Args[1] {
	case "facts":
		facts()
	case "try":
		tries(os.Args[2:])
	case "hang":
		fmt.Println("hanging")
		time.Sleep(time.Hour)
	case "exit":
		code, _ := strconv.Atoi(os.Args[2])
		fmt.Fprintln(os.Stderr, "\x1b[31mlast words\x1b[0m")
		os.Exit(code)
	case "flood":
		for {
			os.Stdout.WriteString(strings.Repeat("x", 4096))
		}
	case "selfsum":
		f, _ := os.Open("/proc/self/exe")
		io.Copy(os.Stdout, f)
	}
}

func facts() {
	f := Facts{Args: os.Args, Env: os.Environ(), UID: os.Getuid(), GID: os.Getgid(), FDs: map[string]string{}, Status: map[string]string{}}
	f.Dir, _ = os.Getwd()
	f.Groups, _ = os.Getgroups()
	for fd := range 64 {
		var st syscall.Stat_t
		if syscall.Fstat(fd, &st) == nil {
			f.FDs[strconv.Itoa(fd)] = fmt.Sprintf("%o", st.Mode&syscall.S_IFMT)
		}
	}
	in, err := io.ReadAll(os.Stdin)
	f.Stdin = fmt.Sprintf("%q %v", in, err)
	var limit syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_CORE, &limit)
	f.Core = limit.Max
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	f.Files = limit.Max
	json.NewEncoder(os.Stdout).Encode(f)
}

// tries does what it is told to and prints what became of it, a line each.
func tries(what []string) {
	for _, w := range what {
		verb, arg, _ := strings.Cut(w, ":")
		err := errors.New("unknown verb")
		switch verb {
		case "read":
			_, err = os.ReadFile(arg)
		case "list":
			_, err = os.ReadDir(arg)
		case "write":
			err = os.WriteFile(arg, []byte("x"), 0o600)
		case "mkdir":
			err = os.Mkdir(arg, 0o700)
		case "symlink":
			err = os.Symlink("/etc/passwd", arg)
		case "exec":
			err = exec.Command(arg).Run()
		case "execself":
			err = syscall.Exec(arg, []string{arg}, nil)
		case "dial":
			err = dial("tcp", arg)
		case "udp":
			err = dial("udp", arg)
		case "unix":
			err = dial("unix", arg)
		case "mptcp":
			err = mptcp(arg)
		case "listen":
			err = closed(net.Listen("tcp", arg))
		case "listenunix":
			err = closed(net.Listen("unix", arg))
		case "socket":
			var n [3]int
			fmt.Sscanf(arg, "%d,%d,%d", &n[0], &n[1], &n[2])
			_, err = syscall.Socket(n[0], n[1], n[2])
		case "call":
			n, _ := strconv.Atoi(arg)
			if _, _, errno := syscall.RawSyscall6(uintptr(n), 0, 0, 0, 0, 0, 0); errno != 0 {
				err = errno
			} else {
				err = nil
			}
		case "signal":
			pid, _ := strconv.Atoi(arg)
			err = syscall.Kill(pid, 0)
		case "chdir":
			err = os.Chdir(arg)
		case "interfaces":
			_, err = net.Interfaces()
		case "outlive":
			if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, 0, 0); errno != 0 {
				err = errno
			} else {
				err = nil
			}
		case "shm":
			err = os.WriteFile(filepath.Join("/dev/shm", arg), nil, 0o600)
		}
		if err != nil {
			fmt.Printf("%s: no: %v\n", w, err)
		} else {
			fmt.Printf("%s: yes\n", w)
		}
	}
}

func dial(network, address string) error {
	c, err := net.DialTimeout(network, address, 3*time.Second)
	if err == nil {
		c.Close()
	}
	return err
}

func mptcp(address string) error {
	addr, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 262)
	if err != nil {
		return err
	}
	sa := &syscall.SockaddrInet4{Port: addr.Port}
	copy(sa.Addr[:], addr.IP.To4())
	return syscall.Connect(fd, sa)
}

func closed(l net.Listener, err error) error {
	if err == nil {
		l.Close()
	}
	return err
}
