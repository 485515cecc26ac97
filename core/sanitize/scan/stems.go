package scan

// what a stem leads to
const (
	stemKey     = iota // part of the name of a key
	stemCommand        // a command with secrets among its arguments
	stemURL            // ://
	stemPEM            // -----BEGIN
	stemHash           // $6$
	stemSQL            // IDENTIFIED BY
	stemMail           // user:password@tcp(
)

type stem struct {
	text string
	what int
}

// stemTable lists what a line is searched for. Letters match in both cases.
// Three bytes at least, so that the filter works.
var stemTable = buildStems()

func buildStems() []stem {
	var t []stem
	add := func(what int, texts ...string) {
		for _, x := range texts {
			t = append(t, stem{x, what})
		}
	}
	add(stemKey, "pass", "pwd", "pw:", "pw=", "pw\"", "pw'", "pw ", "pw,", "pw<", "pw\\", "psw", "pword", "secret", "token", "key", "cred",
		"auth", "psk", "jwt", "bearer", "cookie", "session", "sessid", "sid=", "community", "geheim", "senha", "wachtwoord", "haslo", "heslo",
		"salasana", "losenord", "parola", "kennwort", "contrasena", "mdp", "mot de passe", "salt", "seed", "pin", "licen", "sig=",
		"signature", "sas", "otp", "mfa", "nonce", "webhook", "sso", "private", "hmac", "tenant", "access", "com2sec", "sharedaccess", "csrf", "login")
	for _, f := range foreignStems {
		add(stemKey, f)
	}
	add(stemCommand, "curl", "wget", "mysql", "mariadb", "sshpass", "login", "ldap", "redis-cli", "mongo", "ipmi", "snmp", "net use",
		"smbclient", "identified", "createuser", "plink", "winexe", "rpcclient", "--user", " -u ", "freerdp", "rdesktop", "lftp", "htpasswd", "passwd", "zip ", "openssl", "sqlplus", "psql", "rabbitmqctl", "kinit", "cifs", "keytool", "isql", "sqlcmd", "cmdkey", "-proxy-user")
	add(stemURL, "://")
	add(stemPEM, "-----begin", "---- begin")
	add(stemHash, "$1$", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$y$", "$7$", "$apr1$", "$argon2", "$8$", "$9$", "{ssha", "{sha}", "{crypt}", "{md5}", "{smd5}", "$pbkdf2", "pbkdf2_sha", "$scrypt", "pbkdf2:sha", "$gy$", "$sha1$", "scram-sha-256$", "bcrypt$")
	add(stemSQL, "identified")
	add(stemMail, "@tcp(", "@unix(", "@udp(")
	return t
}

// foreignStems are the beginnings of the names that package keyname knows in
// other scripts, in the cases in which they are written.
var foreignStems = []string{
	"парол", "Парол", "ПАРОЛ", "секрет", "Секрет", "токен", "Токен", "ключ", "Ключ", "лозинк", "Лозинк", "密码", "密碼", "口令", "密钥", "密鑰", "令牌", "秘密",
	"パスワ", "暗証番", "シーク", "トーク", "비밀번", "암호", "패스워", "토큰", "contrase\u00f1", "hasł", "Hasł", "lösenord", "Lösenord", "şifre", "Şifre", "mật k", "Mật k", "jelszó", "geslo", "slapta\u017e",
	"κωδικ", "Κωδικ", "סיסמ", "كلمة", "รหัส", "पासव", "schlüssel", "Schlüssel", "clé",
}

type hit struct {
	pos  int
	stem int
}

const filterBits = 15

// filter holds a bit for each three bytes (lower-cased) that begin a stem;
// byFirst lists the stems by those bytes.
var (
	filter  [1 << filterBits / 64]uint64
	byFirst = make(map[uint32][]int)
)

func init() {
	for i, s := range stemTable {
		k := uint32(s.text[0]) | uint32(s.text[1])<<8 | uint32(s.text[2])<<16 | 0x202020
		h := hash3(k)
		filter[h/64] |= 1 << (h % 64)
		byFirst[k] = append(byFirst[k], i)
	}
}

func hash3(k uint32) uint32 { return (k * 0x9E3779B1) >> (32 - filterBits) }

// appendHits finds all stems that begin in buf[start:end].
func appendHits(dst []hit, buf []byte, start, end int) []hit {
	for i := start; i+3 <= end; i++ {
		k := uint32(buf[i]) | uint32(buf[i+1])<<8 | uint32(buf[i+2])<<16 | 0x202020
		h := hash3(k)
		if filter[h/64]>>(h%64)&1 == 0 {
			continue
		}
		dst = verifyHit(dst, buf, i, end, k)
	}
	return dst
}

func verifyHit(dst []hit, buf []byte, i, end int, k uint32) []hit {
	for _, id := range byFirst[k] {
		t := stemTable[id].text
		if i+len(t) <= end && foldEqual(buf[i:i+len(t)], t) {
			dst = append(dst, hit{i, id})
		}
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
