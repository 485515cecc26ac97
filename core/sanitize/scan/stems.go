package scan

import (
	"encoding/binary"

	"github.com/latchstring/latchstring/core/sanitize/encoding"
	"github.com/latchstring/latchstring/core/sanitize/keyname"
	"github.com/latchstring/latchstring/core/sanitize/mask"
)

// what a stem leads to
const (
	stemKey       = iota // part of the name of a key
	stemCommand          // a command with secrets among its arguments
	stemURL              // ://
	stemURLCoded         // :// with percent signs
	stemPEM              // -----BEGIN
	stemHash             // $6$
	stemSQL              // IDENTIFIED BY
	stemMail             // user:password@tcp(
	stemDoc              // says what the lines below are
	stemInvisible        // what a terminal does not show
	stemAccount          // beside the name of an account
	stemShort            // a token that may be shorter than a run
	stemLine             // a line of a password file
	stemEscape           // an escaped letter in the name of a key
	stemCall             // a function that takes a secret by position
	stemChars            // a string of Java as an array of characters
	stemFrame            // the arguments of a call in JSON
	stemJWK              // a JSON Web Key
	stemACL              // a user of Redis
	stemTime             // a key of chrony
	stemVault            // the first line of an Ansible vault
	stemPhrase           // words of a program before a secret
	stemCoded            // an escaped letter in the name of a parameter
	stemThin             // a user and a password in a URL of Oracle
	stemIssuer           // somebody whose ids are short
	stemNear             // a word beside which a name makes a token
	stemShow             // a command that prints a secret
	stemSection          // the head of a section of accounts
)

type stem struct {
	text string
	what int
}

// stemTable lists what a line is searched for. Letters match in both cases.
// Three bytes at least, so that the filter works.
var stemTable = buildStems()

// Stems of hits that are not found by their text: names that the user gave,
// words with letters beyond ASCII, and what a terminal does not show.
var userStem, foreignStem, invisibleStem, userWordStem int

func buildStems() []stem {
	var t []stem
	add := func(what int, texts ...string) {
		for _, x := range texts {
			t = append(t, stem{x, what})
		}
	}
	add(stemKey, "pass", "pwd", "pw:", "pw=", "pw\"", "pw'", "pw ", "pw|", "pw,", "pw<", "pw\\", "pw}", "pw]", "psw", "pword", "pssw", "pasw", "secret", "token", "key", "cred",
		"auth", "psk", "jwt", "bearer", "cookie", "session_", "sessionid", "session-", "session=", "sessid", "sid=", "community", "geheim", "jeton", "senha", "wachtwoord", "haslo", "heslo",
		"salasana", "losenord", "parola", "clave", "chiave", "chave ", "chave:", "adgangskode", "kata sandi", "kennwort", "contrasena", "mdp=", "mdp:", "mdp ", "mdp :", "mot de passe", "licen", "signature", "webhook",
		"appid=", "recovery code", "backup code", "sharedaccess", "csrf", "xsrf", "com2sec", "origin-verify", "origin_verify", "xauth", "encrypt", "tenant_id", "tenantid", "tenant-id", "hmac", "private", "contribsys", "ear-text", "samlresp", "nthash", "smbhash", "unixhash", "pkcs12:", "sapsso", "aspsessionid")
	for _, w := range []string{"salt", "seed", "pin", "sig", "sas", "otp", "mfa", "nonce", "sso", "login", "pepper", "pat", "kek"} {
		for _, c := range []string{"=", ":", "\"", "'", " =", " :"} {
			add(stemKey, w+c)
		}
	}
	add(stemKey, "pin ", "pin>")
	add(stemLine, ":5432:", "*:*:", ":*:*:", ":5433:", ":6432:", "]:587 ", "]:465 ", "]:25 ", "]:2587 ", "]:2525 ", " => ")
	add(stemShort, "AKC", "AP0", "AP1", "AP2", "AP3", "AP4", "AP5", "AP6", "AP7", "AP8", "AP9", "APA", "APB", "APC", "APD", "APE", "APF")
	add(stemEscape, "\\u00")
	add(stemInvisible, "#033[", "\\033[", "\\x1b[", "\\u001b[", "\\e[", "^[[")
	userStem = len(t)
	add(stemKey, "\x00\x00\x00")
	foreignStem = len(t)
	add(stemKey, "\x00\x00\x00")
	invisibleStem = len(t)
	add(stemInvisible, "\x00\x00\x00")
	userWordStem = len(t)
	add(stemAccount, "user", "/home/", "/users/", "sudo: ", "(uid=", "'@'", "password for ", "publickey for ", "interactive/pam for ", "none for ", "hostname", "host-name", "sysname", "switchname", "entity-name ", "user name: ", "sql(", "pam(", "ldap(", "imap(", "pop3(", "lmtp(", " role ",
		`\users\`, "drwx", "-rw-", "-rwx", "lrwx", "gid=", ",ou=", " pts/", "ner:", "ner=", "odename:", "odename\":", "odename=", "gnu/linux", "ppid", ` \\`, `"\\`, `=\\`, `'\\`, `acct="`, "changed for ", "uid: ", `uname="`, "fatal: [", "ged: [", "ok: [", "skipping: [", "unreachable=", "machine: ", "benutzer", "utilisateur", "usuario", "ytkownik", "-aduser ", "credential(", "setpassword ", "identity=", "-identity ", "passwd-file(", "author: ", "ansible_host", "computername>", " cifs ", " nfs", "login ")
	add(stemDoc, "kind:", "data:", "stringdata:", "---", "private-lines", "private-mac")
	add(stemCommand, "curl", "wget", "mysql", "mariadb", "sshpass", "login -", " -p ", "'-p'", "\"-p\"", "ldap", "redis-cli", "mongo", "ipmi", "snmp", "net use", "net  use",
		"smbclient", "identified", "createuser", "plink", "winexe", "rpcclient", "--user", " -u ", "freerdp", "rdesktop", "lftp", "htpasswd", "passwd", "zip ", "openssl", "sqlplus", "psql", "rabbitmqctl", "kinit", "cifs", "keytool", "ssh-keygen", "net user", "net  user", "net1.exe user", "net1 user", "sudo -s", "encrypt_string", "7z ", "isql", "sqlcmd", "cmdkey", "-proxy-user", "-stdin", "impdp", "expdp",
		"<<<", "echo ", "f '%s", "f \"%s", "wpa_pass", "radtest", "addauth", "alias set", "\"alias\"", "cargo login", "vicfg-", "maas login", "secret create ", "vault login", "vault kv p", "kv put ", "etcdctl", "upwd ", "setx ", "mkstore ", "-agent-token", "unseal ", "obscure ", "db2 ", "user add", "racadm", "--value", "basic.", "-pw ", "zerotier-cli", "rman target", " -a ", "pk12util", "sipp ", "bw unlock ", "bw login ", "exp ", "imp ", "unrar", "nuget push", "gem push", "auth init", " /rp ", "hdbuserstore", "sapgenpse", "dir-cli", "clevis ", "osql ", "bcp ", "nmcli ", "winrs ", "sethost ", "qlogin ", "domainjoin", "userconfig", "aaaconfig", "setuser -")
	add(stemURL, "://")
	add(stemURLCoded, "%3a%2f%2f")
	add(stemCall, "tconnection(", "verify(", "enticate(", "entication(", "pdo(", "mysqli(", "yentry(", "rypt.hash(", "bcrypt(", "crypt.crypt(", "rypt.hashpw(", "password_hash(", "te_superuser(", "te_user(", "login(", "connect(", "bind_s(", "_bind(", ".bind(", "ftp(", "imap_open(", "_construct(", "pw_set(", "smbconnection(")
	add(stemCall, "identity(", "signwith(", "heriv(", "sequelize(", "te2(", "derivebytes(", ".begin(", "softap(", "createasync(", "shids(", "fernet(", "signedstring(", "crypt.hash", "crypt.compare", "_hmac(", "hmac.new(", "aes.encrypt(")
	add(stemChars, "rarray()")
	add(stemFrame, `"args":`, `"params":`, `"arguments":`, `"args" :`)
	add(stemJWK, "kty\"", "kty\\")
	add(stemACL, "+@a", "~* ", "setuser ", "setuser\"", " on >")
	add(stemTime, " hex:")
	add(stemVault, "$ansible_vault")
	add(stemThin, "e:thin:")
	add(stemSection, "[users]", "[admins]", "[passwords]", "[passwd]")
	add(stemNear, "access")
	add(stemShow, "pwgen", "urandom", "sops -d", "keyctl print")
	add(stemIssuer, "linkedin", "sumo")
	add(stemPhrase, "log in with ", "login with ", "logged in with ", "logging in with ", "login as ", "log in as ", "logged in as ", "connect as ", "ident \"", "set radius server ", "set user ", "sql_servers", ",587 ", ",465 ", ",25 ", ":authinfo", "modparam(", "!subst ", "!substdef ", "_bind, {", "# /etc/", "# /usr/", "# /root/", "# /var/", "# /opt/", "==> /", " p: ", "\ttrue\t/", "\tfalse\t/", "@10.", "@192.168.", "@172.", "securestring ", "eap \"", "trapsink ", "trap2sink ", "informsink ", "sp_addlogin", "\"assword", "*assword", "]assword",
		"inguser ", "[root/", "[admin/", ": rsa ", "register =>", "key content", "%^%#", "%@%@", " cipher ", " simple ", "login incorrect", "login ok", "sql> ", " login ", "334 ugfzc3dvcmq6", "\tresp=", "link_md5 ", "client_send", "sqlconnectinfo ", "linkedsrvlogin", "basic ", "?code=", "&code=", "connect target ", "connect catalog ", "connect auxiliary ", "connect sys", "connect scott", "connect rman", "connect app", "connect dba", "connect admin", "authenticate(", "rename-command ", `sensitive"`, `shutdown="`, ` c="`, "sapcontrol ", `"jdbc:`, "obf:", "enc(", "usmuser ", "stonith_host ", "` / `", "(root/", "(admin/", "(administrator/", "(master/", "unseal key ", "recovery key ", "new value:", " assword", "{assword", "@pam!", "@pve!", "@pbs!", ")  (0x", "serv identify ", ":pserver:", "verification code", "one-time code", "security code", "authentication code", "login code", "one time code", "mfa code", "2fa code", "otp code", "unlock code", "sperrcode", "freischaltcode", "sicherheitscode", "tigungscode", "einmalcode", "zugangscode", "v\u00e9rification", "verrouillage", "d'acc\u00e8s", "digo de verificaci\u00f3n", "digo de desbloqueo", "digo de acceso", "tan lautet", "di sblocco", "di verifica", "di accesso", "pairing code", "access code", "totp seed", `read(0, "`, `read(3, "`, `read(4, "`, `read(5, "`, `read(6, "`, `read(7, "`, `read(8, "`, `read(9, "`, "sendline(", "tn.write(", ".send_line(", "simple: ", "decrypted: ", "at+cgauth", "authserver ", "&p=", "u/p: ", "l/p: ", "user/pw ", "login/pw ", ".logon ", "system/", "=sys/", "secret-set-value", "btoa('", `btoa("`, "mk dump:", " root/", " admin/", " root / ", " admin / ", "(root / ", "(admin / ", "(root, ", "(admin, ", "access_token$", ":ommysql:", ":ompgsql:", "{plain}", "{cleartext}", "{clear}", ": admin / ", ": root / ", ": administrator / ", "validcommunities", ":1521", "<arguments>", "<auth-user-pass>", "monitor ", "allow ", "dns cloudflare ", "= cleartext ", "= des ", "master>{", "'digest,'")
	add(stemCoded, "%70", "%73", "%74", "%61", "&#112;", "&#x70;", "&#115;", "&#x73;", "&#116;", "&#x74;", "&#80;", "&#97;")
	add(stemPEM, "-----begin", "---- begin")
	add(stemHash, "$1$", "$a$00", "dhhc-1:", "nvmetlskey-1:", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$y$", "$7$", "$apr1$", "$argon2", "$8$", "$9$", "{ssha", "{sha}", "{crypt}", "{aes", "{3des}", "{xor}", "{md5}", "{smd5}", "$pbkdf2", "pbkdf2_sha", "$scrypt", "pbkdf2:sha", "$gy$", "$sha1$", "$dcc2$", "scram-sha-256$", "bcrypt$", "$p$b", "$h$b", "$h$9", "$p$d")
	add(stemSQL, "identified")
	add(stemMail, "@lan(", "@lanplus(", "@tcp(", "@unix(", "@udp(")
	return t
}

type hit struct {
	pos  int
	stem int
}

// heads finds the stems that begin with three (folded) bytes, and needles is
// what the kernels look for.
var (
	heads     [1 << headBits]uint16 // index in chains; 0 for none
	chainNext [maxChains]next
	chains    []chain
	chained   []stemWord // the stems, chain by chain
	needles   *mask.Needles
)

// chain has the stems that share the beginning of a head: where they are among
// those that are chained.
type chain struct{ from, to uint16 }

// next tells how the stems of a chain may go on behind three bytes: by the low
// six bits of the fourth byte and of the fifth, a bit for each value.
type next struct{ fourth, fifth uint64 }

// sixBits are the low six bits of what may stand at a place of a stem: of its
// byte in both cases, of any byte behind its end.
func sixBits(text string, at int) uint64 {
	if at >= len(text) {
		return ^uint64(0)
	}
	b := uint64(1) << (text[at] & 63)
	if isLetter(text[at]) {
		b |= 1 << ((text[at] ^ 0x20) & 63)
	}
	return b
}

// candidate is a place where a stem may begin.
type candidate struct {
	at   uint16 // in the blocks that are looked at
	head uint16 // in chains
}

// stemWord is the first eight bytes of a stem, without what may differ.
type stemWord struct {
	want, mask uint64
	stem       int16
	size       uint8 // of all of it
}

func wordOf(stem int16) stemWord {
	s := stemTable[stem]
	w := stemWord{stem: stem, size: uint8(len(s.text))}
	for at := range min(8, len(s.text)) {
		m := uint64(0xff)
		if isLetter(s.text[at]) && s.what != stemShort {
			m = 0xdf
		}
		w.mask |= m << (8 * at)
		w.want |= uint64(s.text[at]) & m << (8 * at)
	}
	return w
}

// nearStems are the stems that begin a word of package tokens: see near.
var nearStems = func() []bool {
	t := make([]bool, len(stemTable))
	for i, st := range stemTable {
		switch st.text {
		case "key", "token", "secret", "auth", "private", "pass", "access":
			t[i] = true
		}
	}
	return t
}()

const (
	headBits  = 12
	maxChains = 512 // a power of two, so that an index needs no check
)

func init() {
	byHead := map[uint32][]int16{}
	var texts []string
	for i, s := range stemTable {
		if s.text[0] == 0 {
			continue
		}
		k := headOf(mask.Fold(s.text[0], s.text[1], s.text[2]))
		byHead[k] = append(byHead[k], int16(i))
		texts = append(texts, s.text)
	}
	chains = []chain{{}}
	for k := range uint32(1 << headBits) {
		if len(byHead[k]) == 0 {
			continue
		}
		on, from := next{}, len(chained)
		for _, i := range byHead[k] {
			chained = append(chained, wordOf(i))
			on.fourth |= sixBits(stemTable[i].text, 3)
			on.fifth |= sixBits(stemTable[i].text, 4)
		}
		if len(chains) == maxChains {
			panic("more beginnings of stems than there are chains")
		}
		heads[k] = uint16(len(chains))
		chainNext[len(chains)] = on
		chains = append(chains, chain{uint16(from), uint16(len(chained))})
	}
	needles = mask.NewDealt(texts, dealt[:])
}

func headOf(k uint32) uint32 { return (k * 0x9E3779B1) >> (32 - headBits) }

// appendHits finds all stems that begin in buf[start:end], byte by byte.
func appendHits(dst []hit, buf []byte, start, end int) []hit {
	for i := start; i < end; i++ {
		dst = verifyHit(dst, buf, i, end)
		if c := buf[i]; c == 0x1b || c == 0 || c >= 0x80 && (i == start || buf[i-1] < 0x80) {
			dst = otherHit(dst, buf, i, end)
		}
	}
	return dst
}

// otherHit appends a hit for the escape or the letters beyond ASCII at i.
func otherHit(dst []hit, buf []byte, i, end int) []hit {
	if buf[i] == 0 {
		// UTF-16 amid other text: every second byte is zero.
		if i > 0 && i+2 < end && buf[i+2] == 0 && visible(buf[i-1]) && visible(buf[i+1]) && !(i > 2 && buf[i-2] == 0 && visible(buf[i-3])) {
			dst = append(dst, hit{i, invisibleStem})
		}
		return dst
	}
	if buf[i] == 0x1b || encoding.Invisible(buf[i:min(end, i+4)]) {
		dst = append(dst, hit{i, invisibleStem})
		if buf[i] == 0x1b {
			return dst
		}
	}
	for i+3 < end && buf[i] >= 0xe3 && inWidePunct(buf, i) {
		i += 3
	}
	if buf[i] < 0x80 {
		return dst
	}
	if foreignKeyAt(buf, i, end) || foreignWordAt(buf, i, end) || copulaAt(buf, i, end) > 0 {
		dst = append(dst, hit{i, foreignStem})
	}
	return dst
}

func visible(c byte) bool { return c >= 0x20 && c < 0x7f }

// foreignKeyAt is true when a separator follows the word around i, or a few more
// words first, so that it may be the name of a key.
func foreignKeyAt(buf []byte, i, end int) bool {
	e := i
	for e < end && e-i < 64 && (buf[e] >= 0x80 || isAlnum(buf[e])) {
		if buf[e] == 0xef && separator(buf, e, end) > 0 {
			return true // a full-width colon
		}
		e++
	}
	word := e
	for e < end && (isSpace(buf[e]) || buf[e] == '"' || buf[e] == '\'') {
		e++
	}
	if e < end && e == word+1 && isSpace(buf[word]) && (buf[e] >= 0xc3 || isLetter(buf[e])) {
		// more words: пароль администратора:, clé API du pare-feu :
		for spaces := 0; e < end && e-i < 80 && spaces < 4; e++ {
			if c := buf[e]; c == ' ' {
				spaces++
			} else if c < 0x80 && !isAlnum(c) && c != '\'' && c != '-' {
				break
			}
		}
		for e > word && buf[e-1] == ' ' && (e >= end || separator(buf, e, end) == 0) {
			e--
		}
	}
	return e < end && (separator(buf, e, end) > 0 || buf[e] == '>')
}

// foreignWordAt is true for a word that means a secret, wherever it stands: la
// contraseña es x.
func foreignWordAt(buf []byte, i, end int) bool {
	b, e := i, i
	for b > 0 && i-b < 24 && isLetter(buf[b-1]) {
		b--
	}
	for e < end && e-i < 48 && (buf[e] >= 0x80 || isLetter(buf[e])) {
		e++
	}
	if e-b < 4 {
		return false
	}
	if buf[i] >= 0xe0 && e-b >= 6 && keyname.ForeignEnd(buf[b:e]) > 0 {
		return true // scripts without blanks
	}
	if e < end && (isAlnum(buf[e]) || buf[e] == '_' || buf[e] == '-') {
		return false
	}
	if c, _ := keyname.Classify(buf[b:e]); e-b >= 6 && c == keyname.Strong {
		return true
	}
	if e >= end {
		return false
	}
	n := e + 1 // mật khẩu, كلمة المرور
	for n < end && n-e < 32 && (buf[n] >= 0x80 || isLetter(buf[n])) {
		n++
	}
	return n > e+6 && keyname.ForeignEnd(buf[b:n]) > e-b
}

// verifyHit appends the stems that begin at i.
func verifyHit(dst []hit, buf []byte, i, end int) []hit {
	if i+3 > end {
		return dst
	}
	c := heads[headOf(mask.Fold(buf[i], buf[i+1], buf[i+2]))]
	if c == 0 {
		return dst
	}
	return verifyChain(dst, buf, i, end, chains[c])
}

// verifyChain appends the stems of a chain that begin at i.
func verifyChain(dst []hit, buf []byte, i, end int, c chain) []hit {
	words := chained[c.from:c.to]
	if i+8 > len(buf) {
		for k := range words {
			dst = verifyStem(dst, buf, i, end, int(words[k].stem))
		}
		return dst
	}
	v := binary.LittleEndian.Uint64(buf[i:])
	for k := range words {
		w := &words[k]
		switch {
		case v&w.mask != w.want:
		case w.size > 8:
			dst = verifyStem(dst, buf, i, end, int(w.stem))
		case i+int(w.size) <= end:
			dst = append(dst, hit{i, int(w.stem)})
		}
	}
	return dst
}

// verifyStem appends a stem if it begins at i.
func verifyStem(dst []hit, buf []byte, i, end, stem int) []hit {
	t := &stemTable[stem]
	if i+len(t.text) > end {
		return dst
	}
	if v := buf[i : i+len(t.text)]; t.what == stemShort && string(v) == t.text || t.what != stemShort && foldEqual(v, t.text) {
		dst = append(dst, hit{i, stem})
	}
	return dst
}

// foldEqual compares without regard to the case of ASCII letters; t is in
// lower case where it is ASCII.
func foldEqual(b []byte, t string) bool {
	for i := 0; i < len(t); i++ {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != t[i] {
			return false
		}
	}
	return true
}
