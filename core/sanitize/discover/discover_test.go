package discover

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func machine(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func certificate(t *testing.T, cn string, sans ...string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: cn}, DNSNames: sans,
		EmailAddresses: []string{"certmaster@pki.acme-corp.io"},
		NotBefore:      time.Now(), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestFind(t *testing.T) {
	root := machine(t, map[string]string{
		"etc/hostname":     "Web-17.Acme-Corp.IO\n",
		"etc/machine-info": "PRETTY_HOSTNAME=\"kitchen-box\"\n",
		"etc/hosts": "127.0.0.1 localhost localhost.localdomain\n::1 ip6-localhost ip6-loopback localhost\nff02::1 ip6-allnodes\n" +
			"10.1.2.3 db-east.acme-corp.io db-east # the database\n10.1.2.4 test node1\n10.1.2.5\tvault-7.lan\nnot-an-address zzz\n",
		"etc/resolv.conf": "# made by hand\nnameserver 10.0.0.1\nsearch acme-corp.io ops.acme-corp.io local\ndomain acme.internal\n",
		"etc/passwd": "root:x:0:0:root:/root:/bin/bash\npostgres:x:112:120::/var/lib/postgresql:/bin/bash\n" +
			"jdoe:x:1000:1000:John Q. Doe,Room 5,555:/home/jdoe:/bin/bash\nubuntu:x:1001:1001:Ubuntu:/home/ubuntu:/bin/sh\n" +
			"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\nci-bot:x:1002:1002:Build Service Account:/home/ci:/bin/sh\nbroken line\nx:y:z:w\n",
		"etc/group":                "root:x:0:\nsudo:x:27:jdoe\nzephyr-team:x:1100:jdoe,asmith\n",
		"etc/ssh/ssh_known_hosts":  "@cert-authority *.bastion.acme-corp.io ssh-ed25519 AAAA\n[jump9.acme-corp.io]:2222,10.9.9.9 ssh-ed25519 AAAA\n|1|hash= ssh-rsa AAAA\n",
		"etc/krb5.conf":            "[libdefaults]\n default_realm = CORP.ACME-CORP.IO\n[realms]\n X = {\n  kdc = kdc1.corp.acme-corp.io:88\n }\n",
		"etc/ssl/private/site.pem": certificate(t, "shop.acme-corp.io", "shop.acme-corp.io", "*.pay.acme-corp.io", "localhost"),
		"root/.kube/config":        "clusters:\n- cluster:\n    server: https://kube-api.acme-corp.io:6443\nusers:\n- name: system:node:worker-x9.acme-corp.io\n",
	})
	got := Find(Options{Root: root})
	want := Names{
		Hosts: []string{
			"bastion.acme-corp.io", "bastion", "db-east", "db-east.acme-corp.io", "jump9", "jump9.acme-corp.io", "kdc1", "kdc1.corp.acme-corp.io",
			"kitchen-box", "kube-api", "kube-api.acme-corp.io", "pay", "pay.acme-corp.io", "shop", "shop.acme-corp.io",
			"vault-7", "vault-7.lan", "web-17", "web-17.acme-corp.io", "worker-x9", "worker-x9.acme-corp.io",
		},
		Domains: []string{"acme-corp.io", "acme.internal", "corp.acme-corp.io", "ops.acme-corp.io", "pki.acme-corp.io"},
		Users:   []string{"certmaster", "ci-bot", "jdoe", "zephyr-team"},
		People:  []string{"John Q. Doe"},
	}
	slices.Sort(want.Hosts)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestHostileFiles(t *testing.T) {
	root := machine(t, map[string]string{
		"etc/hosts":         strings.Repeat("10.0.0.1 "+strings.Repeat("a", 300)+"\n", 20000) + "10.1.1.1 never-reached.acme.io",
		"etc/passwd":        strings.Repeat("::::\n", 1000) + "\x00\xff:x:1000:1000\n",
		"etc/pki/x":         "",
		"etc/openvpn/c.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"etc/openvpn/d.der": "\x30\x82\xff\xff",
	})
	if err := os.Mkdir(filepath.Join(root, "etc/hostname"), 0o755); err != nil {
		t.Fatal(err)
	}
	got := Find(Options{Root: root})
	if len(got.Hosts) != 0 || len(got.Skipped) != 1 || !strings.Contains(got.Skipped[0], "/etc/hostname") {
		t.Errorf("got %+v", got)
	}
	if strings.Contains(got.Skipped[0], root) {
		t.Errorf("skipped shows the root: %q", got.Skipped)
	}
}

func TestThousandsOfHostsAreFast(t *testing.T) {
	var b strings.Builder
	for i := range 20000 {
		b.WriteString("10.1.2.3 machine-" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + ".acme-corp.io\n")
	}
	root := machine(t, map[string]string{"etc/hosts": b.String()})
	start := time.Now()
	if got := Find(Options{Root: root}); len(got.Hosts) == 0 {
		t.Error("nothing found")
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestThisMachine(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	got := Find(Options{})
	if short, _, _ := strings.Cut(strings.ToLower(name), "."); hostName(short) && !generic(short) && !slices.Contains(got.Hosts, short) {
		t.Errorf("%q is not among %q", short, got.Hosts)
	}
}

func FuzzFiles(f *testing.F) {
	f.Add([]byte("10.1.2.3 a.b c\nsearch x.y\njdoe:x:1000:1000:J D:/:/\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fi := &finder{hosts: map[string]bool{}, domains: map[string]bool{}, users: map[string]bool{}}
		for _, use := range []func([]byte){fi.hostname, fi.machineInfo, fi.etcHosts, fi.resolvConf, fi.krb5, fi.knownHosts, fi.certificate} {
			use(data)
		}
		eachEntry(data, func(name string, id int, fields []string) { fi.user(name) })
		for h := range fi.hosts {
			if !hostName(h) || generic(h) {
				t.Fatalf("host %q", h)
			}
		}
	})
}
