package s3store

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// keyFile reads keys from a file in the form of ~/.aws/credentials: the section
// [default], or the lines before any section.
type keyFile struct {
	path string

	mu    sync.Mutex
	stamp time.Time
}

// Retrieve reads the file.
func (k *keyFile) Retrieve() (credentials.Value, error) { return k.RetrieveWithCredContext(nil) }

// RetrieveWithCredContext is Retrieve.
func (k *keyFile) RetrieveWithCredContext(*credentials.CredContext) (credentials.Value, error) {
	f, err := os.Open(k.path)
	if err != nil {
		return credentials.Value{}, fmt.Errorf("read the keys of the S3 store: %w", err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return credentials.Value{}, fmt.Errorf("read the keys of the S3 store: %w", err)
	}
	if fi.Mode().Perm()&0o077 != 0 {
		return credentials.Value{}, fmt.Errorf("%s: mode %04o lets others read it; run: chmod 600 %s", k.path, fi.Mode().Perm(), k.path)
	}
	v, err := readKeys(f)
	if err != nil {
		return credentials.Value{}, fmt.Errorf("%s: %w", k.path, err)
	}
	k.mu.Lock()
	k.stamp = fi.ModTime()
	k.mu.Unlock()
	return v, nil
}

// IsExpired reports whether the file was changed since it was read.
func (k *keyFile) IsExpired() bool {
	fi, err := os.Stat(k.path)
	k.mu.Lock()
	defer k.mu.Unlock()
	return err == nil && !fi.ModTime().Equal(k.stamp) // a file that is gone does not take the keys away
}

func readKeys(r io.Reader) (credentials.Value, error) {
	v := credentials.Value{SignerType: credentials.SignatureV4}
	in := bufio.NewScanner(io.LimitReader(r, 64<<10))
	for mine := true; in.Scan(); {
		line := strings.TrimSpace(in.Text())
		if strings.HasPrefix(line, "[") {
			mine = line == "[default]"
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || !mine {
			continue
		}
		switch value = strings.TrimSpace(value); strings.ToLower(strings.TrimSpace(key)) {
		case "aws_access_key_id":
			v.AccessKeyID = value
		case "aws_secret_access_key":
			v.SecretAccessKey = value
		case "aws_session_token":
			v.SessionToken = value
		}
	}
	if err := in.Err(); err != nil {
		return credentials.Value{}, fmt.Errorf("read the keys of the S3 store: %w", err)
	}
	if v.AccessKeyID == "" || v.SecretAccessKey == "" {
		return credentials.Value{}, fmt.Errorf("no aws_access_key_id and aws_secret_access_key in section [default]")
	}
	return v, nil
}
