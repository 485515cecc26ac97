package s3store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Scheme begins the address of a store of this kind.
const Scheme = "s3://"

var bucketPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// location is an address that was read.
type location struct {
	bucket, prefix string // the prefix ends with a slash, or is empty
	endpoint       *url.URL
	region         string
	credentials    string
	ca             string
	lookup         minio.BucketLookupType
}

func parse(address string) (location, error) {
	bad := func(format string, args ...any) (location, error) {
		return location{}, fmt.Errorf("S3 address: "+format, args...)
	}
	u, err := url.Parse(address)
	if err != nil {
		return bad("it is no URL") // which may hold a secret
	}
	if u.User != nil {
		return bad("it holds a user or a password; put the keys into a file and say ?credentials=FILE")
	}
	l := location{bucket: u.Host, prefix: strings.Trim(u.Path, "/")}
	if u.Scheme+"://" != Scheme || !bucketPattern.MatchString(l.bucket) {
		return bad("%q is not s3://BUCKET/PREFIX?endpoint=URL&credentials=FILE", strings.SplitN(address, "?", 2)[0])
	}
	if l.prefix != "" {
		l.prefix += "/"
	}
	endpoint := "https://s3.amazonaws.com"
	for key, values := range u.Query() {
		value := values[0]
		switch key {
		case "endpoint":
			endpoint = value
		case "region":
			l.region = value
		case "credentials":
			l.credentials = value
		case "ca":
			l.ca = value
		case "lookup":
			switch value {
			case "path":
				l.lookup = minio.BucketLookupPath
			case "dns":
				l.lookup = minio.BucketLookupDNS
			default:
				return bad("lookup is path or dns")
			}
		default:
			return bad("unknown parameter %.40q; there are endpoint, region, credentials, ca and lookup", key)
		}
	}
	if !strings.Contains(endpoint, "://") {
		endpoint = "https://" + endpoint
	}
	l.endpoint, err = url.Parse(endpoint)
	if err != nil || l.endpoint.Host == "" || l.endpoint.User != nil || strings.Trim(l.endpoint.Path, "/") != "" || l.endpoint.Scheme != "https" && l.endpoint.Scheme != "http" {
		return bad("the endpoint is to be https://HOST[:PORT], or http:// where nobody listens")
	}
	if l.credentials == "" {
		return bad("say where the keys are: credentials=FILE, credentials=instance or credentials=chain")
	}
	return l, nil
}

// signer is where the keys come from.
func (l location) signer() (*credentials.Credentials, error) {
	switch l.credentials {
	case "instance":
		return credentials.New(&credentials.IAM{}), nil
	case "chain":
		return credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{}}), nil
	}
	f := &keyFile{path: l.credentials}
	if _, err := f.Retrieve(); err != nil {
		return nil, err
	}
	return credentials.New(f), nil
}

func (l location) client() (*minio.Client, error) {
	creds, err := l.signer()
	if err != nil {
		return nil, err
	}
	secure := l.endpoint.Scheme == "https"
	t, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, err
	}
	if err := l.trust(t); err != nil {
		return nil, err
	}
	return minio.New(l.endpoint.Host, &minio.Options{Creds: creds, Secure: secure, Region: l.region, BucketLookup: l.lookup, Transport: t, MaxRetries: 4})
}

// trust makes the transport accept the operator's authority only.
func (l location) trust(t *http.Transport) error {
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{}
	}
	t.TLSClientConfig.MinVersion = tls.VersionTLS12
	if l.ca == "" {
		return nil
	}
	pem, err := os.ReadFile(l.ca)
	if err != nil {
		return fmt.Errorf("read the authority of the S3 store: %w", err)
	}
	t.TLSClientConfig.RootCAs = x509.NewCertPool()
	if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
		return errors.New("read the authority of the S3 store: no certificate in " + l.ca)
	}
	return nil
}
