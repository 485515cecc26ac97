package system

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prometheus/procfs"
)

// processes lists all processes with their command lines. Environments are
// not looked at: they hold more secrets than facts.
func processes() ([]byte, error) {
	p, err := procfs.NewDefaultFS()
	if err != nil {
		return nil, err
	}
	all, err := p.AllProcs()
	if err != nil {
		return nil, err
	}
	users := userNames()
	var buf bytes.Buffer
	w := tabwriter.NewWriter(&buf, 0, 8, 1, ' ', 0)
	fmt.Fprintln(w, "PID\tPPID\tUSER\tSTATE\tTHREADS\tRSS-kB\tVSZ-kB\tCPU-s\tSTARTED\tCOMMAND")
	for _, proc := range all {
		st, err := proc.Stat()
		if err != nil {
			continue // ended meanwhile
		}
		user := "?"
		if s, err := proc.NewStatus(); err == nil {
			user = fmt.Sprint(s.UIDs[0])
			if n, ok := users[user]; ok {
				user = n
			}
		}
		started := "?"
		if t, err := st.StartTime(); err == nil {
			started = time.Unix(int64(t), 0).UTC().Format("2006-01-02T15:04:05Z")
		}
		fmt.Fprintf(w, "%d\t%d\t%s\t%s\t%d\t%d\t%d\t%.1f\t%s\t%s\n", st.PID, st.PPID, user, st.State, st.NumThreads,
			st.ResidentMemory()>>10, st.VirtualMemory()>>10, st.CPUTime(), started, commandLine(proc, st.Comm))
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// commandLine quotes arguments that would read as several.
func commandLine(p procfs.Proc, name string) string {
	argv, err := p.CmdLine()
	if err != nil || len(argv) == 0 {
		return "[" + name + "]"
	}
	for i, a := range argv {
		if a == "" || strings.ContainsAny(a, " \t\n\"'\\") {
			argv[i] = fmt.Sprintf("%q", a)
		}
	}
	return strings.Join(argv, " ")
}

func userNames() map[string]string {
	out := map[string]string{}
	data, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return out
	}
	for _, line := range strings.Split(string(data), "\n") {
		if f := strings.Split(line, ":"); len(f) > 2 {
			out[f[2]] = f[0]
		}
	}
	return out
}
