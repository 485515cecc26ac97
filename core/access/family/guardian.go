package family

import (
	"encoding/json"
	"os"
	ossignal "os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// Descriptors of a guardian.
const (
	fdWords = 0 // what the agent says; its end is the agent's
	fdAgent = 3 // the agent itself, where the kernel has such descriptors
)

// maxWord bounds a message of the agent: a connection has few adopted processes.
const maxWord = 64 << 10

// persist is how long a guardian tries to end what does not end.
const persist = 30 * time.Second

// guardian hears of families until the agent is gone, and then ends those that
// are left. It does not take the agent's word that all is well for longer than
// the agent lives.
func guardian() int {
	ossignal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGTERM, unix.SIGPIPE) // it goes when its agent has gone
	unix.CloseOnExec(fdWords)
	unix.CloseOnExec(fdAgent)
	agent, _ := look(os.Getppid())
	families := map[string]*Family{}
	b, rights := make([]byte, maxWord), make([]byte, unix.CmsgSpace(4))
	for {
		alive := waitForWord()
		flags := unix.MSG_CMSG_CLOEXEC
		if !alive {
			flags |= unix.MSG_DONTWAIT // what it said last counts
		}
		n, rn, _, _, err := unix.Recvmsg(fdWords, b, rights, flags)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			break
		}
		hear(families, b[:n], rights[:rn], agent)
	}
	for until := time.Now().Add(persist); ; {
		left := 0
		for _, f := range families {
			left += len(end(f.members, f.group.kill, 0))
		}
		if left == 0 || time.Now().After(until) {
			break
		}
	}
	for _, f := range families {
		f.group.close()
	}
	return 0
}

// waitForWord returns when there is something to read, and whether the agent
// lives. That the socket is closed would be enough, if nobody else could hold it.
func waitForWord() (alive bool) {
	fds := []unix.PollFd{{Fd: fdWords, Events: unix.POLLIN}, {Fd: fdAgent, Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(fds, -1); err == unix.EINTR {
			continue
		}
		return fds[1].Revents&unix.POLLIN == 0
	}
}

func hear(families map[string]*Family, b, rights []byte, agent process) {
	var w word
	if json.Unmarshal(b, &w) != nil {
		return
	}
	var namespace *os.File
	if messages, err := unix.ParseSocketControlMessage(rights); err == nil {
		for _, m := range messages {
			if fds, err := unix.ParseUnixRights(&m); err == nil && len(fds) == 1 {
				namespace = os.NewFile(uintptr(fds[0]), "namespace")
			}
		}
	}
	id := w.Session + "/" + w.Connection
	f := families[id]
	if w.Ended {
		if f != nil {
			f.mark.close()
		}
		delete(families, id)
		return
	}
	if f == nil {
		f = &Family{session: w.Session, connection: w.Connection, mark: mark{name: w.Token}, spare: agent}
		families[id] = f
	}
	if w.Group != "" {
		f.group = &group{path: w.Group}
	}
	if namespace != nil && f.mark.namespace == nil {
		var st unix.Stat_t
		if unix.Fstat(int(namespace.Fd()), &st) == nil {
			f.mark.namespace, f.mark.dev, f.mark.ino = namespace, st.Dev, st.Ino
		}
	}
	f.adopted = f.adopted[:0]
	for _, a := range w.Adopted {
		f.adopted = append(f.adopted, process{pid: a.PID, started: a.Started})
	}
}
