package members

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// tar rewrites a tar stream.
func (j *job) tar(dst io.Writer, src io.Reader, name string, depth int) error {
	tr, tw := tar.NewReader(src), tar.NewWriter(dst)
	t := newTree()
	sp := j.newSpool()
	defer sp.Close()
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		// Reading from an insecure name is what cleanName is for.
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return j.damaged(name, Tar, err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		if j.members++; j.members > j.Members {
			j.spent = fmt.Sprintf("more than %d members", j.Members)
			return &OmitError{name, j.spent}
		}
		if err := j.tarMember(tw, tr, h, t, sp, name, depth); err != nil {
			return err
		}
		sp.reset()
	}
	// What is behind the end of the archive is dropped, but read: the layer
	// below ends with its checksum.
	if _, err := io.Copy(io.Discard, src); err != nil {
		return j.damaged(name, Tar, err)
	}
	if err := tw.Close(); err != nil {
		return fmt.Errorf("rewrite %s: %w", name, err)
	}
	return nil
}

func (j *job) tarMember(tw *tar.Writer, tr *tar.Reader, h *tar.Header, t *tree, sp *spool, archive string, depth int) error {
	out := &tar.Header{
		Typeflag: h.Typeflag,
		Name:     cleanName(j.rename(h.Name)),
		Mode:     h.Mode & 0o777,
		Uid:      h.Uid,
		Gid:      h.Gid,
		Uname:    j.owner(h.Uname),
		Gname:    j.owner(h.Gname),
		ModTime:  h.ModTime.Truncate(time.Second),
	}
	full := archive + "/" + out.Name
	if t.below(out.Name) {
		j.omit(full, "behind a symbolic link of the archive")
		return nil
	}
	switch h.Typeflag {
	case tar.TypeDir:
		out.Name += "/"
	case tar.TypeSymlink:
		out.Linkname = j.rename(h.Linkname)
		if reason := t.symlink(out.Name, out.Linkname); reason != "" {
			j.omit(full, reason)
			return nil
		}
		t.links[out.Name] = true
	case tar.TypeLink:
		out.Linkname = cleanName(j.rename(h.Linkname))
		if !t.files[out.Linkname] {
			j.omit(full, "a hard link to what is not in the archive")
			return nil
		}
	case tar.TypeReg, '\x00', tar.TypeCont, tar.TypeGNUSparse:
		out.Typeflag = tar.TypeReg
		// full has the original spelling for lexers and globs.
		m := &meter{j: j, r: tr, count: &j.content}
		reason, err := j.anything(j.hold(sp), m, archive+"/"+h.Name, depth)
		switch {
		case j.hard != nil:
			return j.hard
		case j.spent != "":
			return &OmitError{archive, j.spent}
		case m.fault != nil:
			return j.damaged(archive, Tar, m.fault)
		case err != nil:
			return fmt.Errorf("member %s: %w", full, err)
		case reason != "":
			j.omit(full, reason)
			return nil
		}
		out.Size = sp.size
		t.files[out.Name] = true
		delete(t.links, out.Name)
	default:
		j.omit(full, "a device or another special file")
		return nil
	}
	if j.readOnly {
		return nil
	}
	if err := tw.WriteHeader(out); err != nil {
		if errors.Is(err, tar.ErrWriteAfterClose) || !strings.Contains(err.Error(), "cannot encode header") {
			return fmt.Errorf("rewrite %s: %w", archive, err)
		}
		j.omit(full, "its header cannot be written")
		return nil
	}
	if out.Typeflag == tar.TypeReg {
		if _, err := io.Copy(tw, sp.reader()); err != nil {
			return fmt.Errorf("rewrite %s: %w", archive, err)
		}
	}
	return nil
}

// systemOwners are accounts that every machine has.
var systemOwners = map[string]bool{
	"root": true, "wheel": true, "daemon": true, "bin": true, "sys": true, "adm": true, "mail": true, "nobody": true, "nogroup": true,
	"www-data": true, "systemd-journal": true, "syslog": true, "utmp": true, "shadow": true, "staff": true, "users": true,
}

func (j *job) owner(name string) string {
	switch {
	case systemOwners[name]:
		return name
	case j.Owner == nil:
		return ""
	}
	return j.Owner(name)
}
