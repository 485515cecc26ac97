package access

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pkg/sftp"

	"github.com/latchstring/latchstring/core/access/files"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
)

// sftpCommand is the name by which policy lists the subsystem as a command.
const sftpCommand = "sftp"

// sftp serves the subsystem of that name.
func (x *session) sftp() ending {
	d := x.decide(policy.AccessCommand, policy.Facts{policy.Command: sftpCommand})
	if !d.Allowed {
		return x.no("file transfer by sftp", map[string]string{"command": sftpCommand}, d)
	}
	if err := x.announce(sftpCommand); err != nil {
		return x.failed(err)
	}
	t, err := x.files.get()
	if err != nil {
		return x.failed(err)
	}
	h := sftpFiles{x, t}
	srv := sftp.NewRequestServer(x.channel, sftp.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h},
		sftp.WithStartDirectory(x.account.Home), sftp.WithRSAllocator(), sftp.WithRSMaxTxPacket(64<<10))
	if err := srv.Serve(); err != nil && !errors.Is(err, io.EOF) {
		return ending{status: 1, text: err.Error()}
	}
	return ending{}
}

// sftpFiles is the file system as sftp wants it.
type sftpFiles struct {
	x *session
	t *files.Tree
}

// refusal gives err the code by which clients tell it.
func refusal(err error) error {
	if r := (*policy.Refusal)(nil); errors.As(err, &r) {
		return fmt.Errorf("%w: %w", err, sftp.ErrSSHFxPermissionDenied)
	}
	return err
}

func (h sftpFiles) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	f, path, err := h.t.OpenRead(r.Filepath)
	if err != nil {
		return nil, refusal(h.x.said(path, record.Download, err))
	}
	return h.x.newFlow(f, path, record.Download), nil
}

func (h sftpFiles) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	flags := r.Pflags()
	mode := os.FileMode(0o666)
	if len(r.Attrs) == 4 { // the permission bits alone, as OpenSSH sends them
		mode = os.FileMode(binary.BigEndian.Uint32(r.Attrs)).Perm()
	}
	f, path, err := h.t.OpenWrite(r.Filepath, files.How{Exclusive: flags.Excl && flags.Creat, Truncate: flags.Trunc, Existing: !flags.Creat, Mode: mode})
	if err != nil {
		return nil, refusal(h.x.said(path, record.Upload, err))
	}
	return h.x.newFlow(f, path, record.Upload), nil
}

// OpenFile opens for reading and writing, which is both an upload and a download.
func (h sftpFiles) OpenFile(r *sftp.Request) (sftp.WriterAtReaderAt, error) {
	real, err := h.t.Real(r.Filepath)
	if err == nil {
		err = h.x.mayDownload(real)
	}
	if err != nil {
		return nil, refusal(h.x.said(real, record.Download, err))
	}
	w, err := h.Filewrite(r)
	if err != nil {
		return nil, err
	}
	f := w.(*flow)
	if err := h.x.mayDownload(f.path); err != nil { // it may be another one by now
		return nil, errors.Join(refusal(h.x.said(f.path, record.Download, err)), f.Close())
	}
	return f, nil
}

func (h sftpFiles) Filecmd(r *sftp.Request) error {
	var path string
	var err error
	var what string
	switch r.Method {
	case "Setstat":
		return h.setstat(r)
	case "Rename":
		what = fmt.Sprintf("sftp rename %q %q", r.Filepath, r.Target)
		path, err = h.t.Rename(r.Filepath, r.Target, false)
	case "Link":
		what = fmt.Sprintf("sftp link %q %q", r.Filepath, r.Target)
		path, err = h.t.Link(r.Filepath, r.Target)
	case "Symlink":
		what = fmt.Sprintf("sftp symlink %q %q", r.Filepath, r.Target)
		path, err = h.t.Symlink(r.Filepath, r.Target)
	case "Mkdir":
		what = fmt.Sprintf("sftp mkdir %q", r.Filepath)
		path, err = h.t.Mkdir(r.Filepath, 0o777)
	case "Rmdir":
		what = fmt.Sprintf("sftp rmdir %q", r.Filepath)
		path, err = h.t.Remove(r.Filepath, true)
	case "Remove":
		what = fmt.Sprintf("sftp remove %q", r.Filepath)
		path, err = h.t.Remove(r.Filepath, false)
	default:
		return sftp.ErrSSHFxOpUnsupported
	}
	return refusal(h.x.changed(path, err, "%s", what))
}

// PosixRename replaces the target.
func (h sftpFiles) PosixRename(r *sftp.Request) error {
	path, err := h.t.Rename(r.Filepath, r.Target, true)
	return refusal(h.x.changed(path, err, "sftp rename %q %q", r.Filepath, r.Target))
}

func (h sftpFiles) setstat(r *sftp.Request) error {
	has, a := r.AttrFlags(), r.Attributes()
	var did []string
	var path string
	step := func(wanted bool, what string, f func() (string, error)) (err error) {
		if wanted {
			did = append(did, what)
			path, err = f()
		}
		return err
	}
	err := step(has.Size, fmt.Sprintf("size %d", a.Size), func() (string, error) { return h.t.Truncate(r.Filepath, int64(a.Size)) })
	if err == nil {
		err = step(has.UidGid, fmt.Sprintf("owner %d:%d", a.UID, a.GID), func() (string, error) { return h.t.Chown(r.Filepath, int(a.UID), int(a.GID)) })
	}
	if err == nil {
		err = step(has.Permissions, fmt.Sprintf("mode %o", a.Mode&0o7777), func() (string, error) { return h.t.Chmod(r.Filepath, a.Mode) })
	}
	if err == nil {
		err = step(has.Acmodtime, "times", func() (string, error) { return h.t.Times(r.Filepath, a.AccessTime(), a.ModTime()) })
	}
	if err == nil && len(did) == 0 {
		return nil
	}
	return refusal(h.x.changed(path, err, "sftp set %s of %q", strings.Join(did, ", "), r.Filepath))
}

// StatVFS describes a file system.
func (h sftpFiles) StatVFS(r *sftp.Request) (*sftp.StatVFS, error) {
	fs, err := h.t.StatFS(r.Filepath)
	if err != nil {
		return nil, err
	}
	return &sftp.StatVFS{Bsize: uint64(fs.Bsize), Frsize: uint64(fs.Frsize), Blocks: fs.Blocks, Bfree: fs.Bfree, Bavail: fs.Bavail,
		Files: fs.Files, Ffree: fs.Ffree, Favail: fs.Ffree, Flag: uint64(fs.Flags), Namemax: uint64(fs.Namelen)}, nil
}

func (h sftpFiles) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	switch r.Method {
	case "List":
		infos, err := h.t.ReadDir(r.Filepath)
		return infoList(infos), err
	case "Stat":
		info, err := h.t.Stat(r.Filepath, true)
		return infoList{info}, err
	}
	return nil, sftp.ErrSSHFxOpUnsupported
}

// Lstat describes a symbolic link itself.
func (h sftpFiles) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	info, err := h.t.Stat(r.Filepath, false)
	return infoList{info}, err
}

// Readlink returns what a symbolic link says.
func (h sftpFiles) Readlink(path string) (string, error) { return h.t.Readlink(path) }

type infoList []os.FileInfo

func (l infoList) ListAt(to []os.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[offset:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}
