package pseudonym

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func openBook(t testing.TB, path string) *Book {
	t.Helper()
	b, err := OpenBook(path, &testKey)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReveal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names")
	book := openBook(t, path)
	m := mapper(t, Options{Record: book.Record})
	host := string(m.AppendHost(nil, []byte("Web-17.corp.acme.com")))
	mail := string(m.AppendEmail(nil, []byte("jdoe@web-17")))
	six, _ := m.AppendIPv6(nil, []byte("2001:db8::7"))
	mac, _ := m.AppendMAC(nil, []byte("52:54:00:ab:cd:ef"))
	eui, _ := m.AppendMAC(nil, []byte("52:54:00:12:34:ab:cd:ef"))
	if err := book.Flush(); err != nil {
		t.Fatal(err)
	}
	later := openBook(t, path)
	for token, want := range map[string]string{
		host:                  "web-17.corp.acme.com",
		mail:                  "jdoe@web-17",
		strings.ToUpper(host): "web-17.corp.acme.COM",
		string(m.AppendIPv4(nil, v4("10.1.2.3"))):           "10.1.2.3",
		string(m.AppendIPv4Prefix(nil, v4("10.1.2.0"), 24)): "10.1.2.0/24",
		string(m.AppendIPv4Prefix(nil, v4("8.8.0.0"), 16)):  "8.8.0.0/16",
		string(six): "2001:db8::7",
		string(mac): "52:54:00:ab:cd:ef",
		string(eui): "52:54:00:12:34:ab:cd:ef",
	} {
		got, err := m.Reveal(token, later)
		if err != nil || got != want {
			t.Errorf("%s reveals %q, %v; want %q", token, got, err, want)
		}
	}
	for _, bad := range []string{"", "h-aaaaaaaa", "nothing", "web-17.corp"} {
		if got, err := m.Reveal(bad, later); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q reveals %q, %v", bad, got, err)
		}
	}
	if _, err := m.Reveal(host, nil); !errors.Is(err, ErrUnknown) {
		t.Errorf("without a book: %v", err)
	}
}

func TestBookIsSealed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names")
	b := openBook(t, path)
	b.Record("h-aaaaaaaa", "hostname-of-the-customer")
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("hostname")) || bytes.Contains(data, []byte("h-aaaa")) {
		t.Error("the file shows names")
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
	if _, err := OpenBook(path, &[KeySize]byte{9}); err == nil || !strings.Contains(err.Error(), "another key") {
		t.Errorf("another key: %v", err)
	}
	if s := fmt.Sprintf("%v %+v", b, b); strings.Contains(s, "hostname") {
		t.Errorf("prints %s", s)
	}
	// One flipped bit anywhere behind the header is noticed.
	for _, at := range []int{len(bookMagic) + 4, len(data) - 1} {
		bad := bytes.Clone(data)
		bad[at] ^= 1
		os.WriteFile(path, bad, 0o600)
		if _, err := OpenBook(path, &testKey); err == nil {
			t.Errorf("byte %d flipped: no error", at)
		}
	}
	os.Chmod(path, 0o644)
	if _, err := OpenBook(path, &testKey); err == nil || !strings.Contains(err.Error(), "0600") {
		t.Errorf("a readable book: %v", err)
	}
}

func TestBookRefusesOthers(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "real")
	os.WriteFile(real, []byte("something else, longer than the header of a book"), 0o600)
	if _, err := OpenBook(real, &testKey); err == nil {
		t.Error("a foreign file is taken")
	}
	link := filepath.Join(dir, "link")
	os.Symlink(filepath.Join(dir, "elsewhere"), link)
	if _, err := OpenBook(link, &testKey); err == nil {
		t.Error("a symbolic link is followed")
	}
	if _, err := OpenBook(filepath.Join(dir, "no", "dir"), &testKey); err == nil {
		t.Error("no directory, no error")
	}
	if _, err := OpenBook(dir+"/x", nil); err == nil {
		t.Error("no key, no error")
	}
}

// A record that was torn by a crash is cut off; the ones before it stay.
func TestBookTorn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names")
	b := openBook(t, path)
	b.Record("h-one", "one")
	b.Flush()
	whole, _ := os.ReadFile(path)
	b.Record("h-two", "two")
	b.Flush()
	both, _ := os.ReadFile(path)
	for cut := len(whole); cut < len(both); cut++ {
		os.WriteFile(path, both[:cut], 0o600)
		again := openBook(t, path)
		again.Record("h-three", "three")
		if err := again.Flush(); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		fresh := openBook(t, path)
		one, ok1 := fresh.Lookup("h-one")
		three, ok3 := fresh.Lookup("h-three")
		if _, ok2 := fresh.Lookup("h-two"); !ok1 || !ok3 || ok2 || one != "one" || three != "three" {
			t.Fatalf("cut at %d: %v %v %v", cut, ok1, ok2, ok3)
		}
	}
	for cut := range len(bookMagic) {
		os.WriteFile(path, both[:cut], 0o600)
		if _, err := OpenBook(path, &testKey); err != nil {
			t.Errorf("cut in the header at %d: %v", cut, err)
		}
	}
}

// Several books on one file, as several processes have them.
func TestBookShared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names")
	const writers, names = 4, 300
	var wg sync.WaitGroup
	for w := range writers {
		b := openBook(t, path)
		wg.Go(func() {
			for i := range names {
				b.Record(fmt.Sprintf("h-%d-%d", w, i), fmt.Sprintf("host %d %d", w, i))
				b.Record("h-same", "same")
				if i%50 == 0 {
					if err := b.Flush(); err != nil {
						t.Error(err)
					}
				}
			}
			if err := b.Flush(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	b := openBook(t, path)
	for w := range writers {
		for i := range names {
			if got, ok := b.Lookup(fmt.Sprintf("h-%d-%d", w, i)); !ok || got != fmt.Sprintf("host %d %d", w, i) {
				t.Fatalf("%d %d: %q", w, i, got)
			}
		}
	}
	before, _ := os.Stat(path)
	b.Record("h-same", "same")
	b.Flush()
	if after, _ := os.Stat(path); after.Size() != before.Size() {
		t.Error("a known name was written again")
	}
}

func TestBookLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names")
	b := openBook(t, path)
	long := strings.Repeat("x", 60000)
	for i := range 40 {
		b.Record(fmt.Sprintf("h-%d", i), long+fmt.Sprint(i))
	}
	b.Record("h-toolong", strings.Repeat("x", 70000))
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, ok := openBook(t, path).Lookup("h-39"); !ok || got != long+"39" {
		t.Error("lost")
	}
}

func TestBookKeepsErrorForFlush(t *testing.T) {
	dir := t.TempDir()
	b := openBook(t, filepath.Join(dir, "names"))
	b.Record("h-a", "a")
	os.Chmod(filepath.Join(dir, "names"), 0o666)
	if err := b.Flush(); err == nil {
		t.Error("no error")
	}
	os.Chmod(filepath.Join(dir, "names"), 0o600)
	if err := b.Flush(); err != nil {
		t.Errorf("the names were not kept for another try: %v", err)
	}
	if _, ok := b.Lookup("h-a"); !ok {
		t.Error("lost")
	}
}

func FuzzEntries(f *testing.F) {
	f.Add(appendEntry(appendEntry(nil, "h-a", "one"), "u-b", "two"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var again []byte
		if eachEntry(data, func(token, name string) { again = appendEntry(again, token, name) }) && !bytes.Equal(data, again) {
			t.Fatalf("%x came back as %x", data, again)
		}
	})
}
