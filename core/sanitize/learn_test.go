package sanitize

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"
)

// The order of files, and of members, does not matter once all are learned.
func TestLearnFirst(t *testing.T) {
	s := keyed(t)
	const early, late = "login with Xk9qLm2vBz7 failed\n", "db_password = Xk9qLm2vBz7\n"
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, m := range [][2]string{{"a.log", early}, {"z.conf", late}} {
		if err := w.WriteHeader(&tar.Header{Name: m[0], Size: int64(len(m[1])), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, m[1])
	}
	w.Close()
	in := File{Name: "a.tar"}
	if err := s.Learn(t.Context(), bytes.NewReader(archive.Bytes()), in); err != nil {
		t.Fatal(err)
	}
	if r := s.Report(); len(r.Files) != 0 || len(r.Rules) != 0 {
		t.Errorf("learning is counted: %+v", r)
	}
	var out bytes.Buffer
	if _, err := s.Copy(t.Context(), &out, &archive, in); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "Xk9q") {
		t.Error("the first member shows what the last one gave away")
	}
	if hits, err := s.Check(t.Context(), &out, in); err != nil || len(hits) > 0 {
		t.Errorf("the gate finds %v, %v", hits, err)
	}
	if err := s.Learn(t.Context(), strings.NewReader("\x1f\x8b\x08 broken"), File{Name: "x.gz"}); err != nil {
		t.Errorf("what will be left out is no error: %v", err)
	}
}

// Names of a program are no secrets: neither hidden nor looked for elsewhere,
// and the gate finds nothing in a tree of programs and settings.
func TestProgramsTeachNothing(t *testing.T) {
	files := map[string]string{
		"provision.py": "#!/usr/bin/python3\nclass Token:\n    \"\"\"A thing with\n    several words.\n    \"\"\"\ndef provision(adminpass=None, krbtgtpass=None):\n    \"\"\":param adminpass: the one for root\"\"\"\n    if adminpass is None:\n        adminpass = samba.generate_random_password(12, 32)\n    password = adminpass\n    secret = res[0][\"secret\"]\n    names.token = res[0][\n        'x']\n    bindpw = 'Wq8!zimbabwe'\n",
		"other.py":     "res[0][\"x\"] = adminpass\nsetup(adminpass=adminpass)\nlogin('Wq8!zimbabwe')\nalphabet = 'abcdefghijklmnopqrstuvwxyz'\n",
		"app.conf":     "adminpass_file = /etc/x\npassword = abcdefghij\n",
		"list":         "Conffiles:\n /etc/cron.daily/apt-compat 1400ab07a4a2905b04c33e3e93d42b7b\n /etc/cron.daily/logrotate a45a4dd9a2a4f3d2a5b1c0f8a3d1f7c2\n",
	}
	s := keyed(t)
	for name, text := range files {
		if err := s.Learn(t.Context(), strings.NewReader(text), File{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		out, _ := copyFile(t, s, File{Name: name, Learn: true}, []byte(text))
		if hits, err := s.Check(t.Context(), bytes.NewReader(out), File{Name: name}); err != nil || len(hits) > 0 {
			t.Errorf("the gate finds %v, %v in %s:\n%s", hits, err, name, out)
		}
		want := text
		switch name {
		case "provision.py", "other.py":
			if bytes.Contains(out, []byte("zimbabwe")) {
				t.Errorf("%s shows the string:\n%s", name, out)
			}
			want = strings.ReplaceAll(text, "Wq8!zimbabwe", string(between(out, "'REDACTED", "'")))
		case "app.conf":
			continue
		}
		if string(out) != want {
			t.Errorf("%s is not what it was:\n%s", name, out)
		}
	}
}

// between is what stands from one text, without its first byte, to the next.
func between(b []byte, from, to string) []byte {
	_, b, _ = bytes.Cut(b, []byte(from))
	b, _, _ = bytes.Cut(b, []byte(to))
	return append([]byte(from[1:]), b...)
}

// The report names what was left out of an archive once: from the archive on.
func TestOmittedMemberIsNamedOnce(t *testing.T) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	elf := append([]byte("\x7fELF\x02\x01\x01"), bytes.Repeat([]byte{0, 1, 2, 0xff, 0xfe}, 200)...)
	if err := w.WriteHeader(&tar.Header{Name: "bin/x", Size: int64(len(elf)), Mode: 0o755}); err != nil {
		t.Fatal(err)
	}
	w.Write(elf)
	w.Close()
	s := plain(t)
	copyFile(t, s, File{Name: "opt/a.tar"}, archive.Bytes())
	var omitted []string
	for _, f := range s.Report().Files {
		if f.Omitted != "" {
			omitted = append(omitted, f.Name)
		}
	}
	if len(omitted) != 1 || omitted[0] != "opt/a.tar/bin/x" {
		t.Errorf("left out: %q, want opt/a.tar/bin/x", omitted)
	}
}
