package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// place says which plain argument behind a word is the secret.
type place struct {
	sub  string // the word; "" for the program itself
	at   int    // the n-th plain argument behind it, from 1
	pair bool   // it is user:password
	key  bool   // only if the argument before names a secret
	two  int    // another one, or 0
}

// last is the last plain argument.
const last = -1

// morePrograms are those besides the clients of data bases and shells.
var morePrograms = []flagSet{
	{name: "cypher-shell", short: "p"}, {name: "hdbsql", short: "p"}, {name: "beeline", short: "p"}, {name: "impala-shell"},
	{name: "xh", pair: "a"}, {name: "xhs", pair: "a"}, {name: "wbinfo", pair: "a"}, {name: "crane", short: "p", needs: "login"}, {name: "oras", short: "p", needs: "login"}, {name: "regctl", short: "p", needs: "login"},
	{name: "ctr"}, {name: "etcdctl", sub: []place{{sub: "add", at: 1, pair: true}, {sub: "put", at: 2, key: true}, {sub: "set", at: 2, key: true}}}, {name: "userconfig", short: "p"}, {name: "setuser", short: "c"}, {name: "aaaconfig", short: "s"}, {name: "pureadmin"}, {name: "racadm", short: "p", sub: []place{{sub: "set", at: 2, key: true}}}, {name: "redfishtool", short: "p"}, {name: "hponcfg", short: "p"}, {name: "ilorest", short: "p"},
	{name: "unrar", short: "p", glued: true, alone: true}, {name: "rar", short: "p", glued: true, alone: true}, {name: "arj", short: "g", glued: true, alone: true}, {name: "zipcloak"},
	{name: "kadmin", short: "w", long: " -pw "}, {name: "kadmin.local", long: " -pw "}, {name: "ktutil", short: "w", long: " -pw "}, {name: "twine", short: "p"}, {name: "dotnet", short: "k"}, {name: "gem", short: "k"}, {name: "add-user.sh", short: "p"}, {name: "rabbitmqadmin", short: "p"},
	{name: "mosquitto_pub", short: "P"}, {name: "mosquitto_sub", short: "P"}, {name: "mosquitto_rr", short: "P"}, {name: "uemcli", short: "p"}, {name: "testssl.sh", long: " --basicauth "}, {name: "hydra", short: "p"}, {name: "medusa", short: "p"}, {name: "ncrack"},
	{name: "nxc", short: "pH"}, {name: "crackmapexec", short: "pH"}, {name: "netexec", short: "pH"}, {name: "evil-winrm", short: "pH"}, {name: "psexec", short: "p"}, {name: "PsExec", short: "p"}, {name: "winrs", short: "p", glued: true}, {name: "schtasks", long: " /rp "}, {name: "sc", long: " password= "},
	{name: "swift", short: "K"}, {name: "doctl", short: "t"}, {name: "fs_cli", short: "p"}, {name: "zerotier-cli", short: "T", glued: true}, {name: "yubico-piv-tool", short: "PNk"}, {name: "ykman", short: "pPmn"}, {name: "ncftpput", short: "p"}, {name: "ncftpget", short: "p"}, {name: "ncftpls", short: "p"},
	{name: "open", pair: "u"}, {name: "ipa-replica-install", short: "pwa"}, {name: "ipa-server-install", short: "pa"}, {name: "ipa-client-install", short: "w"}, {name: "ipa-adtrust-install", short: "a"}, {name: "adcli", long: " --stdin-password "}, {name: "esxcli", short: "pc", long: " --communities "}, {name: "naviseccli", long: " -password "},
	{name: "smcli", short: "p"}, {name: "SMcli", short: "p"}, {name: "knife", short: "P"}, {name: "trapsess", short: "AXc"}, {name: "snmpinform", short: "cAX"}, {name: "net1"}, {name: "certutil", short: "p"}, {name: "signtool", long: " /p "}, {name: "spicec", short: "w"}, {name: "doveadm", short: "p", sub: []place{{sub: "test", at: 2}}}, {name: "security", short: "wpP"}, {name: "govc", pair: "u"}, {name: "dir-cli", long: " --new --password --current "}, {name: "pk12util", short: "WKwk"}, {name: "sipp", long: " -ap "}, {name: "coap-client", short: "k"}, {name: "bw", sub: []place{{sub: "unlock", at: 1}, {sub: "login", at: 2}}}, {name: "sedutil-cli", sub: []place{{at: 1, two: 2}}}, {name: "hdbuserstore", sub: []place{{sub: "set", at: 4}, {sub: "SET", at: 4}}}, {name: "kdb5_util", short: "P"}, {name: "aaaconfig", short: "s"}, {name: "virsh", long: " --base64 "}, {name: "brtools", pair: "u"}, {name: "brbackup", pair: "u"}, {name: "brarchive", pair: "u"}, {name: "brrestore", pair: "u"}, {name: "brconnect", pair: "u"}, {name: "brspace", pair: "u"}, {name: "brrecover", pair: "u"}, {name: "pkcs11-tool", short: "p"}, {name: "aws", long: " --value --secret-string --master-user-password --password --new-password --admin-user-password "}, {name: "az", short: "p", needs: "login", long: " --value --admin-password --password "}, {name: "gcloud"},
	{name: "rabbitmqctl", sub: []place{{sub: "add_user", at: 2}, {sub: "change_password", at: 2}, {sub: "authenticate_user", at: 2}}}, {name: "wpa_passphrase", sub: []place{{at: 2}}}, {name: "radtest", sub: []place{{at: 2, two: 5}}}, {name: "radclient", sub: []place{{at: 3}}}, {name: "mkpasswd", sub: []place{{at: last}}},
	{name: "mc", sub: []place{{sub: "set", at: 4, two: 3}, {sub: "add", at: 4, two: 3}}}, {name: "sapgenpse", short: "xz"}, {name: "addauth", sub: []place{{sub: "digest", at: 1, pair: true}}}, {name: "zkCli.sh", sub: []place{{sub: "digest", at: 1, pair: true}}}, {name: "composer", sub: []place{{sub: "config", at: 3, key: true}}},
	{name: "vicfg-iscsi", short: "w"}, {name: "maas", sub: []place{{sub: "login", at: 3}}}, {name: "cargo", sub: []place{{sub: "login", at: 1}}}, {name: "vault", sub: []place{{sub: "login", at: 1}, {sub: "unseal", at: 1}, {sub: "unwrap", at: 1}}}, {name: "consul", sub: []place{{sub: "set-agent-token", at: 2}, {sub: "put", at: 2, key: true}}}, {name: "npm", sub: []place{{sub: "set", at: 2, key: true}}}, {name: "rclone", sub: []place{{sub: "obscure", at: 1}}}, {name: "isql", short: "P", glued: true, sub: []place{{at: 3}}},
	{name: "db2", sub: []place{{sub: "using", at: 1}}}, {name: "using"}, {name: "basic_ldap_auth", short: "w"}, {name: "squid_ldap_auth", short: "w"}, {name: "ext_ldap_group_acl", short: "w"}, {name: "qlogin", long: " -clp -ps "}, {name: "domainjoin-cli", sub: []place{{sub: "join", at: 3}}}, {name: "sethost", sub: []place{{sub: "initchap", at: 1}, {sub: "targetchap", at: 2}}}, {name: "osql", short: "P", glued: true}, {name: "smbpasswd"}, {name: "john"}, {name: "slappasswd", short: "s"}, {name: "setx", sub: []place{{at: 2, key: true}}}, {name: "mkstore", sub: []place{{sub: "-createCredential", at: 3}, {sub: "-modifyCredential", at: 3}}}, {name: "drush", sub: []place{{sub: "upwd", at: 2}, {sub: "user-password", at: 2}}},
}

// placed hides the plain arguments that are secrets by their place.
func (s *Scanner) placed(f *flagSet, args []arg) {
	for i := range f.sub {
		p := &f.sub[i]
		from := 0
		if p.sub != "" {
			for from < len(args) && string(s.text(args[from])) != p.sub {
				if isStop(s.text(args[from])) {
					from = len(args)
					break
				}
				from++
			}
			from++
		}
		n := 0
		var before arg
		for k := from; k < len(args); k++ {
			a := args[k]
			t := s.text(a)
			if len(t) > 0 && (isStop(t) || t[0] == '<') {
				break
			}
			if len(t) == 0 || t[0] == '-' {
				continue
			}
			if f.name == "isql" && (k > 0 && s.buf[args[k-1].vs] == '-' && s.buf[args[k-1].ve-1] != 'v' || n == 2 && !s.tellable(t, a.vs > a.start)) {
				continue // what a flag has, and what no password looks like
			}
			if n++; n != p.at && n != p.two && !(p.at == last && k == len(args)-1) {
				before = a
				continue
			}
			switch {
			case p.key && !s.namesSecret(s.text(before)) && n > 1 && !(n == 3 && bytes.HasPrefix(s.text(args[from]), []byte("http-basic"))):
			case p.pair:
				s.userArg(a)
			case bytes.IndexByte(t, '=') > 0 && !looksRandom(t) || len(t) < 3 || isPath(t) || foldIs(t, "login"):
			default:
				for e := a.ve; a.ve > a.vs+1 && s.buf[a.ve-1] == ')' && e == a.end && bytes.IndexByte(t, '(') < 0; {
					a.ve-- // "$(openssl passwd x)"
				}
				s.judge(a.vs, a.ve, want{class: keyname.Strong, kind: keyname.Password, rule: "command"}, true)
			}
			before = a
		}
	}
}

// namesSecret is true for the name of a setting such as //registry/:_authToken.
func (s *Scanner) namesSecret(name []byte) bool {
	if i := bytes.LastIndexAny(name, ":/"); i >= 0 {
		name = name[i+1:]
	}
	class, _ := s.classify(name)
	return class == keyname.Strong || foldIs(name, "_auth")
}

// longFlag hides the argument of a long flag, if it is one of those of f.
func (s *Scanner) longFlag(f *flagSet, args []arg, i int) bool {
	t := s.text(args[i])
	e := bytes.IndexByte(t, '=')
	if e < 0 {
		e = len(t)
	}
	at := bytes.Index([]byte(f.long), t[:e])
	if at < 1 || f.long[at-1] != ' ' || f.long[at+e] != ' ' {
		return false
	}
	if (f.name == "aws" || f.name == "az") && string(t[:e]) == "--value" && !s.hasWord("ecure") && !s.hasWord("secret") {
		return false
	}
	a := args[i]
	if a.vs += e + 1; e == len(t) {
		if i+1 >= len(args) {
			return false
		}
		a = args[i+1]
	} else if a.vs < a.ve && (s.buf[a.vs] == '"' || s.buf[a.vs] == '\'') {
		a.vs++
		a.ve--
	}
	if f.name == "testssl.sh" {
		s.userArg(a)
	} else if v := s.text(a); len(v) > 0 && v[0] != '-' {
		s.judge(a.vs, a.ve, want{class: keyname.Strong, kind: keyname.Password, rule: "command"}, true)
	}
	return true
}

// notLogins are programs whose -u and -p mean something else.
var notLogins = map[string]bool{}

func init() {
	for _, n := range []string{"journalctl", "ps", "lsof", "strace", "pgrep", "pkill", "top", "htop", "perf", "mkdir", "cp", "ssh", "scp", "sftp", "nmap", "tar", "run", "exec", "docker-compose", "compose", "nc", "rsync", "patch", "cargo", "diff", "systemctl", "loginctl", "install", "read", "declare", "getent", "chroot", "unshare", "nsenter", "setpriv", "trace", "bpftrace", "time", "xargs", "parallel", "socat", "curl", "mysql", "mysqldump", "mysqladmin", "mariadb", "iptables", "ip6tables", "nft", "ss", "netstat", "sar", "pidstat", "tcpdump", "npm", "pip", "kill", "renice", "taskset", "chrt", "ionice", "useradd", "lp", "lpr", "wget", "git", "go", "usermod", "who", "env", "date", "sort", "find", "python", "python3", "screen", "tmux"} {
		notLogins[n] = true
	}
}

// loginFlags hides the password among -u USER -p PASSWORD, whatever the program
// is called: that pair of flags has the same meaning nearly everywhere.
func (s *Scanner) loginFlags(args []arg) {
	user := -1
	for i := 0; i+1 < len(args); i++ {
		switch t := s.text(args[i]); string(t) {
		case "-u", "-U", "-user", "--user", "--username", "-username", "-l", "/u", "/ru", "--creds", "--credentials", "-credentials":
			if u := s.text(args[i+1]); bytes.IndexByte(u, ':') > 0 && t[1] == '-' && looksSecret(u[bytes.IndexByte(u, ':')+1:]) {
				s.userArg(args[i+1])
			}
			if u := s.text(args[i+1]); len(u) > 0 && u[0] != '-' {
				user = i
			}
		default:
			if len(t) > 1 && t[0] != '-' && notLogins[string(t)] {
				return
			}
		}
	}
	if user < 0 {
		return
	}
	for i := 0; i+1 < len(args); i++ {
		switch string(s.text(args[i])) {
		case "-p", "-P", "-pw", "-pass", "/p", "/rp":
		default:
			continue
		}
		a := args[i+1]
		if v := s.text(a); len(v) < 3 || v[0] == '-' || isNumber(v) || isPath(v) || exampleWord(v) || isTypeName(v) || foldIs(v, "port") || addressLike(v) || isPlaceholderWord(v) {
			continue
		}
		s.judge(a.vs, a.ve, want{class: keyname.Strong, kind: keyname.Password, rule: "login-flags"}, true)
		if s.Identify {
			s.whom(args)
		}
	}
}

// addressLike is true for ports and addresses: 8080:80, 127.0.0.1:80, 1-1024.
func addressLike(v []byte) bool {
	for _, c := range v {
		if !isDigit(c) && c != ':' && c != '.' && c != ',' && c != '-' && c != '/' {
			return false
		}
	}
	return true
}

// isPlaceholderWord is true for what a manual has in place of a value: PASSWORD,
// <password>, your_password.
func isPlaceholderWord(v []byte) bool {
	if len(v) > 2 && (v[0] == '<' || v[0] == '[' || v[0] == '{') {
		return true
	}
	for _, c := range v {
		if (c < 'A' || c > 'Z') && c != '_' {
			return false
		}
	}
	return containsFold(v, "pass") || containsFold(v, "pw") || containsFold(v, "secret") || containsFold(v, "token") || containsFold(v, "key")
}

// taskArguments reads what a task of Windows gives its program, whose name
// stands above: <Command>net.exe</Command>, <Arguments>use Z: ...</Arguments>.
func (s *Scanner) taskArguments(pos, p int) {
	above := s.buf[max(s.lo, pos-400):pos]
	i := bytes.LastIndex(above, []byte("<Command>"))
	if i < 0 {
		return
	}
	name := above[i+len("<Command>"):]
	if e := bytes.IndexByte(name, '<'); e > 0 {
		name = name[:e]
	}
	name = bytes.Trim(name[bytes.LastIndexAny(name, `\\/`)+1:], `"`)
	if n := len(name) - 4; n > 0 && foldIs(name[n:], ".exe") {
		name = name[:n]
	}
	ls, le := s.ls, s.le
	if e := bytes.Index(s.buf[p:s.le], []byte("</")); e > 0 {
		s.le = p + e
	}
	s.ls = p
	n := s.split(&s.args)
	s.program(name, s.args[:n])
	s.ls, s.le = ls, le
}

// brTools is true for a command of the tools that save data bases of SAP: they
// take user/password.
func (s *Scanner) brTools() bool {
	for _, t := range [...]string{"brtools ", "brbackup ", "brarchive ", "brrestore ", "brconnect ", "brspace ", "brrecover "} {
		if s.hasWord(t) {
			return true
		}
	}
	return false
}
