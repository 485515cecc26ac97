package keyname

import (
	"bytes"
	"unicode/utf8"
)

// foreignNames are words for passwords and secrets in other scripts and with
// accents, in lower case where the script has cases.
var foreignNames = []struct {
	name string
	kind Kind
}{
	{"пароль", Password}, {"пароля", Password}, {"парола", Password}, {"лозинка", Password}, {"секрет", Secret}, {"токен", Token}, {"ключ", APIKey},
	{"密码", Password}, {"密碼", Password}, {"口令", Password}, {"密钥", APIKey}, {"密鑰", APIKey}, {"令牌", Token}, {"秘密", Secret},
	{"パスワード", Password}, {"暗証番号", Password}, {"シークレット", Secret}, {"トークン", Token}, {"apiキー", APIKey}, {"アクセスキー", APIKey}, {"秘密鍵", APIKey}, {"秘密キー", APIKey}, {"暗号キー", APIKey}, {"シークレットキー", Secret},
	{"비밀번호", Password}, {"암호", Password}, {"패스워드", Password}, {"비번", Password}, {"토큰", Token},
	{"contraseña", Password}, {"contrasenya", Password}, {"hasło", Password}, {"lösenord", Password}, {"şifre", Password}, {"mật khẩu", Password},
	{"jelszó", Password}, {"geslo", Password}, {"slaptažodis", Password}, {"κωδικός", Password}, {"סיסמה", Password}, {"كلمة المرور", Password}, {"كلمة السر", Password}, {"รหัสผ่าน", Password}, {"पासवर्ड", Password},
	{"zugangsschlüssel", APIKey}, {"schlüssel", APIKey}, {"clé secrète", APIKey}, {"clé", APIKey},
}

// foreignPolicies are words that make such a name speak about a secret only: its
// length, its age, how it has to be.
var foreignPolicies = []string{"长度", "長度", "策略", "有效期", "过期", "過期", "复杂", "次数", "长さ", "長さ", "有効期限", "ポリシー", "文字数", "길이", "정책", "만료", "length", "policy"}

// foreignName looks for such a word in name, without regard to case.
func foreignName(name []byte) (Kind, bool) {
	var buf [192]byte
	low := appendLower(buf[:0], name)
	for _, p := range foreignPolicies {
		if bytes.Contains(low, []byte(p)) {
			return "", false
		}
	}
	for _, f := range foreignNames {
		if bytes.Contains(low, []byte(f.name)) {
			return f.kind, true
		}
	}
	return "", false
}

// ForeignEnd is where the first such word for a password in text ends, or 0.
func ForeignEnd(text []byte) int {
	var buf [192]byte
	low := appendLower(buf[:0], text)
	for _, f := range foreignNames {
		if i := bytes.Index(low, []byte(f.name)); i >= 0 && f.kind == Password {
			return i + len(f.name)
		}
	}
	return 0
}

// appendLower lower-cases Latin and Cyrillic letters without allocating; other
// scripts of the table have no case.
func appendLower(dst, src []byte) []byte {
	for len(src) > 0 && len(dst) < 180 {
		r, n := utf8.DecodeRune(src)
		switch {
		case r >= 'A' && r <= 'Z', r >= 'À' && r <= 'Þ' && r != '×', r >= 'Α' && r <= 'Ω':
			r += 0x20
		case r >= 'А' && r <= 'Я':
			r += 0x20
		case r == 'Ş':
			r = 'ş'
		case r == 'Ł':
			r = 'ł'
		}
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, src[0])
		} else {
			dst = utf8.AppendRune(dst, r)
		}
		src = src[n:]
	}
	return dst
}
