package scan

import "bytes"

// Prompts of network gear and arrays, which begin with the name of the machine:
//
//	sw1#show run    sw1(config-if)#no shut    FW1 (global) # show
//	cluster1::> volume show    fab1:admin> switchshow

// devicePrompt takes the machine, and the account, of a prompt in the line at ls.
func (s *Scanner) devicePrompt(buf []byte, ls, to int) {
	e := s.labelEnd(ls, min(to, ls+48))
	if e-ls < 3 || e+2 >= to {
		return
	}
	if c := buf[e]; c != '#' && c != '>' && c != '(' && c != ':' && c != ' ' {
		return
	}
	p, account := e, 0
	switch {
	case buf[e] == ':' && buf[e+1] == ':':
		p += 2
		p += btoi(p < to && buf[p] == '*')
	case buf[e] == ':':
		account = e + 1
		for p++; p < to && isAccountChar(buf[p]); p++ {
		}
		if p == account {
			return
		}
	default:
		if buf[p] == ' ' && p+1 < to && (buf[p+1] == '#' || buf[p+1] == '(') {
			p++
		}
		if buf[p] == '(' {
			i := bytes.IndexByte(buf[p:min(to, p+40)], ')')
			if i < 0 {
				return
			}
			p += i + 1
			p += btoi(p+1 < to && buf[p] == ' ' && buf[p+1] == '#')
		}
	}
	p0 := p
	if p+2 >= to || buf[p] != '#' && buf[p] != '>' {
		return
	}
	p = nonSpace(buf, p+1, to)
	w := p
	for w < to && (isLetter(buf[w]) || buf[w] == '-') {
		w++
	}
	if !deviceCommands.has(buf[p:w]) || w < to && isAlnum(buf[w]) || shells.has(buf[ls:letterEnd(buf, ls, e)]) || !isLetter(buf[ls]) || isToken(buf[ls:e]) {
		return
	}
	if p0 == e && buf[e] != '(' && !machineLike(buf[ls:e]) {
		return
	}
	s.ident(ls, e, Host)
	if account > 0 {
		a := account
		for a < to && isAccountChar(buf[a]) {
			a++
		}
		if v := buf[account:a]; len(v) > 1 && !keptUsers.has(v) {
			s.ident(account, a, User)
		}
	}
}

// machineLike is true for a name that has a dash or a number inside, as those of
// machines do.
func machineLike(v []byte) bool {
	if v[len(v)-1] == '-' {
		return false
	}
	digits := 0
	for _, c := range v {
		digits += btoi(isDigit(c))
	}
	return bytes.IndexByte(v, '-') > 0 || digits > 0 && len(v) > 4
}

// deviceCommands are the first words of what people type there.
var deviceCommands = listOf("show", "sh", "display", "enable", "en", "disable", "configure", "conf", "config", "copy", "write", "wr", "set", "unset", "get", "execute", "exec", "diagnose", "diag", "exit", "end", "quit", "edit", "ping", "traceroute", "terminal", "term", "no", "run", "commit", "system", "security", "clear", "debug", "undebug", "reload", "request", "interface", "int", "username", "snmp-server", "hostname", "sysname", "vserver", "volume", "vol", "storage", "network", "net", "cluster", "event", "statistics", "node", "lun", "snapmirror", "aggr", "switchshow", "cfgshow", "zoneshow", "portshow", "authutil", "aaaconfig", "passwdcfg", "userconfig", "ipaddrshow", "fabricshow", "version", "firmwareshow", "fosconfig", "snmpconfig", "supportsave", "supportshow", "secauthsecret", "user", "aaa", "tacacs-server", "radius-server", "crypto", "router", "vlan", "ip", "logging", "ntp", "delete", "dir", "more", "undo", "screen-length", "save", "sudo", "svcinfo", "svctask", "lsuser", "lssystem", "esxcli", "racadm", "fru", "license", "ssh", "service", "line", "key", "feature", "monitor", "shutdown", "switchport", "description", "login", "password", "neighbor", "admin", "export", "import")

// shells are what the prompts of programs begin with.
var shells = listOf("bash", "sh", "ksh", "zsh", "mysql", "mariadb", "sql", "psql", "postgres", "redis", "mongo", "sftp", "ftp", "lftp", "telnet", "ldap", "python", "ipython", "irb", "node", "gdb", "nslookup", "openssl", "wg", "kadmin", "ssh", "virsh", "ceph", "rman", "sqlite", "hdbsql", "db", "cqlsh", "hbase", "spark", "scala", "jshell", "vault", "consul", "etcd", "grub", "rescue", "initramfs", "infinishell", "switch", "router", "firewall", "loader", "uboot", "ilo", "racadm", "smb", "rpcclient", "nfs", "zk", "kafka", "comment", "issue", "section", "note", "step")

// letterEnd is where the letters from i on end.
func letterEnd(buf []byte, i, end int) int {
	for i < end && isLetter(buf[i]) {
		i++
	}
	return i
}
