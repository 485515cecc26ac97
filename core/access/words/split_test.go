package words

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	for line, want := range map[string][]string{
		"scp -t /tmp/x":               {"scp", "-t", "/tmp/x"},
		`scp -f 'a b' "c d" e\ f`:     {"scp", "-f", "a b", "c d", "e f"},
		`scp -t ''`:                   {"scp", "-t", ""},
		`rsync --server . a\*b "q\""`: {"rsync", "--server", ".", "a*b", `q"`},
		"  a\t b ":                    {"a", "b"},
		"a=b c":                       {"a=b", "c"},
	} {
		words, ok := Split(line)
		var got []string
		for _, w := range words {
			got = append(got, w.Text)
		}
		if !ok || !cmp.Equal(got, want) {
			t.Errorf("%s: %q, %v", line, got, ok)
		}
	}
	for _, line := range []string{"", "  ", "scp -t x; bash", "scp -t x\nbash", "scp -t $(id)", "scp -t `id`", "scp -t x && bash", "scp -t x|bash", "scp -t x & bash",
		"scp -t > /etc/x", "scp -t ${HOME}", `scp -t "$HOME"`, "scp -t 'x", `scp -t "x`, `scp -t x\`, "scp -t {a,b}", "scp -t #x", "scp -t ~root/x", "a\x00b", "scp -t !x", "=ls"} {
		if w, ok := Split(line); ok {
			t.Errorf("%q was split: %+v", line, w)
		}
	}
	w, _ := Split(`scp -f ~/a*.log ~ 'b*' x\**`)
	if !w[2].Home || !w[2].Glob || w[2].Text != "a*.log" || !w[3].Home || w[3].Text != "" || w[4].Glob || w[4].Pattern != `b\*` || !w[5].Glob || w[5].Pattern != `x\**` {
		t.Errorf("%+v", w)
	}
}

func TestTransfer(t *testing.T) {
	for line, want := range map[string]bool{
		"scp -t /tmp/x; bash": true, "scp -t x": true, "true && scp -rf x": true, `s"c"p -t x`: true, "/usr/bin/scp -r -t -- x": true,
		"rsync --server . x; id": true, "exec /usr/lib/openssh/sftp-server": true, "/usr/lib/openssh/sftp-server -e": true, "(rsync  --server)": true,
		"man scp; ls -t": false, "ls -t scp": false, "rsync -a a b": false, "ps ax | grep sftp": false, "scp a b": false, "echo hello": false,
	} {
		if got := Transfer(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

// What is split means the same to a shell.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"scp -t x", `a 'b c' "d\"e" f\ g`, "~/x", "a=b", `'*'`, "#x", "[a]", "a'b'c\"d\""} {
		f.Add(s)
	}
	sh, err := exec.LookPath("dash")
	if err != nil {
		sh, err = exec.LookPath("sh")
	}
	f.Fuzz(func(t *testing.T, line string) {
		words, ok := Split(line)
		if !ok || err != nil {
			return
		}
		var mine strings.Builder
		for _, w := range words {
			if w.Home {
				mine.WriteString("/home")
				if w.Text != "" || strings.Contains(line, "~/") {
					return // how the two are joined is the caller's
				}
			}
			mine.WriteString(w.Text + "\n")
		}
		if strings.Contains(words[0].Text, "=") {
			return // an assignment; callers want a certain name as the first word
		}
		cmd := exec.Command(sh, "-fc", `printf '%s\n' `+line)
		cmd.Env = []string{"HOME=/home"}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if string(out) != mine.String() && !strings.HasPrefix(words[0].Text, "-") {
			t.Errorf("%q: the shell says %q, not %q", line, out, mine.String())
		}
	})
}
