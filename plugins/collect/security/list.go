package security

import (
	"time"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
)

var list = recipe.List{
	Files: []recipe.File{
		{Name: "accounts/login.defs", Path: "/etc/login.defs", Config: true},
		{Name: "accounts/pwquality.conf", Path: "/etc/security/pwquality.conf", Config: true},
		{Name: "accounts/faillock.conf", Path: "/etc/security/faillock.conf", Config: true},
		{Name: "accounts/access.conf", Path: "/etc/security/access.conf", Config: true},
		{Name: "sudo/sudoers", Path: "/etc/sudoers", Config: true, Root: true},
		{Name: "mac/selinux-config", Path: "/etc/selinux/config", Config: true},
		{Name: "mac/selinux-enforce", Path: "/sys/fs/selinux/enforce"},
		{Name: "mac/apparmor-enabled", Path: "/sys/module/apparmor/parameters/enabled"},
		{Name: "mac/apparmor-profiles", Path: "/sys/kernel/security/apparmor/profiles", Root: true},
		{Name: "crypto/fips_enabled", Path: "/proc/sys/crypto/fips_enabled"},
		{Name: "crypto/policy", Path: "/etc/crypto-policies/config", Config: true},
	},
	Commands: []recipe.Command{
		{Name: "accounts/passwords.txt", Argv: []string{"passwd", "--status", "--all"}, Root: true},
		{Name: "ssh/effective.txt", Argv: []string{"sshd", "-T"}, Root: true, Config: true},
		{Name: "mac/sestatus.txt", Argv: []string{"sestatus", "-v"}, Root: true},
		{Name: "mac/selinux-booleans.txt", Argv: []string{"getsebool", "-a"}, Root: true, If: []string{"/sys/fs/selinux"}, Why: "SELinux is off"},
		{Name: "mac/selinux-denials.txt", Argv: []string{"ausearch", "--input-logs", "--message", "AVC,USER_AVC,SELINUX_ERR", "--start", "today"}, Timeout: 30 * time.Second, Root: true, If: []string{"/var/log/audit/audit.log"}, Why: "there is no audit log"},
		{Name: "mac/aa-status.json", Argv: []string{"aa-status", "--json"}, Root: true, If: []string{"/sys/kernel/security/apparmor", "/sys/module/apparmor"}, Why: "the kernel has no AppArmor"},
		{Name: "audit/status.txt", Argv: []string{"auditctl", "-s"}, Root: true},
		{Name: "audit/rules.txt", Argv: []string{"auditctl", "-l"}, Root: true},
		{Name: "crypto/policy-active.txt", Argv: []string{"update-crypto-policies", "--show"}},
		{Name: "logins/last.txt", Argv: []string{"last", "-F", "-w", "-n", "500"}, If: []string{"/var/log/wtmp"}, Why: "logins are not recorded in /var/log/wtmp"},
		{Name: "logins/lastlog.txt", Argv: []string{"lastlog"}},
		{Name: "logins/who.txt", Argv: []string{"who", "--all"}},
		{Name: "logins/sessions.txt", Argv: []string{"loginctl", "list-sessions", "--no-pager"}, If: []string{"/run/systemd/system"}, Why: "systemd does not run this machine"},
		{Name: "logins/faillock.txt", Argv: []string{"faillock"}, Root: true, If: []string{"/run/faillock", "/var/run/faillock"}, Why: "failed logins are not counted by faillock"},
		{Name: "logins/fail2ban.txt", Argv: []string{"fail2ban-client", "status"}, Root: true, If: []string{"/run/fail2ban/fail2ban.sock", "/var/run/fail2ban/fail2ban.sock"}, Why: "fail2ban does not run"},
		{Name: "sssd/domains.txt", Argv: []string{"sssctl", "domain-list"}, Root: true, If: []string{"/var/lib/sss/pipes"}, Why: "SSSD does not run"},
		{Name: "sssd/realm.txt", Argv: []string{"realm", "list"}, If: []string{"/etc/sssd/sssd.conf"}, Why: "the machine is in no domain that realmd knows"},
	},
	Paths: []string{"/etc/passwd", "/etc/group", "/etc/sudoers.d/*"},
}
