package bundler

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/bundle"
)

// places are files of a machine as people leave them, with a secret in each.
var places = map[string]string{
	"/etc/systemd/system/seeded.service":                         "[Unit]\nDescription=seeded\n[Service]\nEnvironment=DB_PASSWORD=S33d-unit-env-1a\nExecStart=/usr/bin/app --db-password S33d-unit-arg-2b --port 80\n",
	"/etc/cron.d/seeded":                                         "0 3 * * * root curl -u backup:S33d-cron-curl-3c https://backup.example/run\n1 3 * * * root PGPASSWORD=S33d-cron-env-4d pg_dump app\n",
	"/etc/crontab":                                               "5 * * * * root mysqldump --password=S33d-crontab-5e app\n",
	"/etc/environment":                                           "http_proxy=http://proxyuser:S33d-environ-6f@proxy.example:3128\n",
	"/etc/profile.d/seeded.sh":                                   "export AWS_SECRET_ACCESS_KEY=S33d7gJalrXUtnFEMIK7MDENGbPxRfiCYzzAMPLE\n",
	"/etc/apt/apt.conf.d/99seeded":                               "Acquire::http::Proxy \"http://u:S33d-aptconf-8h@proxy.example:3128\";\n",
	"/etc/apt/sources.list.d/seeded.list":                        "deb https://repo:S33d-aptlist-9i@repo.example/debian stable main\n",
	"/etc/apt/auth.conf.d/seeded.conf":                           "machine repo.example login ada password S33d-aptauth-0j\n",
	"/etc/fstab":                                                 "//nas.example/share /mnt cifs username=ada,password=S33d-fstab-1k,vers=3.0 0 0\n",
	"/etc/network/interfaces.d/seeded":                           "iface wlan0 inet dhcp\n  wpa-ssid office\n  wpa-psk S33d-wpapsk-2l\n",
	"/etc/snmp/snmpd.conf":                                       "rocommunity S33d-snmp-3m default\n",
	"/etc/iscsi/iscsid.conf":                                     "node.session.auth.authmethod = CHAP\nnode.session.auth.username = ada\nnode.session.auth.password = S33d-iscsi-4n\n",
	"/etc/ppp/chap-secrets":                                      "ada * S33d-ppp-5o *\n",
	"/etc/docker/daemon.json":                                    "{\"proxies\": {\"http-proxy\": \"http://u:S33d-docker-6p@proxy.example:3128\"}}\n",
	"/etc/app/app.yaml":                                          "database:\n  password: \"S33d-yaml-7q\"\n  url: postgres://app:S33d-pgurl-8r@db/app\n",
	"/etc/rsyslog.d/seeded.conf":                                 "action(type=\"ommysql\" server=\"db\" uid=\"log\" pwd=\"S33d-rsyslog-9s\")\n",
	"/etc/sysctl.d/99-seeded.conf":                               "# token=S33d-sysctl-0t\nvm.swappiness = 10\n",
	"/etc/ssl/private/seeded.pem":                                "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\nKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQJAIJLixBy2qpFoS4DSmoEm\n-----END RSA PRIVATE KEY-----\n",
	"/etc/NetworkManager/system-connections/seeded.nmconnection": "[wifi-security]\nkey-mgmt=wpa-psk\npsk=S33d-nm-1u\n",
	"/var/log/app.log":                                           "Nov 22 10:00:00 app[1]: login ok password=S33d-log-2v\nNov 22 10:00:01 app[1]: GET /x?access_token=S33d-logtoken-3w HTTP/1.1\nNov 22 10:00:02 app[1]: Authorization: Basic YWRhOlMzM2QtYmFzaWMtNHg=\n",
	"/var/log/auth.log":                                          "Nov 22 10:00:00 sudo: ada : COMMAND=/usr/bin/mysql -u root --password=S33d-sudo-5y\n",
	"/var/log/nginx/a.log":                                       "10.0.0.1 - - \"GET /?password=S33d-nginx-6z HTTP/1.1\" 200\n",
}

// machineSeeds are the secrets of places, and those of a process.
var machineSeeds = []string{
	"S33d-unit-env-1a", "S33d-unit-arg-2b", "S33d-cron-curl-3c", "S33d-cron-env-4d", "S33d-crontab-5e", "S33d-environ-6f", "S33d7gJalrXUtnFEMIK7MDENGbPxRfiCYzzAMPLE",
	"S33d-aptconf-8h", "S33d-aptlist-9i", "S33d-aptauth-0j", "S33d-fstab-1k", "S33d-wpapsk-2l", "S33d-snmp-3m", "S33d-iscsi-4n", "S33d-ppp-5o", "S33d-docker-6p",
	"S33d-yaml-7q", "S33d-pgurl-8r", "S33d-rsyslog-9s", "S33d-sysctl-0t", "S33d-nm-1u", "S33d-log-2v", "S33d-logtoken-3w", "S33d-basic-4x", "S33d-sudo-5y", "S33d-nginx-6z",
	"MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu",
	"S33d-procarg-7A", "S33d-procurl-8B", "S33d-procenv-9C",
}

// REQ H2, H9: a machine with secrets all over /etc, /var/log, unit files,
// process arguments and environment, in a mount namespace of its own. The whole
// bundle is made of it, and holds none of them, in any encoding.
func TestSeededMachine(t *testing.T) {
	if os.Getenv("BUNDLER_TEST_MACHINE") != "" {
		seededMachine(t)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root for a mount namespace")
	}
	if testing.Short() {
		t.Skip("makes a whole bundle")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestSeededMachine$", "-test.v")
	cmd.Env = append(os.Environ(), "BUNDLER_TEST_MACHINE=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err != nil && bytes.Contains(out, []byte("operation not permitted")) {
		t.Skipf("no mount namespace here: %s", out)
	}
	t.Logf("%s", out)
	if err != nil || bytes.Contains(out, []byte("--- SKIP")) {
		t.Errorf("the machine: %v", err)
	}
}

func seededMachine(t *testing.T) {
	base := t.TempDir()
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/etc", "/var/log"} {
		own := filepath.Join(base, strings.ReplaceAll(dir, "/", "_"))
		if out, err := exec.Command("cp", "-a", dir, own).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if err := unix.Mount(own, dir, "", unix.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	}
	for path, text := range places {
		write(t, path, text)
		os.Chmod(path, 0o644)
	}
	// The same values bare in a log, in every encoding, and in a compressed one.
	var log strings.Builder
	for _, v := range machineSeeds {
		if strings.HasPrefix(v, "S33d-log") || strings.HasPrefix(v, "S33d-proc") || strings.HasPrefix(v, "MII") {
			continue // of no configuration: only known where its key stands
		}
		if !configured(v) {
			continue
		}
		for how, s := range spellings(v) {
			fmt.Fprintf(&log, "Nov 22 10:00:00 host app[1]: attempt %s with %s failed\n", how, s)
		}
	}
	write(t, "/var/log/bare.log", log.String())
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	io.WriteString(w, log.String()+places["/var/log/app.log"])
	w.Close()
	write(t, "/var/log/bare.log.2.gz", zipped.String())
	process := exec.Command("sh", "-c", "sleep 300; :", "--db-password", "S33d-procarg-7A", "--url=postgres://app:S33d-procurl-8B@db/app")
	process.Env = []string{"API_TOKEN=S33d-procenv-9C", "PATH=/usr/bin:/bin"}
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(-process.Process.Pid, syscall.SIGKILL); process.Wait() })

	b := open(t, "")
	out := filepath.Join(base, "bundle")
	m, err := makeBundle(t, b, Request{Output: out, NoEncrypt: true})
	if err != nil {
		t.Fatal(err)
	}
	opened, files := contents(t, out)
	files[bundle.ManifestName] = string(opened.Recorded())
	seen := 0
	for p, text := range files {
		if strings.Contains(p, "app.log") || strings.Contains(p, "bare.log") || strings.Contains(p, "seeded") {
			seen++
		}
		for _, v := range machineSeeds {
			forms := spellings(v)
			forms["hex"] = hex.EncodeToString([]byte(v))
			for how, s := range forms {
				if i := strings.Index(text, s); i >= 0 {
					t.Errorf("%s holds %s (%s): …%q", p, v, how, text[max(0, i-80):min(len(text), i+len(s)+20)])
				}
			}
			if strings.Contains(p, v) {
				t.Errorf("the name %s holds %s", p, v)
			}
		}
	}
	// The places were really read: what stands beside the secrets is there.
	for _, want := range []string{"--db-password REDACTED", "attempt raw with REDACTED", ",password=REDACTED", "COMMAND=/usr/bin/mysql"} {
		if !slices.ContainsFunc(slices.Collect(maps.Values(files)), func(text string) bool { return strings.Contains(text, want) }) {
			t.Errorf("nothing holds %q", want)
		}
	}
	if seen < 5 || len(files) < 150 {
		t.Errorf("%d files, %d of them seeded: nothing was proven", len(files), seen)
	}
	collectors := map[string]bool{}
	for _, f := range m.Manifest.Files {
		collectors[f.Collector] = true
	}
	t.Logf("%d files of %d collectors, %d with seeds by name", len(files), len(collectors), seen)
}

// configured tells whether a value stands in configuration that is collected.
func configured(v string) bool {
	var in []string
	for path, text := range places {
		if strings.Contains(text, v) {
			in = append(in, path)
		}
	}
	return slices.ContainsFunc(in, func(p string) bool { return p == "/etc/fstab" || p == "/etc/environment" || p == "/etc/crontab" })
}
