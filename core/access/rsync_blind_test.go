package access

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/access/words"
	"github.com/latchstring/latchstring/core/record"
)

// REQ A12: where an engineer may put files and not take any, rsync tells nothing
// of those that are here: no sums of their blocks, and no copy, link or backup at
// a place of his.
func TestRsyncUploadsBlind(t *testing.T) {
	const noDownload = "engineer {\n download = false\n}"
	matched := regexp.MustCompile(`Matched data: ([\d,]+) bytes`)
	for name, c := range map[string]struct {
		policy  string
		options []string
		refused bool
		reads   bool // block sums were sent
	}{
		"all allowed":                 {options: []string{"--no-whole-file"}, reads: true},
		"plain":                       {policy: noDownload, options: []string{"-az"}},
		"delta wanted":                {policy: noDownload, options: []string{"-a", "--no-whole-file"}},
		"in place":                    {policy: noDownload, options: []string{"-a", "--inplace", "--no-whole-file"}},
		"not to be talked out of it":  {policy: noDownload, options: []string{"-a", "-M--no-whole-file"}, refused: true},
		"by its short name":           {policy: noDownload, options: []string{"-a", "-M--no-W"}, refused: true},
		"sums of whole files":         {policy: noDownload, options: []string{"-ac"}, refused: true},
		"hard links":                  {policy: noDownload, options: []string{"-aH"}, refused: true},
		"similar names":               {policy: noDownload, options: []string{"-ay"}, refused: true},
		"a copy of another":           {policy: noDownload, options: []string{"-a", "--copy-dest=/etc"}, refused: true},
		"a link to another":           {policy: noDownload, options: []string{"-a", "--link-dest=/etc"}, refused: true},
		"a backup elsewhere":          {policy: noDownload, options: []string{"-ab", "--backup-dir=/tmp"}, refused: true},
		"going on with a part":        {policy: noDownload, options: []string{"-a", "--append-verify"}, refused: true},
		"extended attributes":         {policy: noDownload, options: []string{"-aX"}, refused: true},
		"deleting, by rules of files": {policy: noDownload, options: []string{"-a", "--delete", "-F"}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tunes []tune
			if c.policy != "" {
				tunes = append(tunes, withPolicy(t, c.policy))
			}
			s, dir := newSite(t, tunes...), temp(t)
			there := filepath.Join(dir, "there")
			if err := os.Mkdir(there, 0o755); err != nil {
				t.Fatal(err)
			}
			want := big(t, filepath.Join(dir, "f"))
			b, err := os.ReadFile(filepath.Join(dir, "f"))
			if err != nil {
				t.Fatal(err)
			}
			old := append([]byte("another beginning"), b...)
			if err := os.WriteFile(filepath.Join(there, "f"), old, 0o644); err != nil {
				t.Fatal(err)
			}
			out, errs, code := finish(t, s.rsync(append(c.options, "--stats", filepath.Join(dir, "f"), "sa:"+there+"/")...))
			if c.refused {
				now, _ := os.ReadFile(filepath.Join(there, "f"))
				if code == 0 || !strings.Contains(errs, "can read files of this machine") || len(s.log.kinds(record.Refused)) != 1 || string(now) != string(old) {
					t.Errorf("exit %d: %s", code, errs)
				}
				return
			}
			if code != 0 || sumFile(t, filepath.Join(there, "f")) != want {
				t.Fatalf("exit %d: %s", code, errs)
			}
			m := matched.FindStringSubmatch(out)
			if m == nil || (m[1] != "0") != c.reads {
				t.Errorf("what was there was used: %v\n%s", m, out)
			}
		})
	}
}

// A list of files on this machine would be sent to the client as it is.
func TestRsyncListOfFiles(t *testing.T) {
	for list, ok := range map[string]bool{"-": true, "/etc/shadow": false, "": false, "./-": false} {
		line := fmt.Sprintf("rsync --server -logDtpre.iLsfxCIvu --files-from=%s --from0 . /x", list)
		args, _ := words.Split(line)
		c, parsed := parseRsync(args)
		if !parsed || (c.check() == nil) != ok {
			t.Errorf("%s: %v, %v", line, parsed, c.check())
		}
	}
}
