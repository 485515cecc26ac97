package corpus

func (g *Generator) sshd() {
	g.syslog("sshd", true)
	switch g.r.IntN(7) {
	case 0:
		g.add("Accepted publickey for ").user().add(" from ").ip().add(" port ").upto(65536).add(" ssh2: ED25519 SHA256:").
			chars("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 43)
	case 1:
		g.add("Failed password for invalid user ").user().add(" from ").ip().add(" port ").upto(65536).add(" ssh2")
	case 2:
		g.add("pam_unix(sshd:session): session opened for user ").user().add("(uid=").upto(2000).add(") by (uid=0)")
	case 3:
		g.add("pam_unix(sshd:session): session closed for user ").user()
	case 4:
		g.add("Received disconnect from ").ip().add(" port ").upto(65536).add(":11: disconnected by user")
	case 5:
		g.add("Server listening on :: port 22.")
	default:
		g.add("error: kex_exchange_identification: Connection closed by remote host")
	}
	g.nl()
}

func (g *Generator) sudo() {
	g.syslog("sudo", false)
	if g.chance(40) {
		g.add("pam_unix(sudo:session): session ").pick("opened", "closed").add(" for user root(uid=0)")
	} else {
		g.add("   ").user().add(" : TTY=pts/").upto(12).add(" ; PWD=/home/").user().add(" ; USER=root ; COMMAND=").
			pick("/usr/bin/systemctl restart nginx", "/usr/bin/journalctl -u postgresql --since today", "/usr/sbin/multipath -ll", "/bin/cat /var/log/messages", "/usr/bin/apt-get update", "/usr/sbin/lvs --noheadings -o lv_name,vg_name")
	}
	g.nl()
}

func (g *Generator) kernel() {
	g.syslog("kernel", false).add("[").upto(900000).add(".").pad(g.r.IntN(1000000), 6).add("] ")
	switch g.r.IntN(8) {
	case 0:
		g.add("EXT4-fs (dm-").upto(30).add("): mounted filesystem with ordered data mode. Opts: (null)")
	case 1:
		g.add("sd ").upto(8).add(":0:").upto(16).add(":").upto(64).add(": [sd").chars("abcdefghijkl", 1).add("] Attached SCSI disk")
	case 2:
		g.add("nf_conntrack: table full, dropping packet")
	case 3:
		g.add("IN=eth0 OUT= MAC=").mac().add(" SRC=").ip().add(" DST=").ip().add(" LEN=").upto(1500).add(" TOS=0x00 PREC=0x00 TTL=").upto(255).add(" ID=").upto(65536).add(" PROTO=TCP SPT=").upto(65536).add(" DPT=22")
	case 4:
		g.add("perf: interrupt took too long (").upto(9000).add(" > 2500), lowering kernel.perf_event_max_sample_rate to ").upto(100000)
	case 5:
		g.add("usb 1-").upto(8).add(": New USB device found, idVendor=").hex(4).add(", idProduct=").hex(4).add(", bcdDevice= 1.00")
	case 6:
		g.add("mlx5_core 0000:").hex(2).add(":00.0: Port module event: module ").upto(4).add(", Cable plugged")
	default:
		g.add("Out of memory: Killed process ").upto(65536).add(" (java) total-vm:").upto(99999999).add("kB, anon-rss:").upto(9999999).add("kB, file-rss:0kB, shmem-rss:0kB")
	}
	g.nl()
}

func (g *Generator) systemd() {
	g.syslog("systemd", true)
	unit := []string{"nginx", "postgresql@15-main", "docker", "kubelet", "cron", "multipathd", "iscsid", "chronyd", "rsyslog"}[g.r.IntN(9)]
	switch g.r.IntN(5) {
	case 0:
		g.add("Started ", unit, ".service - ").pick("A high performance web server", "Time synchronisation", "Storage paths", "Container runtime").add(".")
	case 1:
		g.add(unit, ".service: Main process exited, code=exited, status=").upto(10).add("/FAILURE")
	case 2:
		g.add(unit, ".service: Consumed ").upto(60).add(".").pad(g.r.IntN(1000), 3).add("s CPU time.")
	case 3:
		g.add(unit, ".service: Scheduled restart job, restart counter is at ").upto(9).add(".")
	default:
		g.add("Created slice user-").upto(2000).add(".slice - User Slice of UID ").upto(2000).add(".")
	}
	g.nl()
}

func (g *Generator) cron() {
	g.syslog("CRON", true).add("(").user().add(") CMD (").
		pick("/usr/local/bin/rotate-logs --keep 14", "test -x /usr/sbin/anacron || ( cd / && run-parts --report /etc/cron.daily )", "/opt/backup/run.sh > /dev/null 2>&1", "[ -d /var/lib/php ] && /usr/lib/php/sessionclean", "/usr/lib/sa/sa1 1 1").
		add(")").nl()
}

func (g *Generator) dhcpd() {
	g.syslog("dhcpd", true)
	switch g.r.IntN(3) {
	case 0:
		g.add("DHCPDISCOVER from ").mac().add(" via eth").upto(4)
	case 1:
		g.add("DHCPACK on ").ip().add(" to ").mac().add(" (").host().add(") via eth").upto(4)
	default:
		g.add("DHCPREQUEST for ").ip().add(" from ").mac().add(" via eth").upto(4)
	}
	g.nl()
}

func (g *Generator) mail() {
	queue := func() *Generator { return g.chars("0123456789ABCDEF", 11) }
	g.syslog(g.word("postfix/smtpd", "postfix/qmgr", "postfix/cleanup", "postfix/smtp"), true)
	switch g.r.IntN(5) {
	case 0:
		queue().add(": message-id=<").hex(16).add("@").host().add(">")
	case 1:
		queue().add(": from=<").user().add("@example.com>, size=").upto(99999).add(", nrcpt=1 (queue active)")
	case 2:
		queue().add(": to=<").user().add("@example.org>, relay=mx").upto(4).add(".example.org[").ip().add("]:25, delay=").upto(9).add(".").upto(99).add(", dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as ")
		queue().add(")")
	case 3:
		queue().add(": removed")
	default:
		g.add("warning: hostname ").host().add(" does not resolve to address: Name or service not known")
	}
	g.nl()
}

func (g *Generator) audit() {
	g.add("type=").pick("SYSCALL", "EXECVE", "USER_LOGIN", "CRED_ACQ", "SERVICE_START").add(" msg=audit(").num(int(g.now.Unix())).add(".").pad(g.r.IntN(1000), 3).add(":").upto(999999).add("): ")
	g.tick()
	switch g.r.IntN(3) {
	case 0:
		g.add("arch=c000003e syscall=").upto(330).add(" success=yes exit=0 a0=").hex(12).add(" a1=").hex(6).add(" items=2 ppid=").upto(40000).add(" pid=").upto(40000).add(" auid=1000 uid=0 gid=0 tty=pts0 ses=").upto(999).add(` comm="systemctl" exe="/usr/bin/systemctl" key="priv"`)
	case 1:
		g.add("pid=").upto(40000).add(` uid=0 auid=1000 ses=3 msg='op=login acct="`).user().add(`" exe="/usr/sbin/sshd" hostname=`).ip().add(" addr=").ip().add(" terminal=ssh res=success'")
	default:
		g.add(`pid=1 uid=0 auid=4294967295 ses=4294967295 msg='unit=`).pick("chronyd", "nginx", "sysstat-collect").add(` comm="systemd" exe="/usr/lib/systemd/systemd" hostname=? addr=? terminal=? res=success'`)
	}
	g.nl()
}

func (g *Generator) cloudInit() {
	g.time("2006-01-02 15:04:05,000").add(" - ").pick("util.py", "stages.py", "handlers.py", "cc_ssh.py", "main.py").add("[").pick("DEBUG", "DEBUG", "INFO", "WARNING").add("]: ")
	switch g.r.IntN(4) {
	case 0:
		g.add("Running command ['/usr/bin/").pick("lsblk", "blkid", "ip", "hostname").add("', '--json'] with allowed return codes [0] (shell=False, capture=True)")
	case 1:
		g.add("Read ").upto(9999).add(" bytes from /var/lib/cloud/instances/i-").hex(17).add("/user-data.txt")
	case 2:
		g.add("Changing the ownership of /home/").user().add("/.ssh to ").upto(2000).add(":").upto(2000)
	default:
		g.add("finish: modules-final/config-").pick("scripts_user", "ssh_authkey_fingerprints", "final_message").add(": SUCCESS: ran successfully")
	}
	g.nl()
}

func (g *Generator) ps() {
	g.user().add("  ").pad(g.r.IntN(99999), 5).add("  ").upto(90).add(".").upto(9).add("  ").upto(9).add(".").upto(9).add(" ").upto(9999999).add(" ").upto(999999).add(" ?        ").pick("Ss", "Sl", "S", "R").add("   Jan11   ").upto(99).add(":").pad(g.r.IntN(60), 2).add(" ").
		pick("/usr/sbin/sshd -D", "postgres: checkpointer", "/usr/bin/java -Xmx4g -XX:+UseG1GC -jar /opt/app/app.jar --spring.profiles.active=prod", "nginx: worker process", "/usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id ", "[kworker/3:1-events]").nl()
}

// word returns one of its arguments.
func (g *Generator) word(from ...string) string { return from[g.r.IntN(len(from))] }
