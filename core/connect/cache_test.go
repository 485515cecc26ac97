package connect

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "enrolments")
	c, err := OpenCache(dir)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	e := Enrolment{Version: 1, System: "sys-0123456789abcdef", Name: "array-7", Session: "ses-1", ID: "enr-1", Key: []byte("0123456789"), HostKey: "ssh-ed25519 AAAA", Expires: now.Add(time.Hour), Made: now}
	if got, err := c.Get(e.System, now); got != nil || err != nil {
		t.Fatalf("Get of nothing = %v, %v", got, err)
	}
	if err := c.Put(e); err != nil {
		t.Fatal(err)
	}
	got, err := c.Get(e.System, now)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&e, got); diff != "" {
		t.Error(diff)
	}
	path := filepath.Join(dir, e.System+".enrolment")
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode of the file: %v, %v", fi.Mode(), err)
	}
	if list, err := c.List(now); err != nil || len(list) != 1 {
		t.Errorf("List = %v, %v", list, err)
	}

	// Another process has a newer one: a refusal of the old does not remove it.
	if err := c.removeIf(e.System, "enr-0"); err != nil {
		t.Fatal(err)
	}
	if got, _ := c.Get(e.System, now); got == nil {
		t.Error("an enrolment that was not refused is gone")
	}
	if got, err := c.Get(e.System, now.Add(time.Hour)); got != nil || err != nil {
		t.Errorf("an expired enrolment was returned: %v, %v", got, err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("an expired enrolment was kept: %v", err)
	}
}

// A file of no use is as good as none; the secret is asked again.
func TestCacheOfNonsense(t *testing.T) {
	c, err := OpenCache(t.TempDir() + "/e")
	if err != nil {
		t.Fatal(err)
	}
	path, _ := c.path("sys-0123456789abcdef")
	for _, text := range []string{"", "{", `{"v":2,"system":"sys-0123456789abcdef"}`, `{"v":1,"system":"sys-1123456789abcdef"}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Get("sys-0123456789abcdef", time.Now()); got != nil || err != nil {
			t.Errorf("Get of %q = %v, %v", text, got, err)
		}
	}
	for _, id := range []string{"", "../../etc/passwd", "array-7"} {
		if _, err := c.Get(id, time.Now()); err == nil {
			t.Errorf("Get(%q) looked", id)
		}
	}
}

func TestCacheOfOthers(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCache(dir); err == nil {
		t.Error("a directory that others can read was accepted")
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCache(link); err == nil {
		t.Error("a symbolic link was accepted")
	}
}
