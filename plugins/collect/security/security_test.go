package security

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/plugins/collect/internal/recorded"
	"github.com/latchstring/latchstring/plugins/collect/internal/sinktest"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/plugintest"
)

func TestConformance(t *testing.T) {
	plugintest.Collector(t, func() collect.Collector { return New() }, plugintest.Options{Commands: recorded.Commands(t, "testdata/commands.txtar")})
}

const hash = "$6$saltsalt$Zm9vYmFyYmF6"

func TestServer(t *testing.T) {
	c := &Collector{}
	s := recorded.New(t, recorded.Commands(t, "testdata/commands.txtar"), recorded.Lay(t, map[string]string{
		"/etc/passwd":         "root:x:0:0:root:/root:/bin/bash\ntoor:" + hash + ":0:0::/root:/bin/sh\nada:!:1000:1000:Ada,,,:/home/ada:/bin/bash\nopen::1001:1001::/:/bin/sh\n+::::::\nshort:x\n",
		"/etc/group":          "root:x:0:\nsudo:" + hash + ":27:ada\nadm:x:4:syslog,ada\n",
		"/etc/sudoers":        "root ALL=(ALL:ALL) ALL\n",
		"/etc/sudoers.d/ops":  "%ops ALL=(ALL) NOPASSWD: ALL\n",
		"/etc/shadow":         "root:" + hash + ":1::::::\n",
		"/var/log/wtmp":       "",
		"/etc/selinux/config": "SELINUX=enforcing\n",
	}), c.Needs())
	if err := c.Collect(t.Context(), collect.Request{}, s); err != nil {
		t.Fatal(err)
	}
	var got accounts
	if err := json.Unmarshal([]byte(s.Find("accounts.json").Text), &got); err != nil {
		t.Fatal(err)
	}
	logins := map[string]string{}
	for _, u := range got.Users {
		logins[u.Name] = u.Login
		if u.Name == "ada" && !slices.Equal(u.Groups, []string{"adm", "sudo"}) {
			t.Errorf("groups of ada: %q", u.Groups)
		}
	}
	for name, want := range map[string]string{"root": "shadow", "toor": "in passwd", "ada": "locked", "open": "open"} {
		if logins[name] != want {
			t.Errorf("login of %s: %q, want %q", name, logins[name], want)
		}
	}
	if !slices.Equal(got.Root, []string{"root", "toor"}) {
		t.Errorf("user id 0: %q", got.Root)
	}
	if g := s.Find("sudo/sudoers.d/ops"); !g.Config || !strings.Contains(g.Text, "NOPASSWD") {
		t.Errorf("%+v", g)
	}
	for name, g := range s.Items {
		if strings.Contains(g.Text, hash) || g.Failed != "" {
			t.Errorf("%s holds a hash, or failed: %q", name, g.Failed)
		}
	}
}

// sign makes a certificate that ends then, and its key.
func sign(t *testing.T, name string, end time.Time) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(255), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name, "*." + name}, NotBefore: end.Add(-time.Hour * 24 * 90), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// A file may hold its key beside the certificate: nothing of it comes along.
func TestCertificates(t *testing.T) {
	now := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	old, key := sign(t, "old.example.com", now.Add(-48*time.Hour))
	soon, _ := sign(t, "soon.example.com", now.Add(10*24*time.Hour))
	fine, _ := sign(t, "fine.example.com", now.Add(300*24*time.Hour))
	block, _ := pem.Decode(fine)
	dir := recorded.Lay(t, map[string]string{
		"haproxy.pem": string(key) + string(old) + string(key), "soon.crt": string(soon), "fine.der": string(block.Bytes),
		"privkey.pem": string(key), "only.key": string(key), "text.txt": string(fine), "empty.pem": "", "dangling.pem": "->nowhere",
		"broken.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"store.pem":  strings.Repeat(string(fine), 12) + string(old),
	})
	data, err := certificatesOf(t.Context(), sinktest.New(t), []string{filepath.Join(dir, "**")}, now)
	if err != nil {
		t.Fatal(err)
	}
	var got certificates
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	byName := map[string]certificateFile{}
	for _, f := range got.Files {
		byName[filepath.Base(f.Path)] = f
	}
	if len(byName) != 5 || got.Expired != 2 || got.Soon != 1 {
		t.Errorf("%d files, %d expired, %d soon:\n%s", len(byName), got.Expired, got.Soon, data)
	}
	if f := byName["haproxy.pem"]; f.Count != 1 || f.Certificates[0].DaysLeft != -2 || f.Certificates[0].Subject != "CN=old.example.com" || len(f.Certificates[0].Names) != 2 || f.Certificates[0].Serial != "ff" {
		t.Errorf("haproxy.pem: %+v", f)
	}
	if f := byName["store.pem"]; f.Count != 13 || len(f.Certificates) != 0 || len(f.Expired) != 1 {
		t.Errorf("store.pem: %+v", f)
	}
	if f := byName["fine.der"]; f.Count != 1 || f.Certificates[0].DaysLeft != 300 {
		t.Errorf("fine.der: %+v", f)
	}
	if byName["broken.crt"].Error == "" {
		t.Error("a broken certificate is no error")
	}
	block, _ = pem.Decode(key)
	if strings.Contains(string(data), base64.StdEncoding.EncodeToString(block.Bytes)[20:60]) || strings.Contains(string(data), "PRIVATE") {
		t.Error("a private key came along")
	}
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Add([]byte{0x30, 0x82, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) { inspect("x", data, time.Unix(0, 0)) })
}

func FuzzParseAccounts(f *testing.F) {
	f.Add("root:x:0:0:root:/root:/bin/bash\n", "root:x:0:a,b\n")
	f.Fuzz(func(t *testing.T, passwd, group string) {
		if _, err := json.Marshal(parseAccounts(passwd, group)); err != nil {
			t.Error(err)
		}
	})
}

func TestThisMachine(t *testing.T) {
	s := sinktest.ThisMachine(t, New())
	if !strings.Contains(s.Find("accounts.json").Text, `"root"`) {
		t.Error("no root")
	}
	for name, g := range s.Items {
		if strings.Contains(g.Text, "PRIVATE KEY") || strings.Contains(g.Text, "$6$") || strings.Contains(g.Text, "$y$") {
			t.Errorf("%s holds a key or a hash", name)
		}
	}
}

func TestNothingSecretIsDeclared(t *testing.T) {
	n := New().Needs()
	for _, p := range []string{"/etc/shadow", "/etc/gshadow", "/var/log/btmp", "/root/.ssh/id_ed25519"} {
		if n.Path(p) {
			t.Errorf("%s is declared", p)
		}
	}
	for _, bad := range [][]string{{"lastb"}, {"passwd", "-d", "root"}, {"auditctl", "-D"}, {"faillock", "--reset"}} {
		if n.Command(bad) {
			t.Errorf("%q is declared", bad)
		}
	}
}
