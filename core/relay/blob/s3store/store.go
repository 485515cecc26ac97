package s3store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/minio/minio-go/v7"

	"github.com/latchstring/latchstring/core/relay/blob"
)

// metaSum is where a blob carries its SHA-256.
const metaSum = "Sha256"

// probe is an object that is there to find out whether the store keeps it.
const probe = "conditions"

// partSize is up to which size a blob is put at once, and the size of the parts
// of larger ones.
const partSize = 64 << 20

// Store is a blob.Store in a bucket.
type Store struct {
	location
	c    *minio.Client
	part int64
}

var _ blob.Store = (*Store)(nil)

// Open reads the address and the keys; it does not connect.
func Open(address string) (*Store, error) {
	l, err := parse(address)
	if err != nil {
		return nil, err
	}
	c, err := l.client()
	if err != nil {
		return nil, err
	}
	return &Store{l, c, partSize}, nil
}

// String names the place, for people.
func (s *Store) String() string {
	return fmt.Sprintf("%s%s/%s at %s", Scheme, s.bucket, s.prefix, s.endpoint.Host)
}

// Check finds out whether blobs can be kept there: the bucket exists, the keys
// may write to it, and the store honours the condition that nothing is
// overwritten.
func (s *Store) Check(ctx context.Context) error {
	var said error
	for range 2 { // the first may be the one that makes it
		text := rand.Text()
		_, said = s.c.PutObject(ctx, s.bucket, s.prefix+probe, strings.NewReader(text), int64(len(text)), s.options(0, nil))
		if exists(said) {
			return nil
		}
		if said != nil {
			return s.explain("write to", said)
		}
	}
	return fmt.Errorf("%s overwrites objects although it is told not to (If-None-Match): two nodes could replace each other's recordings; use a store that knows conditional writes", s)
}

// options are those of a put that overwrites nothing. What is put in parts
// cannot have the condition.
func (s *Store) options(size int64, meta map[string]string) minio.PutObjectOptions {
	o := minio.PutObjectOptions{ContentType: "application/octet-stream", UserMetadata: meta, PartSize: uint64(s.part)}
	if size <= s.part {
		o.SetMatchETagExcept("*")
	}
	return o
}

// exists recognizes the answer to a put whose condition does not hold: there is
// an object, or one is being put at the moment.
func exists(err error) bool {
	e := minio.ToErrorResponse(err)
	return err != nil && (e.StatusCode == http.StatusPreconditionFailed || e.Code == minio.PreconditionFailed || e.Code == "ConditionalRequestConflict")
}

// explain turns the answers of S3 into errors that say what to do.
func (s *Store) explain(what string, err error) error {
	e := minio.ToErrorResponse(err)
	switch e.Code {
	case minio.NoSuchKey:
		return fmt.Errorf("%s %s: %w", what, s, fs.ErrNotExist)
	case minio.NoSuchBucket:
		return fmt.Errorf("%s %s: there is no such bucket; make it first", what, s)
	case minio.AccessDenied, "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return fmt.Errorf("%s %s: the keys in %s are not accepted for it: %s", what, s, s.credentials, e.Code)
	case "XMinioStorageFull", "StorageFull", "QuotaExceeded", "InsufficientStorage":
		return fmt.Errorf("%s %s: %w", what, s, syscall.ENOSPC)
	}
	return fmt.Errorf("%s %s: %w", what, s, err)
}

// Adopt puts the file, unless there is one of that id, and removes it here.
func (s *Store) Adopt(ctx context.Context, id, path string) error {
	if err := blob.CheckID(id); err != nil {
		return err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := s.stat(ctx, id); err == nil {
			return nil // adopted already, by a process that died afterwards
		}
	}
	if err != nil {
		return fmt.Errorf("adopt blob %s: %w", id, err)
	}
	defer f.Close()
	if err := s.put(ctx, id, f); err != nil {
		return fmt.Errorf("adopt blob %s: %w", id, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("adopt blob %s: %w", id, err)
	}
	return nil
}

func (s *Store) put(ctx context.Context, id string, f *os.File) error {
	h := sha256.New()
	size, err := io.Copy(h, f)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	sum := hex.EncodeToString(h.Sum(nil))
	if size > s.part {
		if _, err := s.stat(ctx, id); err == nil {
			return s.same(ctx, id, sum, size)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	info, err := s.c.PutObject(ctx, s.bucket, s.prefix+id, f, size, s.options(size, map[string]string{metaSum: sum}))
	if exists(err) {
		return s.same(ctx, id, sum, size)
	}
	if err != nil {
		return s.explain("write to", err)
	}
	if info.Size != size {
		return fmt.Errorf("%s took %d bytes of %d", s, info.Size, size)
	}
	if size > s.part {
		return s.same(ctx, id, sum, size) // what it made of the parts
	}
	return nil
}

// same reports whether what is there is what was to be put: by us, whose answer
// got lost, or by another node.
func (s *Store) same(ctx context.Context, id, sum string, size int64) error {
	info, err := s.stat(ctx, id)
	if err != nil {
		return err
	}
	if info.Size == size && info.UserMetadata[metaSum] == sum {
		return nil
	}
	return fmt.Errorf("%s holds another blob of this name: %w; nothing is overwritten", s, fs.ErrExist)
}

func (s *Store) stat(ctx context.Context, id string) (minio.ObjectInfo, error) {
	info, err := s.c.StatObject(ctx, s.bucket, s.prefix+id, minio.StatObjectOptions{})
	if err != nil {
		return info, s.explain("read from", err)
	}
	return info, nil
}

// Open opens a blob; ctx must last as long as it is read.
func (s *Store) Open(ctx context.Context, id string) (io.ReadSeekCloser, int64, error) {
	if err := blob.CheckID(id); err != nil {
		return nil, 0, err
	}
	o, err := s.c.GetObject(ctx, s.bucket, s.prefix+id, minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, s.explain("read from", err)
	}
	info, err := o.Stat()
	if err != nil {
		o.Close()
		return nil, 0, s.explain("read from", err)
	}
	return o, info.Size, nil
}

// Delete removes a blob.
func (s *Store) Delete(ctx context.Context, id string) error {
	if err := blob.CheckID(id); err != nil {
		return err
	}
	if err := s.c.RemoveObject(ctx, s.bucket, s.prefix+id, minio.RemoveObjectOptions{}); err != nil {
		return s.explain("delete from", err)
	}
	return nil
}

// Free says that there is space: S3 does not tell, and refuses when there is
// none.
func (s *Store) Free() (int64, error) { return math.MaxInt64, nil }
