package members

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// spool holds content whose size is not known yet: in memory while it is
// short, then in a file that only this process can read.
type spool struct {
	j     *job
	buf   []byte
	file  *os.File
	block cipher.Block
	out   cipher.Stream
	size  int64
}

func (j *job) newSpool() *spool { return &spool{j: j} }

// hold is where the content of a member goes.
func (j *job) hold(sp *spool) io.Writer {
	if j.readOnly {
		return io.Discard
	}
	return sp
}

// Write appends.
func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && len(s.buf)+len(p) <= s.j.Memory {
		s.buf = append(s.buf, p...)
		s.size += int64(len(p))
		return len(p), nil
	}
	if s.file == nil {
		if err := s.open(); err != nil {
			return 0, err
		}
	}
	var sealed [8 << 10]byte
	total := 0
	for len(p) > 0 {
		n := min(len(p), len(sealed))
		s.out.XORKeyStream(sealed[:n], p[:n])
		n, err := s.file.Write(sealed[:n])
		total += n
		s.size += int64(n)
		if err != nil {
			return total, fmt.Errorf("spool: %w", err)
		}
		p = p[n:]
	}
	return total, nil
}

// open moves what is in memory to a new file. The key is made for this spool
// and forgotten with it, so that counting from zero is safe.
func (s *spool) open() error {
	temp := s.j.Temp
	if temp == nil {
		temp = unnamedTemp
	}
	f, err := temp()
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	var key [32]byte
	rand.Read(key[:])
	block, err := aes.NewCipher(key[:])
	if err != nil {
		f.Close()
		return fmt.Errorf("spool: %w", err)
	}
	s.file, s.block = f, block
	s.out = cipher.NewCTR(block, make([]byte, aes.BlockSize))
	held := s.buf
	s.buf, s.size = nil, 0
	_, err = s.Write(held)
	return err
}

func unnamedTemp() (*os.File, error) {
	f, err := os.CreateTemp("", "latchstring-spool-*") // O_EXCL, 0600
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ReadAt implements [io.ReaderAt].
func (s *spool) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= s.size {
		return 0, io.EOF
	}
	want := len(p)
	p = p[:min(int64(len(p)), s.size-off)]
	if s.file == nil {
		copy(p, s.buf[off:])
	} else {
		if _, err := s.file.ReadAt(p, off); err != nil {
			return 0, fmt.Errorf("spool: %w", err)
		}
		var iv [aes.BlockSize]byte
		binary.BigEndian.PutUint64(iv[8:], uint64(off/aes.BlockSize))
		ctr := cipher.NewCTR(s.block, iv[:])
		var skip [aes.BlockSize]byte
		ctr.XORKeyStream(skip[:off%aes.BlockSize], skip[:off%aes.BlockSize])
		ctr.XORKeyStream(p, p)
	}
	if len(p) < want {
		return len(p), io.EOF
	}
	return len(p), nil
}

// reader reads from the start.
func (s *spool) reader() io.Reader { return io.NewSectionReader(s, 0, s.size) }

// reset makes the spool empty, keeping the memory but not the file.
func (s *spool) reset() {
	s.Close()
	s.buf, s.size = s.buf[:0], 0
}

// Close gives the file up.
func (s *spool) Close() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file, s.out, s.block = nil, nil, nil
	return f.Close()
}
