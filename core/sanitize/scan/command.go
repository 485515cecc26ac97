package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

type arg struct{ start, end, vs, ve int } // with and without quotes

// command reads the line as a command and hides passwords among its arguments.
// A command may stand in quotes inside of another one, or of a string of JSON:
// sh -c "mysql -psecret".
func (s *Scanner) command() {
	if s.usmUser() || s.trapHost() || s.buf[s.ls] == '+' && s.tracedEcho() {
		return
	}
	var inner [8][2]int
	n := s.commandLine(inner[:])
	ls, le := s.ls, s.le
	for _, r := range inner[:n] {
		s.ls, s.le = r[0], r[1]
		s.commandLine(nil)
	}
	s.ls, s.le = ls, le
	s.commandOpen()
}

// commandLine does so for the text between s.ls and s.le. It returns how many
// arguments may be commands themselves.
func (s *Scanner) commandLine(inner [][2]int) int {
	if !s.mayTakeSecret() {
		return 0
	}
	args := &s.args
	n := s.split(args)
	s.fromStdin(args[:n])
	s.loginFlags(args[:n])
	found := 0
	for i := 0; i < n; i++ {
		a := args[i]
		if t := s.text(a); len(t) > 8 && t[0] == '{' && bytes.IndexByte(t, ' ') < 0 && bytes.Contains(t, []byte("[\"")) && found < len(inner) {
			found = s.jsonCommands(a, inner, found)
			continue
		}
		if t := s.text(a); found < len(inner) && len(t) > 8 && (a.vs > a.start || t[0] == '"' || t[0] == '{' || called(t)) && bytes.IndexByte(t, ' ') > 0 && s.mayHoldCommand(t) {
			if t[0] == '{' {
				found = s.jsonCommands(a, inner, found)
				continue
			}
			q := bytes.IndexAny(s.buf[a.start:a.ve], "\"'")
			if t[0] == '[' { // ["sh","-c","mysql -psecret"]
				q = a.vs - a.start + bytes.LastIndexAny(t[:bytes.IndexByte(t, ' ')], "\"'")
			}
			if from := a.start + q + 1; q >= 0 && from < a.ve {
				if end := bytes.LastIndexByte(s.buf[from:a.ve], s.buf[from-1]); called(t) && end > 0 {
					a.ve = from + end
				}
				inner[found] = [2]int{from, a.ve}
				found++
			}
			continue
		}
		name := s.base(a)
		if len(name) < 2 || len(name) > 32 {
			continue
		}
		s.program(name, args[i+1:n])
	}
	return found
}

// mayTakeSecret is true if the line has an argument that begins with a dash, a
// pipe, or a command that needs neither.
func (s *Scanner) mayTakeSecret() bool {
	line := s.buf[s.ls:s.le]
	if bytes.IndexByte(line, '|') >= 0 {
		return true
	}
	for i := 1; i < len(line); i++ {
		d := bytes.IndexByte(line[i:], '-')
		if d < 0 {
			break
		}
		if i += d; line[i-1] == ' ' || line[i-1] == '"' || line[i-1] == '\'' {
			return true
		}
	}
	for _, h := range s.hits {
		if dashless[h.stem] {
			return true
		}
	}
	return bytes.Contains(line, []byte("<<")) || bytes.Contains(line, []byte(" > ")) || bytes.Contains(line, []byte("/p:")) || bytes.Contains(line, []byte("/pass:")) || bytes.Contains(line, []byte("<(")) || bytes.Contains(line, []byte(" /rp "))
}

// dashless are the stems of commands that take a secret without a flag.
var dashless = func() []bool {
	t := make([]bool, len(stemTable))
	for i, st := range stemTable {
		switch st.text {
		case "createuser", "net use", "net  use", "encrypt_string", "sqlplus", "impdp", "expdp", "passwd", "rabbitmqctl", "wpa_pass", "radtest", "addauth", "alias set", "<<<", "cargo login", "maas login", "isql", "vault login", "-agent-token", "kinit", "unseal ", "db2 ", "obscure ", "basic.", "user add", "rman target", "net user", "net  user", "net1.exe user", "net1 user", "bw unlock ", "bw login ", "exp ", "imp ", "hdbuserstore", "vault kv p", "\"alias\"", "nmcli ", "domainjoin", "ipmi", "racadm", "kv put ", "etcdctl", "upwd ", "setx ":
			t[i] = true
		}
	}
	return t
}()

func (s *Scanner) hasWord(t string) bool { return bytes.Contains(s.buf[s.ls:s.le], []byte(t)) }

// split cuts the line into words as a shell does.
func (s *Scanner) split(args *[96]arg) int {
	buf := s.buf
	n := 0
	for p := s.ls; p < s.le && n < len(args); {
		for p < s.le && (isSpace(buf[p]) || buf[p] == ',' || buf[p] == '[' && p+1 < s.le && (buf[p+1] == '"' || buf[p+1] == '\'')) {
			p++
		}
		if p >= s.le {
			break
		}
		a := arg{start: p}
		for p < s.le && !isSpace(buf[p]) {
			if q := buf[p]; q == '\'' || q == '"' {
				e := closing(buf[p+1:s.le], q)
				if e < 0 {
					p = s.le
					break
				}
				p += e + 2
				if p+1 < s.le && buf[p] == ',' && buf[p+1] == q && buf[a.start] == q {
					break // "a","b" without a blank
				}
				continue
			}
			if buf[p] == '<' && p > a.start && p+2 < s.le && buf[p+1] == '/' && isLetter(buf[p+2]) {
				break // the end of an element around the command
			}
			if buf[p] == '\\' {
				p++
			}
			p++
		}
		p = min(p, s.le)
		a.end = p
		a.vs, a.ve = a.start, a.end
		if a.ve > a.vs && buf[a.ve-1] == ',' {
			a.ve--
		}
		for a.ve > a.vs && (buf[a.ve-1] == ']' || buf[a.ve-1] == '}') && (buf[a.vs] == '"' || buf[a.vs] == '\'') {
			a.ve--
		}
		if buf[a.vs] == 'a' && a.ve-a.vs > 4 && isDigit(buf[a.vs+1]) {
			// an argument in a record of the audit daemon: a2="-psecret"
			if i := bytes.IndexByte(buf[a.vs:a.vs+4], '='); i > 0 && buf[a.vs+i+1] == '"' {
				a.vs += i + 1
			}
		}
		if c := buf[a.vs]; (c == '\'' || c == '"') && a.ve-a.vs >= 2 && buf[a.ve-1] == c {
			a.vs++
			a.ve--
		}
		args[n] = a
		n++
	}
	return n
}

// closing is where the quote q closes; a backslash escapes a double one.
func closing(v []byte, q byte) int {
	for i := 0; i < len(v); i++ {
		if v[i] == q {
			return i
		}
		if v[i] == '\\' && q == '"' {
			i++
		}
	}
	return -1
}

func (s *Scanner) text(a arg) []byte { return s.buf[a.vs:max(a.vs, a.ve)] }

// base is the name of a program without its directory and COMMAND=.
func (s *Scanner) base(a arg) []byte {
	t := s.text(a)
	for i := len(t) - 1; i >= 0; i-- {
		if c := t[i]; c == '/' || c == '=' || c == '(' || c == '`' || c == '\\' || c == '>' || c == ';' {
			t = t[i+1:]
			break
		}
	}
	t = bytes.TrimSuffix(t, []byte(".exe"))
	t = bytes.TrimSuffix(t, []byte{':'}) // the prompt of a program
	return t
}

func isStop(t []byte) bool {
	return len(t) == 0 || t[0] == '|' || t[0] == ';' || t[0] == '&' || t[0] == '>'
}

type flagSet struct {
	name  string
	short string // flags whose argument is a password: -p
	glued bool   // -pPASSWORD without a blank
	pair  string // flags whose argument is user:password
	needs string // a word that has to follow the name: docker login
	bare  int    // the n-th plain argument is the password (1-based)
	bflag string // only with this flag
	alone bool   // -p without an argument asks: only glued counts
	long  string // long flags whose argument is a secret, between blanks
	sub   []place
}

var programs = []flagSet{
	{name: "mysql", short: "p", glued: true, alone: true}, {name: "mysqldump", short: "p", glued: true, alone: true}, {name: "mysqladmin", short: "p", glued: true, alone: true, sub: []place{{sub: "password", at: 1}}},
	{name: "mysqlimport", short: "p", glued: true, alone: true}, {name: "mysqlshow", short: "p", glued: true, alone: true}, {name: "mysqlcheck", short: "p", glued: true, alone: true}, {name: "mysqlbinlog", short: "p", glued: true, alone: true}, {name: "mariadb", short: "p", glued: true, alone: true}, {name: "mariadb-dump", short: "p", glued: true, alone: true}, {name: "mariadb-admin", short: "p", glued: true, alone: true}, {name: "mysqlsh", short: "p", glued: true, alone: true}, {name: "xtrabackup", short: "p", glued: true, alone: true},
	{name: "curl", pair: "uUE", glued: true}, {name: "wget", pair: ""}, {name: "sshpass", short: "p", glued: true},
	{name: "docker", short: "p", needs: "login", glued: true}, {name: "podman", short: "p", needs: "login", glued: true}, {name: "buildah", short: "p", needs: "login"}, {name: "skopeo", short: "p", needs: "login"}, {name: "helm", needs: "login", short: "p"}, {name: "nerdctl", needs: "login", short: "p"}, {name: "oc", needs: "login", short: "p"}, {name: "cf", needs: "login", short: "p"}, {name: "argocd", needs: "login"},
	{name: "ldapsearch", short: "w", glued: true}, {name: "ldapadd", short: "w", glued: true}, {name: "ldapmodify", short: "w", glued: true}, {name: "ldapdelete", short: "w", glued: true}, {name: "ldapwhoami", short: "w", glued: true}, {name: "ldappasswd", short: "was", glued: true}, {name: "ldapcompare", short: "w", glued: true},
	{name: "redis-cli", short: "a", glued: true}, {name: "mongo", short: "p", glued: true}, {name: "mongosh", short: "p", glued: true}, {name: "mongodump", short: "p", glued: true}, {name: "mongorestore", short: "p", glued: true}, {name: "mongoexport", short: "p", glued: true},
	{name: "ipmitool", short: "P", glued: true, sub: []place{{sub: "snmp", at: 1}, {sub: "password", at: 2}}}, {name: "ipmipower", short: "p", glued: true}, {name: "ipmiconsole", short: "p"},
	{name: "snmpwalk", short: "cAX", glued: true}, {name: "snmpget", short: "cAX", glued: true}, {name: "snmpset", short: "cAX", glued: true}, {name: "snmpbulkwalk", short: "cAX", glued: true}, {name: "snmptrap", short: "cAX"}, {name: "snmpgetnext", short: "cAX"}, {name: "snmptable", short: "cAX"}, {name: "snmpbulkget", short: "cAX"},
	{name: "smbclient", pair: "U", glued: true}, {name: "rpcclient", pair: "U", glued: true}, {name: "winexe", pair: "U"}, {name: "smbget", pair: "U"}, {name: "net", pair: "U"},
	{name: "htpasswd", bare: 3, bflag: "b"}, {name: "mosquitto_passwd", bare: 3, bflag: "b"}, {name: "plink", short: ""}, {name: "pscp", short: ""}, {name: "lftp", pair: "u"}, {name: "ncftp", short: "p"},
	{name: "zip", short: "P"}, {name: "unzip", short: "P"}, {name: "7z", short: "p", glued: true, alone: true}, {name: "7za", short: "p", glued: true, alone: true}, {name: "rdesktop", short: "p"}, {name: "sqlcmd", short: "P", glued: true}, {name: "bcp", short: "P", glued: true}, {name: "tsql", short: "P"}, {name: "sqlplus", pair: ""}, {name: "vncviewer", short: ""}, {name: "openssl", short: "kK", long: " -hmac ", sub: []place{{sub: "passwd", at: 1}}}, {name: "cmdkey", short: ""}, {name: "psql", short: ""}, {name: "useradd", short: "p"}, {name: "usermod", short: "p"}, {name: "passwd"}, {name: "ansible-vault"}, {name: "ssh-keygen", short: "NP"}, {name: "xfreerdp"}, {name: "wfreerdp"}, {name: "nmcli", sub: []place{{sub: "password", at: 1}}}, {name: "influx", short: "p"}, {name: "clickhouse-client"}, {name: "cqlsh", short: "p"}, {name: "impdp"}, {name: "expdp"}, {name: "rman"}, {name: "sqlldr"}, {name: "exp"}, {name: "imp"}, {name: "http", pair: "a"}, {name: "https", pair: "a"}, {name: "createUser"}, {name: "createuser"},
}

// program looks at the arguments of a program that takes secrets.
func (s *Scanner) program(name []byte, args []arg) {
	f := programNamed[string(name)]
	if f == nil && len(name) > 7 && string(name[:6]) == "check_" {
		f = &checks // a plugin of Nagios
		if i := bytes.LastIndexByte(name, '!'); i > 0 && len(name) == i+3 && name[i+1] == '-' && indexByte(f.short, name[i+2]) && len(args) > 0 {
			s.judge(args[0].vs, args[0].ve, want{class: keyname.Strong, kind: keyname.Password, rule: "command"}, true)
		}
	}
	if f != nil {
		if s.Identify {
			s.whom(args)
		}
		s.programArgs(f, args)
	}
}

// commandOpen remembers the program of a line that a backslash continues.
func (s *Scanner) commandOpen() {
	if s.le-s.ls < 4 || !goesOn(s.buf[s.ls:s.le]) || s.State.Mode != Normal || s.cut {
		return
	}
	args := &s.args
	n := s.split(args)
	for i := range n {
		k, ok := programAt[string(s.base(args[i]))]
		if !ok {
			continue
		}
		f := programAtIndex(k)
		if f.short == "" && f.pair == "" && f.long == "" {
			continue
		}
		if f.needs != "" && !containsFold(s.buf[args[i].end:s.le], f.needs) {
			continue
		}
		s.enter(InCommand, keyname.Password, k, 0, 0)
		return
	}
}

// goesOn is true for a line that the shell, PowerShell or cmd continues.
func goesOn(l []byte) bool {
	n := len(l)
	return isSpace(l[n-2]) && (l[n-1] == '\\' || l[n-1] == '`' || l[n-1] == '^')
}

// commandGoesOn deals with a further line of a command.
func (s *Scanner) commandGoesOn() {
	f := *programAtIndex(s.State.Indent)
	f.needs, f.bare, f.sub = "", 0, nil
	if s.le-s.ls < 3 || !goesOn(s.buf[s.ls:s.le]) {
		s.leave()
	}
	n := s.split(&s.args)
	s.programArgs(&f, s.args[:n])
}

// programAt has the places of the programs in both lists, one behind the other.
var programAt = func() map[string]int {
	m := map[string]int{}
	for i := range len(programs) + len(morePrograms) {
		if n := programAtIndex(i).name; m[n] == 0 {
			m[n] = i
		}
	}
	return m
}()

func programAtIndex(i int) *flagSet {
	if i < len(programs) {
		return &programs[i]
	}
	return &morePrograms[i-len(programs)]
}

var checks = flagSet{name: "check_", short: "pCPAX", pair: "a"}

var programNamed = func() map[string]*flagSet {
	m := map[string]*flagSet{}
	for _, list := range [][]flagSet{programs, morePrograms} {
		for i := range list {
			if f := &list[i]; m[f.name] == nil {
				m[f.name] = f
			}
		}
	}
	return m
}()

func (s *Scanner) programArgs(f *flagSet, args []arg) {
	needs := f.needs == ""
	bflag := f.bflag == ""
	bare := 0
	w := want{class: keyname.Strong, kind: keyname.Password, rule: "command"}
	switch f.name {
	case "createUser", "createuser":
		s.snmpUser(args)
		return
	case "ansible-vault":
		if len(args) > 1 && string(s.text(args[0])) == "encrypt_string" && len(s.text(args[1])) > 0 && s.text(args[1])[0] != '-' {
			s.judge(args[1].vs, args[1].ve, w, true)
		}
		return
	case "passwd":
		if s.Identify {
			s.passwdOf(args)
		}
		if len(args) == 2 && allAccount(s.text(args[0])) && looksSecret(s.text(args[1])) && s.text(args[0])[0] != '-' {
			s.judge(args[1].vs, args[1].ve, w, true) // passwd NAME x, of other systems
		}
		return
	case "net", "net1":
		if len(args) == 0 || !foldIs(s.text(args[0]), "ads") && !foldIs(s.text(args[0]), "rpc") && !foldIs(s.text(args[0]), "join") && !foldIs(s.text(args[0]), "rap") {
			s.netUse(args)
			return
		}
	case "sqlplus", "impdp", "expdp", "rman", "sqlldr", "exp", "imp":
		s.oracle(args, f.name == "rman")
		return
	}
	if f.sub != nil {
		s.placed(f, args)
	}
	if f.name == "vault" && len(args) > 3 && string(s.text(args[0])) == "kv" && (string(s.text(args[1])) == "put" || string(s.text(args[1])) == "patch") {
		for _, a := range args[3:] {
			if i := bytes.IndexByte(s.buf[a.start:a.end], '='); i > 0 && s.buf[a.start] != '-' {
				s.value(a.start+i+1, w) // vault kv put PATH name=x
			}
		}
	}
	for i := 0; i < len(args); i++ {
		t := s.text(args[i])
		if isStop(t) {
			return
		}
		if f.long != "" && t[0] == '-' && s.longFlag(f, args, i) {
			continue
		}
		if f.needs != "" && string(t) == f.needs {
			needs = true
			bare++
			continue
		}
		if s.Identify && len(t) > 5 && string(t[:3]) == "/u:" && f.name == "xfreerdp" {
			s.accountAt(args[i].vs+3, 0)
			continue
		}
		if t[0] == '/' && len(t) > 3 && (t[1] == 'p' || t[1] == 'P') && t[2] == ':' && (f.name == "xfreerdp" || f.name == "wfreerdp" || f.name == "cmdkey") {
			s.judge(args[i].vs+3, args[i].ve, w, true)
			continue
		}
		if len(t) >= 2 && t[0] == '-' && t[1] != '-' {
			c := t[1]
			if f.bflag != "" && bytes.IndexByte(t, f.bflag[0]) > 0 {
				bflag = true
				if f.name == "htpasswd" && bytes.IndexByte(t, 'n') > 0 {
					bare++ // it prints, and there is no file
				}
			}
			switch {
			case indexByte(f.short, c) && needs:
				if len(t) > 2 {
					if f.glued && !(len(t) > 6 && s.wordFlag(t)) {
						v := args[i].vs + 2
						if s.buf[v] == ':' && f.name == "winrs" {
							v++
						}
						if args[i].vs > args[i].start {
							s.judge(v, args[i].ve, w, true) // "-pquoted pw"
						} else {
							s.value(v, w) // -p'quoted pw'
						}
						s.keyEnd = max(s.keyEnd, args[i].end)
					}
				} else if !f.alone && i+1 < len(args) {
					i++
					if f == &checks && isNumber(s.text(args[i])) {
						continue // a port
					}
					if n := s.text(args[i]); len(n) > 0 && n[0] != '-' {
						s.judge(args[i].vs, args[i].ve, w, true)
					}
				}
				continue
			case indexByte(f.pair, c):
				a := args[i]
				if len(t) > 2 {
					a.vs += 2
					if s.buf[a.vs] == '=' && a.vs+1 < a.ve {
						a.vs++
					}
					for a.vs < a.ve && (s.buf[a.vs] == '\'' || s.buf[a.vs] == '"') {
						a.vs++
						a.ve--
					}
				} else if i+1 < len(args) {
					i++
					a = args[i]
				} else {
					continue
				}
				s.userArg(a)
				continue
			case f.pair != "" && len(t) < 8 && indexByte(f.pair, t[len(t)-1]) && letters(t[1:]) && i+1 < len(args):
				i++ // flags together: -sSu user:password
				s.userArg(args[i])
				continue
			case (c == 'u' || c == 'U') && s.Identify && f.name != "sudo":
				a := args[i]
				if a.vs += 2; len(t) == 2 && i+1 < len(args) {
					a = args[i+1]
				}
				s.accountArg(a)
			}
			continue
		}
		if bytes.HasPrefix(t, []byte("--user")) || bytes.HasPrefix(t, []byte("--proxy-user")) {
			a := args[i]
			if e := bytes.IndexByte(t, '='); e > 0 {
				a.vs += e + 1
				if a.vs < a.ve && (s.buf[a.vs] == '\'' || s.buf[a.vs] == '"') {
					a.vs++
					a.ve -= btoi(s.buf[a.ve-1] == '\'' || s.buf[a.ve-1] == '"')
				}
			} else if i+1 < len(args) {
				i++
				a = args[i]
			}
			if f.name == "curl" || f.name == "wget" || f.pair != "" || f.name == "etcdctl" || f.name == "ctr" {
				s.userArg(a)
			}
			continue
		}
		if t[0] == '-' {
			continue
		}
		bare++
		if f.bare > 0 && needs && bflag && bare == f.bare {
			s.judge(args[i].vs, args[i].ve, w, true)
			if s.Identify && f.name == "htpasswd" && i > 0 {
				s.accountArg(args[i-1])
			}
			return
		}
	}
}

// passwdOf takes the account in a line that is nothing but passwd NAME, maybe
// behind a prompt or sudo.
func (s *Scanner) passwdOf(args []arg) {
	var who arg
	n := 0
	for _, a := range args {
		if t := s.text(a); len(t) > 0 && t[0] != '-' {
			who = a
			n++
		}
	}
	if n != 1 {
		return
	}
	before := bytes.TrimRight(s.buf[s.ls:args[0].start], " \t")
	before = bytes.TrimRight(bytes.TrimSuffix(before, []byte("passwd")), " \t")
	before = bytes.TrimRight(bytes.TrimSuffix(before, []byte("sudo")), " \t")
	if k := len(before); k == 0 || before[k-1] == '$' || before[k-1] == '#' {
		s.accountArg(who)
	}
}

// wordFlag is true for long flags with one dash: -port, -protocol.
func (s *Scanner) wordFlag(t []byte) bool {
	for _, f := range []string{"-port", "-protocol", "-print", "-path", "-plugin", "-pager", "-user", "-username", "-authentication", "-cacert", "-progress"} {
		if bytes.HasPrefix(t, []byte(f)) {
			return true
		}
	}
	return false
}

func letters(v []byte) bool {
	for _, c := range v {
		if !isLetter(c) {
			return false
		}
	}
	return true
}

func indexByte(set string, c byte) bool {
	for i := 0; i < len(set); i++ {
		if set[i] == c {
			return true
		}
	}
	return false
}

// accountArg takes an argument that is the name of an account.
func (s *Scanner) accountArg(a arg) {
	for _, c := range s.text(a) {
		if !isAccountChar(c) {
			return
		}
	}
	s.addAccount(a.vs, a.ve)
}

// userArg hides the password of user:password (or user%password).
func (s *Scanner) userArg(a arg) {
	t := s.text(a)
	i := bytes.IndexByte(t, ':')
	if i < 0 {
		i = bytes.IndexByte(t, '%')
		if i < 0 {
			i = bytes.IndexByte(t, ',')
		}
	}
	if i < 0 && s.brTools() {
		i = bytes.IndexByte(t, '/')
	}
	if i < 0 && len(t) >= 16 && looksRandom(t) && !isPath(t) {
		s.judge(a.vs, a.ve, want{class: keyname.Strong, kind: keyname.Token, rule: "command"}, true)
		return // a token alone
	}
	if i < 0 || i+1 >= len(t) || bytes.Contains(t, []byte("://")) {
		return
	}
	if s.Identify {
		s.accountArg(arg{a.start, a.vs + i, a.vs, a.vs + i})
	}
	pw := t[i+1:]
	if s.spare(pw, keyname.Strong) || isTemplate(pw) || exampleWord(pw) {
		return
	}
	s.hide(a.vs+i+1, a.ve, keyname.Password, "command")
}

// exampleWord is what documentation writes in place of a password.
func exampleWord(v []byte) bool {
	return foldIs(v, "password") || foldIs(v, "pass") || foldIs(v, "passwd") || foldIs(v, "token") || foldIs(v, "apikey")
}

// netUse reads: net use Z: \\host\share PASSWORD /user:NAME.
func (s *Scanner) netUse(args []arg) {
	if len(args) > 2 && string(s.text(args[0])) == "user" {
		// net user NAME PASSWORD /add
		if s.Identify {
			s.accountArg(args[1])
		}
		if t := s.text(args[2]); len(t) > 0 && t[0] != '/' && t[0] != '*' {
			s.judge(args[2].vs, args[2].ve, want{class: keyname.Strong, kind: keyname.Password, rule: "command"}, true)
		}
		return
	}
	if len(args) > 0 && string(s.text(args[0])) != "use" {
		return
	}
	share := false
	for _, a := range args[min(1, len(args)):] {
		t := s.text(a)
		if bytes.HasPrefix(t, []byte(`\\`)) {
			share = true
			if e := bytes.IndexByte(t[2:], '\\'); e > 2 && s.Identify && isLetter(t[2]) {
				s.ident(a.vs+2, a.vs+2+e, Host)
			}
			continue
		}
		if share && len(t) > 0 && t[0] != '/' && t[0] != '*' {
			s.judge(a.vs, a.ve, want{class: keyname.Strong, kind: keyname.Password, rule: "command"}, true)
			return
		}
	}
}

// oracle reads user/password@service.
func (s *Scanner) oracle(args []arg, more bool) {
	for _, a := range args {
		t := s.text(a)
		if isStop(t) {
			return
		}
		i := bytes.IndexByte(t, '/')
		if i <= 0 || t[0] == '-' || t[0] == '@' {
			continue
		}
		e := bytes.LastIndexByte(t, '@')
		if e < i {
			e = len(t)
		}
		if e > i+1 {
			s.judge(a.vs+i+1, a.vs+e, want{class: keyname.Strong, kind: keyname.Password, rule: "command"}, true)
		}
		if !more {
			return
		}
	}
}

// usmUser reads the line of network gear that makes a user of SNMP:
// snmp-server user NAME GROUP v3 auth sha KEY priv aes 128 KEY.
func (s *Scanner) usmUser() bool {
	p := nonSpace(s.buf, s.ls, s.le)
	l := s.buf[p:s.le]
	if len(l) < 20 || !(foldEqual(l[:9], "username ") && bytes.Contains(l, []byte(" priv "))) && (!foldEqual(l[:5], "snmp-") || !containsFold(l[:20], " user ") && !containsFold(l[:20], "usm-user ")) {
		return false
	}
	args := &s.args
	n := s.split(args)
	for i := 2; i+1 < n; i++ {
		if t := s.text(args[i]); !foldIs(t, "auth") && !foldIs(t, "priv") && !foldIs(t, "privacy-mode") && !foldIs(t, "authentication-mode") && !foldIs(t, "simple") && !foldIs(t, "cipher") {
			continue
		}
		for i++; i < n && (protocol(s.text(args[i])) || bytes.HasSuffix(s.text(args[i]), []byte("-mode"))); i++ {
		}
		if i < n {
			s.judge(args[i].vs, args[i].ve, want{class: keyname.Strong, kind: keyname.Password, rule: "snmp"}, true)
		}
	}
	return true
}

// protocol is true for what stands between auth or priv and the key.
func protocol(v []byte) bool {
	for _, t := range []string{"md5", "sha", "sha1", "sha-1", "sha224", "sha-224", "sha256", "sha-256", "sha384", "sha-384", "sha512", "sha-512", "sha-2", "aes", "aes128", "aes-128", "aes192", "aes-192", "aes256", "aes-256", "des", "des56", "3des", "128", "192", "224", "256", "384", "512", "encrypted", "localized", "0", "5", "6", "7", "simple", "cipher"} {
		if foldIs(v, t) {
			return true
		}
	}
	return false
}

// snmpUser reads: createUser NAME SHA "authphrase" AES "privphrase".
func (s *Scanner) snmpUser(args []arg) {
	if s.Identify && len(args) > 2 {
		s.accountArg(args[0])
	}
	for i := 0; i+1 < len(args); i++ {
		switch t := s.text(args[i]); {
		case string(t) == "-c" && !isNumber(s.text(args[i+1])) && len(args) >= i+4:
			// of a storage array: createuser -c PASSWORD NAME DOMAIN ROLE
			s.judge(args[i+1].vs, args[i+1].ve, want{class: keyname.Strong, kind: keyname.Password, rule: "command"}, true)
			return
		case foldIs(t, "sha"), foldIs(t, "md5"), foldIs(t, "aes"), foldIs(t, "des"), bytes.HasPrefix(t, []byte("SHA-")), bytes.HasPrefix(t, []byte("AES-")), foldIs(t, "sha-256"), foldIs(t, "aes128"), foldIs(t, "3des"):
			s.judge(args[i+1].vs, args[i+1].ve, want{class: keyname.Strong, kind: keyname.Password, rule: "snmp"}, true)
			i++
		}
	}
}
