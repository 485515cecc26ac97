package findings

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var made = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func tree(files map[string]string) fs.FS {
	t := fstest.MapFS{}
	for name, text := range files {
		t[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o600}
	}
	return t
}

// sick is a machine with one of everything.
var sick = map[string]string{
	"system/summary.json": `{"os":"Debian 12","kernel":"6.1","arch":"x86_64","time":"2026-11-01T12:00:00Z","boot_time":"2026-10-30T12:00:00Z","cpus":2,"memory_bytes":8589934592,"memory_available_bytes":104857600,"load":[20,19,3]}`,
	"system/disks/df.txt": "Filesystem Type 1024-blocks Used Available Capacity Mounted on\n" +
		"/dev/sda1 ext4 1000000 990000 10000 99% /\n/dev/sdb1 xfs 1000000 920000 80000 92% /var/lib/data base\n" +
		"/dev/loop0 squashfs 100 100 0 100% /snap/x\n/dev/sdc1 xfs 100000000000 92000000000 8000000000 92% /big\nbad line\n",
	"system/disks/df-inodes.txt":    "Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/sda1 100 99 1 99% /\ntmpfs - - - - /x\n",
	"system/memory/meminfo":         "MemTotal: 8388608 kB\nMemAvailable: 102400 kB\nSwapTotal: 1000 kB\nSwapFree: 10 kB\n",
	"system/pressure/io":            "some avg10=1.00 avg60=1 avg300=80.00 total=1\nfull avg10=1.00 avg60=1 avg300=55.50 total=1\n",
	"kernel/taints.json":            `{"value": 128, "reasons": []}`,
	"services/systemd/boots.txt":    strings.Repeat("-1 0123 Fri 2026-10-30 10:00:00 UTC—Sat 2026-10-31 10:00:00 UTC\n", 4) + "-9 0123 Fri 2026-09-30 10:00:00 UTC—Sat 2026-10-31 10:00:00 UTC\n",
	"services/systemd/failed.txt":   "× backup.service - Nightly backup\n     Loaded: loaded\n     Active: failed (Result: exit-code)\n\nNov 01 backup[1]: cannot reach target\n\n● data.mount - Data\n     Active: failed\n",
	"security/certificates.json":    `{"files":[{"path":"/etc/ssl/certs/ca-certificates.crt","expired":[{"subject":"CN=Old Root","not_after":"2025-01-01T00:00:00Z","ca":true}]},{"path":"/etc/app/tls.crt","expired":[{"subject":"CN=app","not_after":"2026-10-01T00:00:00Z"}]},{"path":"/etc/app/next.crt","certificates":[{"subject":"CN=next","not_after":"2026-11-11T12:00:00Z"}]}]}`,
	"network/time/timedatectl.txt":  "               Local time: x\nSystem clock synchronized: no\n              NTP service: inactive\n",
	"storage/md/mdstat":             "md0 : active raid1 sda1[0]\n      1000 blocks [2/1] [U_]\n",
	"hardware/disks/smart/sda.json": `{"device":{"name":"/dev/sda"},"smart_status":{"passed":false},"ata_smart_attributes":{"table":[{"id":197,"name":"Current_Pending_Sector","raw":{"value":8}}]}}`,
	"storage/mounts/mountinfo":      "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n23 1 8:2 / /data rw,relatime - ext4 /dev/sdb ro,errors=remount-ro\n24 1 8:3 / /ro ro - ext4 /dev/sdc ro\n",
	"logs/journal.txt": "Nov 01 10:00:00 h1 kernel: Out of memory: Killed process 123 (java)\n" +
		strings.Repeat("Nov 01 10:00:01 h1 app[12]: connection to 10.0.0.5 failed after 31 ms\n", 7) +
		"Nov 01 10:00:01 h1 app[13]: connection to 10.0.0.6 failed after 32 ms\nNov 01 10:00:02 h1 kernel: XFS (sda1): Mounting V5 Filesystem\n",
	"kernel/dmesg.txt": "kern  :err   : 2026-11-01T10:00:00,000000+00:00 I/O error, dev sda, sector 42\n",
}

// A bundle of several machines: each is looked at by itself, and what is found
// there points into its folder.
func TestMachines(t *testing.T) {
	files := map[string]string{"kernel/taints.json": `{"value": 0, "reasons": []}`, "machines/stranger/services/systemd/failed.txt": sick["services/systemd/failed.txt"]}
	for name, text := range sick {
		files["machines/web-2/"+name] = text
	}
	r := Look(tree(files), Source{Host: "array-7", Made: made, Machines: map[string]string{"web-2": "web-2.example", "web-3": ""}})
	if len(r.Findings) != 0 || len(r.Errors) != 0 {
		t.Errorf("what others have is told of the first machine: %+v", r.Findings)
	}
	if len(r.Machines) != 2 || r.Machines[0].Host != "web-2, host web-2.example" || len(r.Machines[1].Findings) != 0 {
		t.Fatalf("%+v", r.Machines)
	}
	alone := Look(tree(sick), Source{Host: "array-7", Made: made})
	if len(r.Machines[0].Findings) != len(alone.Findings) || len(r.Machines[0].Errors) != len(alone.Errors) {
		t.Errorf("%d findings and %d errors, alone %d and %d", len(r.Machines[0].Findings), len(r.Machines[0].Errors), len(alone.Findings), len(alone.Errors))
	}
	var text, page bytes.Buffer
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.HTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"nothing stands out", "\nweb-2, host web-2.example\n", "machines/web-2/services/systemd/failed.txt:1"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
	if !strings.Contains(page.String(), `href="./machines/web-2/services/systemd/failed.txt"`) || !strings.Contains(page.String(), "<h1>web-3</h1>") {
		t.Errorf("the page:\n%s", &page)
	}
}

func TestLook(t *testing.T) {
	r := Look(tree(sick), Source{Host: "array-7", Made: made})
	var got []string
	for _, f := range r.Findings {
		got = append(got, fmt.Sprintf("%s %s %s", f.Severity, f.Text, place(f.File, f.Line)))
	}
	want := []string{
		"critical backup.service has failed services/systemd/failed.txt:1",
		"critical data.mount has failed services/systemd/failed.txt:7",
		"critical / is 99 % full (0.0 GiB free) system/disks/df.txt:2",
		"critical / has used 99 % of its inodes system/disks/df-inodes.txt:2",
		"critical 1 % of the memory is available (0.1 of 8.0 GiB) system/memory/meminfo",
		"critical the certificate /etc/app/tls.crt expired on 2026-10-01 security/certificates.json",
		"critical the array md0 lacks a member storage/md/mdstat:2",
		"critical /dev/sda says that it is failing (SMART) hardware/disks/smart/sda.json",
		"critical /data has become read-only storage/mounts/mountinfo:2",
		"critical the kernel has had an oops since it was started kernel/taints.json",
		"critical memory ran out, and the kernel killed a process (1 lines) logs/journal.txt:1",
		"critical disks returned I/O errors (1 lines) kernel/dmesg.txt:1",
		"warning load of 19.0 over five minutes on 2 processors system/summary.json",
		"warning /var/lib/data base is 92 % full (0.1 GiB free) system/disks/df.txt:3",
		"warning more than 90 % of the swap space is in use system/memory/meminfo",
		"warning tasks waited for io 56 % of the last five minutes system/pressure/io:2",
		"warning the certificate /etc/app/next.crt expires in 10 days security/certificates.json",
		"warning the clock is not synchronized network/time/timedatectl.txt:2",
		"warning /dev/sda has 8 sectors that cannot be read (Current_Pending_Sector) hardware/disks/smart/sda.json",
		"warning the machine was started 4 times within a week services/systemd/boots.txt",
		"notice no time service of systemd runs network/time/timedatectl.txt:3",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("findings (-want +got):\n%s", d)
	}
	if len(r.Errors) == 0 || r.Errors[0].Count != 8 || r.Errors[0].Shape != "app[#]: connection to #.#.#.# failed after # ms" || r.Errors[0].Line != 9 {
		t.Errorf("errors: %+v", r.Errors)
	}
	if len(r.Problems) > 0 {
		t.Errorf("problems: %q", r.Problems)
	}
}

// A machine in order, and one that says nothing, have no findings.
func TestNothing(t *testing.T) {
	for _, files := range []map[string]string{{}, {
		"system/disks/df.txt":          "Filesystem Type 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 ext4 100 10 90 10% /\n",
		"network/time/timedatectl.txt": "System clock synchronized: yes\nNTP service: active\n",
		"services/systemd/failed.txt":  "",
		"kernel/taints.json":           `{"value": 4097}`,
		"logs/journal.txt":             "Nov 01 10:00:00 h1 app: started, 0 problems\n",
	}} {
		r := Look(tree(files), Source{Made: made})
		if len(r.Findings)+len(r.Errors)+len(r.Problems) > 0 {
			t.Errorf("%v: %+v %+v %v", files, r.Findings, r.Errors, r.Problems)
		}
		var b bytes.Buffer
		if err := r.Text(&b); err != nil || !strings.HasPrefix(b.String(), "nothing stands out") {
			t.Errorf("%v\n%s", err, b.String())
		}
	}
}

// What a bundle holds is foreign: it must not reach the terminal or the page as
// anything but text.
func TestForeignText(t *testing.T) {
	evil := "\x1b]0;owned\x07<script>alert(1)</script>\u202e"
	r := Look(tree(map[string]string{
		"services/systemd/failed.txt":              "● evil.service " + evil + "\n  Active: " + evil + "\n",
		"logs/" + `"><img src=x onerror=alert(1)>`: "Nov 01 10:00:00 h kernel: Out of memory: Kill " + evil + "\nfatal error " + evil + "\n",
		"logs/long":                                  "error " + strings.Repeat("x", 5<<20) + "\nNo space left on device\n",
		"system/summary.json":                        `{"os":"<b>` + `"}`,
		"security/certificates.json":                 `{"files":[{"path":"<i>","expired":[{"subject":"javascript:","not_after":"2020-01-01T00:00:00Z"}]}]}`,
		"hardware/disks/smart/javascript:alert(1).j": "{}",
	}), Source{Host: evil, Made: made, Failed: []Trouble{{evil, evil}}})
	var text, html bytes.Buffer
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.HTML(&html); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(text.String(), "\x1b\x07\u202e") || strings.ContainsAny(html.String(), "\x1b\x07\u202e") {
		t.Error("control characters pass")
	}
	for _, bad := range []string{"<script", "<img", "<i>", "<b>", `href="javascript`} {
		body := html.String()[strings.Index(html.String(), "<h1>"):]
		if strings.Contains(strings.ReplaceAll(body, `<b>`+fmt.Sprint(1)+"</b>", ""), bad) && bad != "<b>" {
			t.Errorf("the page holds %s", bad)
		}
	}
	if len(r.Findings) < 4 {
		t.Errorf("findings: %+v", r.Findings)
	}
}

func FuzzLook(f *testing.F) {
	for name, text := range sick {
		f.Add(name, text)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		if !fs.ValidPath(name) || name == "." {
			return
		}
		r := Look(tree(map[string]string{name: text}), Source{Made: made})
		var b bytes.Buffer
		if err := r.HTML(&b); err != nil {
			t.Fatal(err)
		}
		if err := r.Text(&b); err != nil {
			t.Fatal(err)
		}
	})
}
