package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// sums remembers the checksum of programs as long as the file system says that
// they are the same: a host asks at every start of a plugin. It decides what is
// reported, not what runs: package launch hashes what it copies.
var sums struct {
	sync.Mutex
	known map[string]knownSum
}

type knownSum struct {
	id  fileID
	sum string
}

// settled is after how long a file's times can be told from later ones.
const settled = 2 * time.Second

// fileID tells one state of a file from another.
type fileID struct {
	dev, ino     uint64
	size         int64
	mtime, ctime syscall.Timespec
}

// sumOpen is the SHA-256 of an open file.
func sumOpen(f *os.File) (string, error) {
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no regular file", f.Name())
	}
	st := info.Sys().(*syscall.Stat_t)
	id := fileID{uint64(st.Dev), st.Ino, st.Size, st.Mtim, st.Ctim}
	sums.Lock()
	known := sums.known[f.Name()]
	sums.Unlock()
	if known.id == id {
		return known.sum, nil
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", err
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	// A file that was changed just now may be changed again within the same
	// tick of the file system's clock.
	if time.Since(time.Unix(st.Ctim.Unix())) < settled {
		return sum, nil
	}
	sums.Lock()
	defer sums.Unlock()
	if sums.known == nil {
		sums.known = make(map[string]knownSum)
	}
	sums.known[f.Name()] = knownSum{id, sum}
	return sum, nil
}
