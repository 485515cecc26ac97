package access

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/latchstring/latchstring/core/access/words"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
)

// rsync is the machine's own. It runs as the user, without a shell, and tells
// each file that it moved over a pipe that it takes for its log file; this
// package then takes the hash of the file as it lies there.
//
// Policy cannot be asked about each file before rsync moves it, and a client
// could lead it out of a directory by links that it sent before. So where policy
// restricts paths there is no rsync; sftp and scp do the same under its eyes. Where
// uploads are allowed and downloads are not, it works blind (rsync_blind.go).

// rsyncLog is written into the ledger's pipe for each file: what rsync did, how
// (%i: >f is a regular file that was received, <f one that was sent), its size
// and name.
const rsyncLog = "%o %i %l %f"

// An rsyncCall is a command line that starts a server.
type rsyncCall struct {
	download bool
	options  []string
	paths    []words.Word
}

// parseRsync understands `rsync --server` as clients write it.
func parseRsync(args []words.Word) (c rsyncCall, ok bool) {
	if len(args) < 4 || args[0].Text != "rsync" || args[1].Text != "--server" {
		return c, false
	}
	i := 2
	for ; i < len(args) && strings.HasPrefix(args[i].Text, "-") && !args[i].Home; i++ {
		o := args[i].Text
		if o == "--sender" {
			c.download = true
			continue
		}
		if slices.Contains(valued, o) { // with the value in the next word
			if i++; i >= len(args) {
				return c, false
			}
			o += "=" + args[i].Text
		}
		c.options = append(c.options, o)
	}
	if i+1 >= len(args) || args[i].Text != "." {
		return c, false
	}
	c.paths = args[i+1:]
	return c, c.download || len(c.paths) == 1
}

// valued are the options whose value clients send as a word of its own.
var valued = []string{"--partial-dir", "--temp-dir", "--backup-dir", "--compare-dest", "--copy-dest", "--link-dest", "--files-from", "--suffix", "--usermap", "--groupmap"}

// never are options that would hide what rsync does, or let it do other things.
var never = []string{"--daemon", "--config", "--log-file", "--log-file-format", "--secluded-args", "--protect-args", "--server",
	"--copy-devices", "--write-devices", "--dparam", "--remote-option", "--read-batch", "--write-batch", "--only-write-batch", "--rsh"}

// check returns why a call is not run.
func (c *rsyncCall) check() error {
	for _, o := range c.options {
		if name, _, _ := strings.Cut(o, "="); strings.HasPrefix(o, "--") {
			if slices.Contains(never, name) {
				return fmt.Errorf("the option %s is not for remote transfers", name)
			}
			if name == "--files-from" && o != "--files-from=-" { // it would be sent to the client, and in no ledger
				return errors.New("--files-from with a list on this machine is not for remote transfers")
			}
			continue
		}
		if o == "-" {
			return errors.New("an option without a letter")
		}
		letters, caps, hasCaps := strings.Cut(o[1:], "e") // after it come the client's abilities
		switch {
		case strings.Contains(letters, "s"):
			return errors.New("the option -s (--protect-args) hides the paths: leave it out")
		case strings.ContainsAny(letters, "BTfM@"), hasCaps && caps == "":
			return fmt.Errorf("the option %s lacks its value", o)
		}
	}
	return nil
}

// removes reports whether a download takes the files away from here.
func (c *rsyncCall) removes() bool {
	return c.download && (slices.Contains(c.options, "--remove-source-files") || slices.Contains(c.options, "--remove-sent-files")) // the second is its old name
}

// rsync runs one transfer. The command itself was allowed.
func (x *session) rsync(c rsyncCall) ending {
	t, err := x.files.get()
	if err != nil {
		return x.failed(err)
	}
	direction, may := record.Upload, x.mayUpload
	if c.download {
		direction, may = record.Download, x.mayDownload
	}
	facts := map[string]string{"direction": direction}
	if err := c.check(); err != nil {
		x.show(x.refused(x.number, "rsync", facts, err.Error()))
		return ending{status: statusRefused, text: "refused"}
	}
	err = x.everywhere(may)
	if err == nil && c.removes() {
		err = x.everywhere(x.mayUpload)
	}
	if r := (*policy.Refusal)(nil); errors.As(err, &r) {
		x.show(x.refused(x.number, "rsync", facts, "it cannot be asked about each file; use sftp or scp where only some are allowed: "+unpath(r)))
		return ending{status: statusRefused, text: "refused"}
	}
	if !c.download && x.everywhere(x.mayDownload) != nil {
		if err := c.blind(); err != nil {
			x.show(x.refused(x.number, "rsync", facts, err.Error()))
			return ending{status: statusRefused, text: "refused"}
		}
		c.options = append([]string{blindOption}, c.options...)
	}
	var args []string
	for _, w := range c.paths {
		args = append(args, x.absolute(t, w)...)
	}
	return x.rsyncRun(c, direction, args)
}

// everywhere reports by trial whether any path is allowed: names that nobody
// can have listed, at all depths that patterns tell apart.
func (x *session) everywhere(may func(string) error) error {
	dir := ""
	for range 12 {
		dir += "/" + rand.Text()
		if err := may(dir); err != nil {
			return err
		}
	}
	return nil
}

// unpath is the text of a refusal with the rule, but without the made-up path.
func unpath(r *policy.Refusal) string {
	rule := r.Decision.Rule
	return fmt.Sprintf("refused by policy: %s = %s at %s", rule.Key, rule.Value, rule.Source)
}

// rsyncProgram is found without asking the user's PATH.
func rsyncProgram() string {
	for _, name := range []string{"/usr/bin/rsync", "/usr/local/bin/rsync", "/bin/rsync"} {
		if st, err := os.Stat(name); err == nil && st.Mode().IsRegular() {
			return name
		}
	}
	return ""
}

func (x *session) rsyncRun(c rsyncCall, direction string, args []string) ending {
	program := rsyncProgram()
	if program == "" {
		x.show("rsync is not installed on this machine; use sftp or scp")
		return ending{status: 127, text: "no rsync"}
	}
	log, err := x.pipe()
	if err != nil {
		return x.failed(err)
	}
	cmd := x.prepare(&exec.Cmd{Path: program, Args: []string{"rsync", "--server"}})
	cmd.ExtraFiles = []*os.File{log.w}
	if c.download {
		cmd.Args = append(cmd.Args, "--sender")
	}
	// Ours come first: an option of the client's that wants a value must not get
	// them for it. And the user's ~/.popt must not give options another meaning.
	cmd.Args = append(cmd.Args, "--log-file=/proc/self/fd/3", "--log-file-format="+rsyncLog)
	cmd.Args = append(append(cmd.Args, c.options...), ".")
	cmd.Args = append(cmd.Args, args...)
	cmd.Env = append(cmd.Env, "HOME=/")

	done := make(chan struct{})
	go func() {
		defer close(done)
		x.rsyncLedger(log.r, direction, args)
	}()
	e := x.inPipes(cmd, log.w)
	<-done
	return e
}

// rsyncLedger reads rsync's log.
func (x *session) rsyncLedger(log *os.File, direction string, args []string) {
	defer log.Close()
	lines := bufio.NewReaderSize(log, 64<<10)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return // a line is whole or not there
		}
		_, entry, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "] ")
		f := strings.SplitN(entry, " ", 4)
		if !ok || len(f) < 4 {
			continue
		}
		name := unescape(f[3])
		full := "/" + strings.TrimPrefix(name, "/")
		if direction == record.Upload {
			full = path.Join(args[0], name)
		}
		switch {
		case f[0] == "del.":
			_ = x.changed(full, nil, "rsync remove %q", full)
		case len(f[1]) > 1 && (f[1][0] == '>' || f[1][0] == '<') && f[1][1] == 'f':
			size, _ := strconv.ParseInt(f[2], 10, 64)
			_ = x.ledger.file(x.rsyncFile(full, args[0], direction, size))
		}
	}
}

func (x *session) rsyncFile(full, arg, direction string, size int64) record.Note {
	n := record.Note{Channel: x.number, Path: full, Direction: direction, Size: size}
	t, err := x.files.own()
	if err != nil {
		n.Text = "no hash: " + err.Error()
		return n
	}
	f, real, err := t.OpenRead(full)
	if err != nil && direction == record.Upload {
		f, real, err = t.OpenRead(arg) // one file, under a new name
	}
	if err != nil {
		n.Text = "no hash: " + err.Error()
		return n
	}
	defer f.Close()
	n.Path = real
	if n.SHA256, err = hashFile(f, 1<<62); err != nil {
		n.Text = "no hash: " + err.Error()
	} else if st, err := f.Stat(); err == nil && st.Size() != size {
		n.Text = fmt.Sprintf("the file has %d bytes by now, and that hash", st.Size())
	}
	return n
}

// unescape undoes how rsync writes control characters in its log: \#012.
func unescape(s string) string {
	if !strings.Contains(s, `\#`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if strings.HasPrefix(s[i:], `\#`) && i+5 <= len(s) {
			if c, err := strconv.ParseUint(s[i+2:i+5], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 4
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
