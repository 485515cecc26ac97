package cert

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"strings"
	"unicode/utf16"
)

// Bounds of what is read: certificates are a few kilobytes.
const (
	MaxUpload = 256 << 10
	maxBlocks = 40
	maxKey    = 8 << 10  // of the DER of a key; RSA of 4096 bits needs 2.4 kB
	maxCert   = 64 << 10 // of the DER of a certificate
)

// parts is what stands in a file.
type parts struct {
	keys  []crypto.Signer
	certs []*x509.Certificate
}

const wanted = "put the private key and the certificate, both in PEM form, into one file: cat key.pem certificate.pem > both.pem"

// parse reads PEM text (RFC 7468), leniently about what editors and mail
// programs do to it.
func parse(in []byte) (parts, error) {
	var p parts
	if len(in) > MaxUpload {
		return p, refuse(Readable, wanted, "the file is larger than %d kB, which no certificate is", MaxUpload>>10)
	}
	text := plain(in)
	defer clear(text)
	begins := bytes.Count(text, []byte("\n-----BEGIN "))
	if begins == 0 {
		return p, notPEM(in)
	}
	if begins > maxBlocks {
		return p, refuse(Readable, wanted, "the file holds %d parts, and no more than %d are read", begins, maxBlocks)
	}
	blocks := 0
	for rest := text; ; blocks++ {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		err := p.add(b)
		clear(b.Bytes)
		if err != nil {
			return p, err
		}
	}
	if blocks < begins {
		return p, refuse(Readable, "copy it again, with all of the lines from BEGIN to END", "%d of the %d parts of the file are cut off or damaged", begins-blocks, begins)
	}
	return p, nil
}

// add takes one block. What belongs to other things, as parameters of curves, is
// passed over.
func (p *parts) add(b *pem.Block) error {
	switch {
	case b.Type == "ENCRYPTED PRIVATE KEY", strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED"):
		return refuse(NoPassword, "take the password away: openssl pkey -in key.pem -out plain.pem", "the private key is encrypted with a password, which the machine could not type when it starts")
	case b.Type == "OPENSSH PRIVATE KEY":
		return refuse(Readable, wanted, "the private key is in the form of OpenSSH, which is not for certificates")
	case strings.HasSuffix(b.Type, "PRIVATE KEY"):
		if len(b.Bytes) > maxKey {
			return refuse(KeyType, keyTypes, "the private key is far larger than one of RSA with 4096 bits")
		}
		key, err := parseKey(b.Bytes)
		if err != nil {
			return err
		}
		p.keys = append(p.keys, key)
	case b.Type == "CERTIFICATE", b.Type == "X509 CERTIFICATE", b.Type == "TRUSTED CERTIFICATE":
		if len(b.Bytes) > maxCert {
			return refuse(Readable, wanted, "a certificate of %d kB is none", len(b.Bytes)>>10)
		}
		// In a trusted certificate, openssl's own kind, more stands behind it.
		var only asn1.RawValue
		if _, err := asn1.Unmarshal(b.Bytes, &only); err != nil || b.Type != "TRUSTED CERTIFICATE" {
			only.FullBytes = b.Bytes
		}
		c, err := x509.ParseCertificate(bytes.Clone(only.FullBytes))
		if err != nil {
			return refuse(Readable, "copy it again; openssl x509 -in FILE -text shows what is in it", "the certificate cannot be read: %v", err)
		}
		p.certs = append(p.certs, c)
	case strings.HasSuffix(b.Type, "CERTIFICATE REQUEST"):
		return refuse(Readable, "send it to your certificate authority, and upload what comes back", "the file holds a request for a certificate (CSR), and not a certificate")
	case b.Type == "PKCS7", b.Type == "CMS":
		return refuse(Readable, "convert it: openssl pkcs7 -print_certs -in FILE", "the certificates are packed as PKCS #7")
	}
	return nil
}

func parseKey(der []byte) (crypto.Signer, error) {
	any, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		if k, e := x509.ParsePKCS1PrivateKey(der); e == nil {
			any, err = k, nil
		} else if k, e := x509.ParseECPrivateKey(der); e == nil {
			any, err = k, nil
		}
	}
	if err != nil { // the error could quote parts of the key
		return nil, refuse(Readable, "openssl pkey -in FILE -check says what is wrong with it; "+keyTypes, "the private key cannot be read: it is damaged, or of a kind that is not supported")
	}
	key, ok := any.(crypto.Signer)
	if !ok {
		return nil, refuse(KeyType, keyTypes, "the private key is of a kind that cannot sign")
	}
	return key, nil
}

// plain is the text as PEM wants it: lines that begin and end where they should.
// The result begins with a line end, and is the caller's to clear.
func plain(in []byte) []byte {
	if wide := fromUTF16(in); wide != nil {
		defer clear(wide)
		in = wide
	}
	out := make([]byte, 0, len(in)+64)
	for line := range bytes.FieldsFuncSeq(in, func(r rune) bool { return r == '\r' || r == '\n' || r == '\uFEFF' || r == 0 }) {
		// Two files that were joined without a line end between them.
		for line = bytes.TrimSpace(line); ; {
			at := bytes.Index(line, []byte("----------BEGIN "))
			if at < 0 {
				break
			}
			out = append(append(out, '\n'), line[:at+5]...)
			line = line[at+5:]
		}
		out = append(append(out, '\n'), line...)
	}
	return append(out, '\n')
}

// fromUTF16 is what some editors of Windows call Unicode; nil for anything else.
func fromUTF16(in []byte) []byte {
	if len(in) < 2 || len(in)%2 != 0 {
		return nil
	}
	var hi, lo int
	switch {
	case in[0] == 0xFF && in[1] == 0xFE:
		hi, lo = 1, 0
	case in[0] == 0xFE && in[1] == 0xFF:
		hi, lo = 0, 1
	default:
		return nil
	}
	wide := make([]uint16, 0, len(in)/2)
	defer clear(wide)
	for i := 2; i < len(in); i += 2 {
		wide = append(wide, uint16(in[i+hi])<<8|uint16(in[i+lo]))
	}
	runes := utf16.Decode(wide)
	defer clear(runes)
	out := make([]byte, 0, 3*len(runes))
	for _, r := range runes {
		out = append(out, string(r)...)
	}
	return out
}

// notPEM says what a file is that is no PEM text.
func notPEM(in []byte) error {
	switch {
	case len(bytes.TrimSpace(in)) == 0:
		return refuse(Readable, wanted, "the file is empty")
	case bytes.HasPrefix(in, []byte("PK\x03\x04")), bytes.HasPrefix(in, []byte("\x1f\x8b")), bytes.HasPrefix(in, []byte("7z\xbc\xaf")), bytes.HasPrefix(in, []byte("Rar!")):
		return refuse(Readable, wanted, "the file is an archive; unpack it first")
	case in[0] == 0x30:
		if _, err := x509.ParseCertificate(in); err == nil {
			return refuse(Readable, "convert it: openssl x509 -inform der -in FILE -out certificate.pem", "the certificate is in binary form (DER), not in PEM form")
		}
		return refuse(Readable, "convert it: openssl pkcs12 -in FILE -nodes -out both.pem, or openssl pkey -inform der", "the file is in binary form (PKCS #12 or DER), not in PEM form")
	}
	return refuse(Readable, wanted, "the file holds nothing in PEM form: no line begins with -----BEGIN")
}
