package launch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// maxProgram bounds the size of a plugin program.
const maxProgram = 512 << 20

// Image is a verified program, ready to be started any number of times.
type Image struct {
	file   *os.File
	sum    string
	size   int64
	sealed bool
}

// SumError says that a program is not the one that was expected.
type SumError struct{ Path, Got, Want string }

func (e *SumError) Error() string {
	return fmt.Sprintf("%s has SHA-256 %s, not %s: it was changed or replaced", e.Path, short(e.Got), short(e.Want))
}

func short(sum string) string {
	if len(sum) > 16 {
		return sum[:16] + "..."
	}
	return sum
}

// Load copies the program that f is open on. want is its SHA-256 in
// hexadecimal; empty takes any. spare is a directory for the copy where it
// cannot be held in memory; it must be on a file system that allows execution,
// and only this user may write to it.
func Load(f *os.File, want, spare string) (*Image, error) {
	return load(f, want, spare, memoryFile)
}

func load(f *os.File, want, spare string, memory func(name string) (*os.File, error)) (*Image, error) {
	name := filepath.Base(f.Name())
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("load program: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("load program %s: not a regular file", f.Name())
	case info.Size() > maxProgram:
		return nil, fmt.Errorf("load program %s: %d bytes are more than the %d that are taken", f.Name(), info.Size(), maxProgram)
	}
	img := &Image{sealed: true}
	copied, err := memory(name)
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		img.sealed = false
		copied, err = diskFile(spare)
	}
	if err != nil {
		return nil, fmt.Errorf("load program %s: %w", f.Name(), err)
	}
	fail := func(err error) (*Image, error) {
		copied.Close()
		return nil, err
	}
	hash := sha256.New()
	if img.size, err = io.Copy(io.MultiWriter(copied, hash), io.NewSectionReader(f, 0, maxProgram+1)); err != nil {
		return fail(fmt.Errorf("load program %s: %w", f.Name(), err))
	}
	img.sum = hex.EncodeToString(hash.Sum(nil))
	if want != "" && want != img.sum {
		return fail(&SumError{f.Name(), img.sum, want})
	}
	if img.sealed {
		err = seal(copied)
	} else {
		copied, err = readOnly(copied)
	}
	if err != nil {
		return fail(fmt.Errorf("load program %s: %w", f.Name(), err))
	}
	img.file = copied
	return img, nil
}

// Sum is the SHA-256 of the program in hexadecimal.
func (i *Image) Sum() string { return i.sum }

// Size is the length of the program in bytes.
func (i *Image) Size() int64 { return i.size }

// Close frees the copy. Processes started from it go on.
func (i *Image) Close() error { return i.file.Close() }

// memoryFile makes an executable file that exists in memory only.
func memoryFile(name string) (*os.File, error) {
	const mfdExec = 0x10 // MFD_EXEC, Linux 6.3: say that it is meant to be executed
	flags := unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|mfdExec)
	if errors.Is(err, unix.EINVAL) { // an older kernel does not know the flag and needs none
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// seal makes the content of a memory file final.
func seal(f *os.File) error {
	if err := f.Chmod(0o555); err != nil {
		return err
	}
	seals := unix.F_SEAL_WRITE | unix.F_SEAL_GROW | unix.F_SEAL_SHRINK | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("seal the copy: %w", err)
	}
	return nil
}

// diskFile makes a file without a name in dir.
func diskFile(dir string) (*os.File, error) {
	if dir == "" {
		return nil, errors.New("this kernel forbids programs in memory (vm.memfd_noexec=2), and there is no directory for a copy")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err == nil && fs.Flags&unix.ST_NOEXEC != 0 {
		return nil, fmt.Errorf("this kernel forbids programs in memory (vm.memfd_noexec=2) and %s is mounted noexec: allow one of them", dir)
	}
	f, err := os.CreateTemp(dir, ".program-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// readOnly trades the writing descriptor of a nameless file for a reading one:
// a file that is open for writing cannot be executed. It closes f.
func readOnly(f *os.File) (*os.File, error) {
	defer f.Close()
	if err := f.Chmod(0o555); err != nil {
		return f, err
	}
	r, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		return f, fmt.Errorf("open the copy for reading: %w", err)
	}
	return r, nil
}
