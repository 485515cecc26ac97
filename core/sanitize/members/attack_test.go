package members_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/latchstring/latchstring/core/sanitize"
)

const (
	password = `Xk9#qLm2vB/7"e`
	token    = "ghp_R4nd0mT0kenV4lueForTests0123456789AB"
)

func engine(t testing.TB) *sanitize.Sanitizer {
	t.Helper()
	s, err := sanitize.New(sanitize.Options{Key: &sanitize.Key{1}, Names: sanitize.Names{Hosts: []string{"web-17"}, Users: []string{"jdoe"}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func run(t testing.TB, s *sanitize.Sanitizer, name string, in []byte, learn bool) (string, sanitize.Result) {
	t.Helper()
	var out bytes.Buffer
	res, err := s.Copy(context.Background(), &out, bytes.NewReader(in), sanitize.File{Name: name, Learn: learn})
	if err != nil {
		t.Fatal(err)
	}
	if res.Omitted != "" {
		return "", res
	}
	return out.String(), res
}

func gz(b []byte) []byte {
	var o bytes.Buffer
	w := gzip.NewWriter(&o)
	w.Write(b)
	w.Close()
	return o.Bytes()
}

func tarball(files ...string) []byte {
	var o bytes.Buffer
	w := tar.NewWriter(&o)
	for i := 0; i < len(files); i += 2 {
		w.WriteHeader(&tar.Header{Name: files[i], Size: int64(len(files[i+1])), Mode: 0o600, Uname: "jdoe"})
		io.WriteString(w, files[i+1])
	}
	w.Close()
	return o.Bytes()
}

func zipped(files ...string) []byte {
	var o bytes.Buffer
	w := zip.NewWriter(&o)
	for i := 0; i < len(files); i += 2 {
		f, _ := w.Create(files[i])
		io.WriteString(f, files[i+1])
	}
	w.Close()
	return o.Bytes()
}

// open undoes all containers, so that what an engineer could read is seen.
func open(b []byte) string {
	var all strings.Builder
	all.Write(b)
	if r, err := gzip.NewReader(bytes.NewReader(b)); err == nil {
		if in, err := io.ReadAll(r); err == nil {
			all.WriteString(open(in))
		}
	}
	if r, err := zip.NewReader(bytes.NewReader(b), int64(len(b))); err == nil {
		for _, f := range r.File {
			all.WriteString(f.Name)
			if rc, err := f.Open(); err == nil {
				in, _ := io.ReadAll(rc)
				all.WriteString(open(in))
			}
		}
	}
	r := tar.NewReader(bytes.NewReader(b))
	for {
		h, err := r.Next()
		if err != nil {
			break
		}
		fmt.Fprint(&all, h.Name, h.Linkname, h.Uname, h.PAXRecords)
		in, _ := io.ReadAll(r)
		all.WriteString(open(in))
	}
	return all.String()
}

func wide(s string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// A secret that configuration has given away is found in every wrapping.
func TestKnownSecretInEveryWrapping(t *testing.T) {
	s := engine(t)
	run(t, s, "etc/app.conf", []byte("db_password = "+password+"\n"), true)
	js, _ := json.Marshal(password)
	jsjs, _ := json.Marshal(string(js))
	b64 := base64.StdEncoding.EncodeToString
	filler := strings.Repeat("2024-01-01 12:00:00 INFO nothing happened here\n", 6000)
	cases := map[string][]byte{
		"raw":            []byte("x " + password + " y\n"),
		"json":           js,
		"json in json":   jsjs,
		"query":          []byte("GET /?x=" + url.QueryEscape(password) + "\n"),
		"base64":         []byte("blob " + b64([]byte(password)) + "\n"),
		"base64 shifted": []byte("blob " + b64([]byte("uu:"+password+"!")) + "\n"),
		"base64 1":       []byte("blob " + b64([]byte("u"+password)) + "\n"),
		"hex":            []byte(hex.EncodeToString([]byte(password)) + "\n"),
		"utf-16":         wide("log line " + password + " end\r\n"),
		"gzip":           gz([]byte("x " + password + "\n")),
		"gzip in tar":    tarball("a.gz", string(gz([]byte("x "+password)))),
		"tgz in zip":     zipped("a.tgz", string(gz(tarball("x/y", "value "+password+"\n")))),
		"zip in tar":     tarball("a.zip", string(zipped("n", "x "+password))),
		"twice gzip":     gz(gz([]byte("x " + password))),
		"utf-16 in zip":  zipped("w.txt", string(wide("x "+password+"\r\n"))),
		"far in":         []byte(filler + "x " + password + "\n" + filler),
		"long line":      []byte(strings.Repeat("a b c ", 100000) + password + strings.Repeat(" d e f", 100000)),
		"no newline":     []byte(password),
		"twice in a row": []byte(password + password + password + "\n"),
		"ansi around":    []byte("\x1b[31m" + password + "\x1b[0m\n"),
		"in a tar name":  tarball("log-"+strings.ReplaceAll(password, "/", "_")+".txt", "x"),
	}
	for name, in := range cases {
		out, res := run(t, s, "var/log/"+strings.ReplaceAll(name, " ", "-"), in, false)
		seen := open([]byte(out))
		for _, form := range []string{password, string(js[1 : len(js)-1]), url.QueryEscape(password), b64([]byte(password)), hex.EncodeToString([]byte(password)), string(wide(password)[2:])} {
			if strings.Contains(seen, form) {
				t.Errorf("%s: still there as %q (omitted: %q)", name, form, res.Omitted)
			}
		}
	}
}

// At every offset around the edges of buffers.
func TestKnownSecretAtChunkEdges(t *testing.T) {
	s := engine(t)
	run(t, s, "etc/app.conf", []byte("db_password = "+password+"\n"), true)
	for _, size := range []int{8 << 10, 64 << 10, 256 << 10} {
		for d := -40; d <= 40; d += 3 {
			for _, sep := range []string{"\n", " ", "x"} {
				unit := "0123456789 abcdef" + sep
				in := strings.Repeat(unit, size/len(unit)+10)[:size+d] + " " + password + " tail\n"
				if out, _ := run(t, s, "var/log/x.log", []byte(in), false); strings.Contains(out, password) || len(out) < size-50 {
					t.Fatalf("size %d%+d, separator %q", size, d, sep)
				}
			}
		}
	}
}

func TestTokensInContainers(t *testing.T) {
	s := engine(t)
	line := "Authorization: Bearer " + token + "\npassword: " + password + "\n"
	for name, in := range map[string][]byte{
		"a.gz": gz([]byte(line)), "b.tar": tarball("x", line), "c.zip": zipped("x", line), "d.tgz": gz(tarball("x", line)),
		"e.gz": gz(gz(gz([]byte(line)))), "f.txt": []byte("data " + base64.StdEncoding.EncodeToString([]byte(line)) + "\n"),
		"g.txt":  []byte("data " + base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(line)))) + "\n"),
		"h.txt":  []byte("data " + base64.StdEncoding.EncodeToString(gz([]byte(line))) + "\n"),
		"i.txt":  []byte("release: " + base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString(gz([]byte(line))))) + "\n"),
		"j.tar":  tarball("a/"+token, "x"),
		"k.txt":  []byte("see /tmp/" + token + "/file\n"),
		"m.txt":  []byte("powershell -enc " + base64.StdEncoding.EncodeToString(wide("$password = '" + password + "'")[2:]) + "\n"),
		"l.json": []byte(`{"files":{"x.gz":"` + base64.StdEncoding.EncodeToString(gz([]byte(line))) + `"}}`),
	} {
		out, res := run(t, s, name, in, false)
		seen := open([]byte(out))
		for range 3 { // what an engineer would decode
			for _, w := range strings.FieldsFunc(seen, func(r rune) bool { return strings.ContainsRune(" \n\":{}", r) }) {
				if b, err := base64.StdEncoding.DecodeString(w); err == nil && len(b) > 10 {
					seen += "\n" + open(b)
				}
			}
		}
		if strings.Contains(seen, token) || strings.Contains(seen, password) {
			t.Errorf("%s: still there (omitted: %q)", name, res.Omitted)
		}
	}
}

// What comes out passes the final gate, and goes through again unchanged but
// for addresses.
func TestGateOnContainers(t *testing.T) {
	s := engine(t)
	run(t, s, "etc/app.conf", []byte("db_password = "+password+"\n"), true)
	in := tarball("etc/web-17.conf", "password="+password+"\nhost=web-17\n", "log.gz", string(gz([]byte("jdoe "+password+" "+token+"\n"))))
	out, res := run(t, s, "a.tar", in, false)
	if res.Omitted != "" || res.Hidden < 3 {
		t.Fatalf("%+v", res)
	}
	hits, err := s.Check(context.Background(), strings.NewReader(out), sanitize.File{Name: "a.tar"})
	if err != nil || len(hits) != 0 {
		t.Errorf("gate on the result: %v, %v", hits, err)
	}
	if hits, err = s.Check(context.Background(), bytes.NewReader(in), sanitize.File{Name: "a.tar"}); err != nil || len(hits) == 0 {
		t.Errorf("gate on the original: %v, %v", hits, err)
	}
	again, _ := run(t, s, "a.tar", []byte(out), false)
	if again != out {
		t.Error("the second time changes something")
	}
	if seen := open([]byte(out)); strings.Contains(seen, "web-17") || strings.Contains(seen, "jdoe") {
		t.Errorf("names: %q", seen)
	}
}

// A value that is escaped where it is hidden is known without the escapes too.
func TestLearnsBehindEscapes(t *testing.T) {
	s := engine(t)
	run(t, s, "etc/a.json", []byte(`{"password": "Qm7\"zk\\W9x!p\u0026v"}`+"\n"), true)
	run(t, s, "etc/b.xml", []byte(`<c><password>Tr4&amp;hk&lt;P0z!m</password></c>`+"\n"), true)
	for _, plain := range []string{`Qm7"zk\W9x!p&v`, `Tr4&hk<P0z!m`} {
		if out, _ := run(t, s, "var/log/x.log", []byte("it was "+plain+" then\n"), false); strings.Contains(out, plain) {
			t.Errorf("%s: %s", plain, out)
		}
	}
}
