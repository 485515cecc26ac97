package access

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/latchstring/latchstring/core/access/files"
	"github.com/latchstring/latchstring/core/access/words"
	"github.com/latchstring/latchstring/core/record"
)

// An scp is the server's side of the old protocol of scp (`scp -O`), of which
// there is no specification but OpenSSH's scp.c: lines that begin with C, D, E or
// T, each answered by a byte 0 for yes or 1 and a line for no.
type scp struct {
	x    *session
	t    *files.Tree
	in   *bufio.Reader
	bad  bool // something was refused or failed
	keep bool // -p: modes and times
	deep bool // -r
	into bool // -d: the target must be a directory
}

const (
	scpLine  = 16 << 10 // longest line
	scpDepth = 64       // of directories
)

// errStop is a failure after which the two ends do not agree any more.
var errStop = errors.New("scp: the other side broke the protocol")

// parseSCP understands `scp -t` and `scp -f` as clients write them.
func parseSCP(args []words.Word) (s scp, sink bool, paths []words.Word, ok bool) {
	if len(args) < 3 || args[0].Text != "scp" {
		return s, false, nil, false
	}
	source := false
	for i := 1; i < len(args); i++ {
		a := args[i].Text
		if a == "--" {
			paths = args[i+1:]
			break
		}
		if !strings.HasPrefix(a, "-") || args[i].Home {
			paths = args[i:]
			break
		}
		for _, c := range a[1:] {
			switch c {
			case 't':
				sink = true
			case 'f':
				source = true
			case 'r':
				s.deep = true
			case 'p':
				s.keep = true
			case 'd':
				s.into = true
			case 'v', 'q':
			default:
				return s, false, nil, false
			}
		}
	}
	return s, sink, paths, sink != source && len(paths) > 0 && (!sink || len(paths) == 1)
}

// scp serves one transfer. The command was allowed; each file is asked about.
func (x *session) scp(s scp, sink bool, paths []words.Word) ending {
	t, err := x.files.get()
	if err != nil {
		return x.failed(err)
	}
	s.x, s.t, s.in = x, t, bufio.NewReaderSize(x.channel, bufferSize)
	if sink {
		err = s.sink(x.absolute(t, paths[0])[0])
	} else {
		err = s.source(paths)
	}
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return ending{status: 1, text: err.Error()}
	case s.bad:
		return ending{status: 1}
	}
	return ending{}
}

func (s *scp) yes() error {
	_, err := s.x.channel.Write([]byte{0})
	return err
}

// no tells the client about a failure; the transfer goes on with the next file.
func (s *scp) no(name string, err error) error {
	s.bad = true
	_, werr := fmt.Fprintf(s.x.channel, "\x01scp: %s: %s\n", plain(name), plain(err.Error()))
	return werr
}

// answer reads the client's answer. A complaint of his is not an error of ours.
func (s *scp) answer() (ok bool, err error) {
	c, err := s.in.ReadByte()
	if err != nil || c == 0 {
		return true, err
	}
	line, err := s.line()
	s.bad = true
	if c != 1 || err != nil {
		return false, fmt.Errorf("%w: %q", errStop, line)
	}
	return false, nil
}

func (s *scp) line() (string, error) {
	var line []byte
	for {
		c, err := s.in.ReadByte()
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return string(line), nil
		}
		if line = append(line, c); len(line) > scpLine {
			return "", errStop
		}
	}
}

// sink receives files into a file or directory.
func (s *scp) sink(target string) error {
	info, err := s.t.Stat(target, true)
	isDir := err == nil && info.IsDir()
	if s.into && !isDir {
		return s.no(target, syscall.ENOTDIR)
	}
	if err := s.yes(); err != nil {
		return err
	}
	return s.receive(target, isDir, 0)
}

// receive takes entries until the end of a directory or of the input.
func (s *scp) receive(target string, isDir bool, depth int) error {
	var times []time.Time
	for {
		line, err := s.line()
		if err != nil {
			return err
		}
		if line == "" {
			return errStop
		}
		switch line[0] {
		case 1, 2: // the client failed to read something
			s.bad = true
			if line[0] == 2 {
				return fmt.Errorf("%w: %s", errStop, line[1:])
			}
			continue
		case 'E':
			if depth == 0 {
				return errStop
			}
			return s.yes()
		case 'T':
			if times, err = scpTimes(line[1:]); err != nil {
				return err
			}
			if err := s.yes(); err != nil {
				return err
			}
			continue
		case 'C', 'D':
		default:
			return errStop
		}
		mode, size, name, err := scpEntry(line[1:])
		if err != nil {
			return errors.Join(s.no("entry", err), err)
		}
		to := target
		if isDir {
			to = strings.TrimRight(target, "/") + "/" + name
		}
		if line[0] == 'C' {
			err = s.file(to, mode, size, times)
		} else {
			err = s.dir(to, mode, times, depth)
		}
		if err != nil {
			return err
		}
		times = nil
	}
}

// file receives one file.
func (s *scp) file(to string, mode os.FileMode, size int64, times []time.Time) error {
	f, real, err := s.t.OpenWrite(to, files.How{Truncate: true, Mode: mode})
	if err != nil {
		return s.no(to, s.x.said(real, record.Upload, err))
	}
	fl := s.x.newFlow(f, real, record.Upload)
	if err := s.yes(); err != nil {
		return errors.Join(err, fl.Close())
	}
	failed, err := s.body(fl, size)
	if err != nil {
		fl.TransferError(err)
		return errors.Join(err, fl.Close())
	}
	failed = errors.Join(failed, fl.Close())
	if s.keep {
		_, err := s.t.Chmod(real, uint32(mode.Perm()))
		failed = errors.Join(failed, err)
	}
	if s.keep && len(times) == 2 {
		_, err := s.t.Times(real, times[0], times[1])
		failed = errors.Join(failed, err)
	}
	ok, err := s.answer()
	switch {
	case err != nil:
		return err
	case failed != nil:
		return s.no(to, failed)
	case !ok:
		return nil // the client said what was wrong with its file, and waits for nothing
	}
	return s.yes()
}

// body reads size bytes. A file that cannot be written (a full disk) does not
// keep the rest from being read.
func (s *scp) body(fl *flow, size int64) (failed, err error) {
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	for off := int64(0); off < size; {
		n, err := s.in.Read((*b)[:min(int64(len(*b)), size-off)])
		if err != nil {
			return failed, io.ErrUnexpectedEOF
		}
		if failed == nil {
			_, failed = fl.WriteAt((*b)[:n], off)
		}
		off += int64(n)
	}
	return failed, nil
}

// dir receives a directory.
func (s *scp) dir(to string, mode os.FileMode, times []time.Time, depth int) error {
	if !s.deep || depth >= scpDepth {
		return errors.Join(s.no(to, errors.New("a directory was not asked for, or too deep")), errStop)
	}
	info, err := s.t.Stat(to, true)
	made := false
	switch {
	case err == nil && !info.IsDir():
		return errors.Join(s.no(to, syscall.ENOTDIR), errStop)
	case err != nil:
		real, err := s.t.Mkdir(to, mode|0o700)
		if err = s.x.changed(real, err, "scp mkdir %q", to); err != nil {
			return errors.Join(s.no(to, err), errStop)
		}
		made = true
	}
	if err := s.yes(); err != nil {
		return err
	}
	if err := s.receive(to, true, depth+1); err != nil {
		return err
	}
	if s.keep || made && mode.Perm()&0o700 != 0o700 {
		_, _ = s.t.Chmod(to, uint32(mode.Perm()))
	}
	if s.keep && len(times) == 2 {
		_, _ = s.t.Times(to, times[0], times[1])
	}
	return nil
}

// scpEntry reads `0644 12 name`.
func scpEntry(line string) (mode os.FileMode, size int64, name string, err error) {
	m, rest, ok1 := strings.Cut(line, " ")
	n, name, ok2 := strings.Cut(rest, " ")
	bits, err1 := strconv.ParseUint(m, 8, 16)
	size, err2 := strconv.ParseInt(n, 10, 64)
	if !ok1 || !ok2 || err1 != nil || err2 != nil || size < 0 {
		return 0, 0, "", fmt.Errorf("%w: an entry is malformed", errStop)
	}
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return 0, 0, "", fmt.Errorf("%w: %q is no name of a file", errStop, name)
	}
	return os.FileMode(bits & 0o777), size, name, nil
}

// scpTimes reads `mtime 0 atime 0`, and returns when the file was read and changed.
func scpTimes(line string) ([]time.Time, error) {
	f := strings.Fields(line)
	if len(f) != 4 {
		return nil, errStop
	}
	changed, err1 := strconv.ParseInt(f[0], 10, 64)
	read, err2 := strconv.ParseInt(f[2], 10, 64)
	if err1 != nil || err2 != nil || changed < 0 || read < 0 {
		return nil, errStop
	}
	return []time.Time{time.Unix(read, 0), time.Unix(changed, 0)}, nil
}

// source sends what the words name.
func (s *scp) source(paths []words.Word) error {
	if _, err := s.answer(); err != nil {
		return err
	}
	for _, w := range paths {
		for _, name := range s.x.absolute(s.t, w) {
			if err := s.send(name, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *scp) send(name string, depth int) error {
	info, err := s.t.Stat(name, true)
	switch {
	case err != nil:
		return s.no(name, err)
	case info.IsDir():
		if !s.deep || depth >= scpDepth {
			return s.no(name, errors.New("not a regular file"))
		}
		return s.sendDir(name, info, depth)
	}
	f, real, err := s.t.OpenRead(name)
	if err != nil {
		return s.no(name, s.x.said(real, record.Download, err))
	}
	fl := s.x.newFlow(f, real, record.Download)
	if info, err = f.Stat(); err != nil {
		return errors.Join(s.no(name, err), fl.Close())
	}
	ok, err := s.head('C', info, info.Size(), path.Base(name))
	if err != nil || !ok {
		return errors.Join(err, fl.Close())
	}
	failed, err := s.sendBody(fl, info.Size())
	if err != nil {
		fl.TransferError(err)
		return errors.Join(err, fl.Close())
	}
	failed = errors.Join(failed, fl.Close())
	if failed != nil {
		err = s.no(name, failed)
	} else {
		err = s.yes()
	}
	if err == nil {
		_, err = s.answer()
	}
	return err
}

// sendBody sends exactly size bytes, as was announced, whatever became of the file.
func (s *scp) sendBody(fl *flow, size int64) (failed, err error) {
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	for off := int64(0); off < size; {
		p := (*b)[:min(int64(len(*b)), size-off)]
		n := len(p)
		if failed == nil {
			n, failed = fl.ReadAt(p, off)
			if n == len(p) {
				failed = nil // the end of the file, and of what is wanted
			} else if failed == io.EOF {
				failed = errors.New("the file became shorter")
			}
		}
		if failed != nil && n == 0 {
			clear(p)
			n = len(p)
		}
		if _, err := s.x.channel.Write(p[:n]); err != nil {
			return failed, err
		}
		off += int64(n)
	}
	return failed, nil
}

// head announces a file or directory.
func (s *scp) head(kind byte, info os.FileInfo, size int64, name string) (ok bool, err error) {
	if s.keep {
		read := info.ModTime()
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			read = time.Unix(st.Atim.Unix())
		}
		if _, err := fmt.Fprintf(s.x.channel, "T%d 0 %d 0\n", info.ModTime().Unix(), read.Unix()); err != nil {
			return false, err
		}
		if ok, err := s.answer(); err != nil || !ok {
			return false, err
		}
	}
	var line bytes.Buffer
	fmt.Fprintf(&line, "%c%04o %d %s\n", kind, info.Mode().Perm(), size, strings.ReplaceAll(name, "\n", "?"))
	if _, err := s.x.channel.Write(line.Bytes()); err != nil {
		return false, err
	}
	return s.answer()
}

func (s *scp) sendDir(name string, info os.FileInfo, depth int) error {
	entries, err := s.t.ReadDir(name)
	if err != nil {
		return s.no(name, err)
	}
	ok, err := s.head('D', info, 0, path.Base(path.Clean(name)))
	if err != nil || !ok {
		return err
	}
	for _, e := range entries {
		if err := s.send(strings.TrimRight(name, "/")+"/"+e.Name(), depth+1); err != nil {
			return err
		}
	}
	if _, err := s.x.channel.Write([]byte("E\n")); err != nil {
		return err
	}
	_, err = s.answer()
	return err
}
