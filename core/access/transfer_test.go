package access

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/testdata/until"
)

// big is a file of 10 MB and its hash.
func big(t *testing.T, path string) string {
	t.Helper()
	b := make([]byte, 10_000_000)
	rand.Read(b)
	if err := os.WriteFile(path, b, 0o640); err != nil {
		t.Fatal(err)
	}
	return sum(b)
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func sumFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sum(b)
}

// temp is a directory without links in its path.
func temp(t testing.TB) string {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func (s *site) rsync(args ...string) *exec.Cmd {
	path, err := exec.LookPath("rsync")
	if err != nil {
		s.t.Skip("rsync is not installed (Debian: rsync)")
	}
	return exec.CommandContext(s.t.Context(), path, append([]string{"-e", "ssh -F " + filepath.Join(s.dir, "config")}, args...)...)
}

// REQ E1: stock clients move 10 MB either way; the hashes are equal, in the
// ledger and in the audit log, and the recording does not hold the bytes.
func TestStockClientsMoveFiles(t *testing.T) {
	for name, move := range map[string]func(s *site, from, to string) *exec.Cmd{
		"scp":    func(s *site, from, to string) *exec.Cmd { return s.tool("scp", "-q", from, to) },
		"scp -O": func(s *site, from, to string) *exec.Cmd { return s.tool("scp", "-q", "-O", from, to) },
		"scp -p": func(s *site, from, to string) *exec.Cmd { return s.tool("scp", "-q", "-O", "-p", from, to) },
		"sftp": func(s *site, from, to string) *exec.Cmd {
			line := fmt.Sprintf("put %s %s\n", from, strings.TrimPrefix(to, "sa:"))
			if strings.HasPrefix(from, "sa:") {
				line = fmt.Sprintf("get %s %s\n", strings.TrimPrefix(from, "sa:"), to)
			}
			cmd := s.tool("sftp", "-q", "-b", "-", "sa")
			cmd.Stdin = strings.NewReader(line)
			return cmd
		},
		"rsync": func(s *site, from, to string) *exec.Cmd { return s.rsync("-az", from, to) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dir := newSite(t), temp(t)
			want := big(t, dir+"/src")
			if _, errs, code := finish(t, move(s, dir+"/src", "sa:"+dir+"/there")); code != 0 {
				t.Fatalf("up: exit %d: %s", code, errs)
			}
			if _, errs, code := finish(t, move(s, "sa:"+dir+"/there", dir+"/back")); code != 0 {
				t.Fatalf("down: exit %d: %s", code, errs)
			}
			if got := sumFile(t, dir+"/back"); got != want {
				t.Error("the file is another one")
			}
			var files []record.Note
			until.True(t, "two files are in the ledger", func() bool { files = s.log.kinds(record.File); return len(files) == 2 })
			for i, direction := range []string{record.Upload, record.Download} {
				if f := files[i]; f.Path != dir+"/there" || f.Direction != direction || f.Size != 10_000_000 || f.SHA256 != want {
					t.Errorf("%s: %+v", direction, f)
				}
			}
			audited := 0
			for _, e := range s.log.typed(audit.AccessFile) {
				if e.Detail["sha256"] == want && e.Detail["path"] == dir+"/there" {
					audited++
				}
			}
			if audited != 2 {
				t.Errorf("audit: %+v", s.log.typed(audit.AccessFile))
			}
			if n := len(s.log.all()); n > 1000 {
				t.Errorf("%d bytes of output were recorded", n)
			}
		})
	}
}

// Trees, names that are strange, and modes and times.
func TestStockClientsMoveTrees(t *testing.T) {
	for name, move := range map[string]func(s *site, from, to string) *exec.Cmd{
		"scp":    func(s *site, from, to string) *exec.Cmd { return s.tool("scp", "-q", "-r", "-p", from, to) },
		"scp -O": func(s *site, from, to string) *exec.Cmd { return s.tool("scp", "-q", "-O", "-r", "-p", from, to) },
		"rsync":  func(s *site, from, to string) *exec.Cmd { return s.rsync("-a", from, to) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dir := newSite(t), temp(t)
			names := []string{"a", "b c", "sub/deep/er", "empty", "$HOME;id", "ü*?"}
			for i, n := range names {
				p := filepath.Join(dir, "src", n)
				os.MkdirAll(filepath.Dir(p), 0o755)
				if err := os.WriteFile(p, bytes.Repeat([]byte{'x'}, i*1000), 0o640); err != nil {
					t.Fatal(err)
				}
			}
			os.Truncate(filepath.Join(dir, "src/empty"), 0)
			for _, step := range [][2]string{{dir + "/src", "sa:" + dir + "/there"}, {"sa:" + dir + "/there", dir + "/back"}} {
				if _, errs, code := finish(t, move(s, step[0], step[1])); code != 0 {
					t.Fatalf("%v: exit %d: %s", step, code, errs)
				}
			}
			out, err := exec.Command("diff", "-r", dir+"/src", dir+"/back").CombinedOutput()
			if err != nil && name != "rsync" {
				t.Errorf("%s", out)
			}
			if name == "rsync" { // which copies the directory into the new one
				if out, err := exec.Command("diff", "-r", dir+"/src", dir+"/back/there/src").CombinedOutput(); err != nil {
					t.Errorf("%s", out)
				}
			}
			until.True(t, "all files are in the ledger", func() bool { return len(s.log.kinds(record.File)) == 2*len(names) })
			for _, f := range s.log.kinds(record.File) {
				if f.SHA256 == "" || !strings.HasPrefix(f.Path, dir+"/there") {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

// With transfers forbidden, or only some paths allowed, each way obeys and says
// which line of policy it was (REQ A12, G11).
func TestTransfersObeyPolicy(t *testing.T) {
	dir := temp(t)
	want := big(t, dir+"/src")
	os.MkdirAll(dir+"/open", 0o755)
	big(t, dir+"/open/f")
	os.Symlink(dir+"/src", dir+"/open/link")
	for _, c := range []struct {
		name, policy string
		up, down     bool // allowed in dir/open
		rsync        bool
	}{
		{"nothing", "engineer {\n upload = false\n download = false\n}", false, false, false},
		{"download only", "engineer {\n upload = false\n}", false, true, true},
		{"paths", fmt.Sprintf("engineer {\n upload_paths = [%q]\n download_paths = [%q]\n}", dir+"/open/**", dir+"/open/**"), true, true, false},
		{"commands", "engineer {\n commands = [\"df -h\"]\n}", false, false, false},
		{"sftp listed", "engineer {\n commands = [\"sftp\"]\n}", true, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, mine := newSite(t, withPolicy(t, c.policy)), temp(t)
			try := func(what string, allowed bool, cmd *exec.Cmd) {
				t.Helper()
				refusals := len(s.log.kinds(record.Refused))
				_, errs, code := finish(t, cmd)
				if allowed != (code == 0) {
					t.Errorf("%s: exit %d: %s", what, code, errs)
				}
				if !allowed && (!strings.Contains(errs, "refused by policy") || !strings.Contains(errs, "test.hcl:") || len(s.log.kinds(record.Refused)) == refusals) {
					t.Errorf("%s: refused without the rule or a note: %q", what, errs)
				}
			}
			listed := c.name == "sftp listed" // but not scp and rsync
			try("scp up", c.up, s.tool("scp", "-q", dir+"/src", "sa:"+dir+"/open/new-"+strings.ReplaceAll(c.name, " ", "")))
			try("scp down", c.down, s.tool("scp", "-q", "sa:"+dir+"/open/f", mine+"/f"))
			try("scp -O up", c.up && !listed, s.tool("scp", "-q", "-O", dir+"/src", "sa:"+dir+"/open/old-"+strings.ReplaceAll(c.name, " ", "")))
			try("scp -O down", c.down && !listed, s.tool("scp", "-q", "-O", "sa:"+dir+"/open/f", mine+"/g"))
			try("rsync down", c.rsync, s.rsync("-a", "sa:"+dir+"/open/f", mine+"/h"))
			if c.name == "paths" {
				try("outside", false, s.tool("scp", "-q", "sa:"+dir+"/src", mine+"/x"))
				try("by a link", false, s.tool("scp", "-q", "sa:"+dir+"/open/link", mine+"/x"))
				try("by a link, old", false, s.tool("scp", "-q", "-O", "sa:"+dir+"/open/link", mine+"/x"))
				try("by dots", false, s.tool("scp", "-q", "-O", "sa:"+dir+"/open/../src", mine+"/x"))
				try("upload outside", false, s.tool("scp", "-q", "-O", dir+"/src", "sa:"+dir+"/outside"))
				try("upload by a link", false, s.tool("scp", "-q", dir+"/src", "sa:"+dir+"/open/link"))
			}
			if e := s.log.typed(audit.AccessRefused); len(e) != len(s.log.kinds(record.Refused)) {
				t.Errorf("%d refusals in the audit log, %d in the recording", len(e), len(s.log.kinds(record.Refused)))
			}
		})
	}
	t.Cleanup(func() {
		if sumFile(t, dir+"/src") != want {
			t.Error("the file outside was changed")
		}
	})
}

// A transfer with something else on its line is not run.
func TestTransferWithMore(t *testing.T) {
	s, dir := newSite(t), temp(t)
	for _, line := range []string{"scp -t " + dir + "; touch " + dir + "/ran", "scp -t $(touch " + dir + "/ran)", "touch " + dir + "/ran; scp -f /etc/passwd",
		"rsync --server --sender -e.iLsfxCIvu . /etc/passwd; touch " + dir + "/ran", "rsync --server --log-file=" + dir + "/ran -e.L . " + dir,
		"rsync --server -s -e.L . " + dir, "rsync --server -e . " + dir, "rsync --server --daemon . " + dir} {
		_, errs, code := s.ssh("sa", line)
		if code != statusRefused || !strings.Contains(errs, "latchstring: ") {
			t.Errorf("%s: exit %d, %q", line, code, errs)
		}
	}
	if _, err := os.Stat(dir + "/ran"); err == nil {
		t.Error("it was run")
	}
}

// What changes files other than by their content is written down.
func TestSftpChangesAreNoted(t *testing.T) {
	s, dir := newSite(t), temp(t)
	os.WriteFile(dir+"/f", []byte("x"), 0o644)
	cmd := s.tool("sftp", "-q", "-b", "-", "sa")
	cmd.Stdin = strings.NewReader(fmt.Sprintf("mkdir %[1]s/d\nrename %[1]s/f %[1]s/d/g\nchmod 600 %[1]s/d/g\nln -s g %[1]s/d/l\nls -l %[1]s/d\ndf %[1]s\nrm %[1]s/d/l\n", dir))
	out, errs, code := finish(t, cmd)
	if code != 0 || !strings.Contains(out, "g") {
		t.Fatalf("exit %d: %s %s", code, out, errs)
	}
	var did []string
	for _, n := range s.log.kinds(record.Command)[1:] {
		did = append(did, strings.Fields(n.Command)[1])
	}
	if got := strings.Join(did, " "); got != "mkdir rename set symlink remove" {
		t.Errorf("noted: %s", got)
	}
}
