package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// abroad are the words for a password in other languages that have ASCII letters
// only, as they begin.
var abroad = listOf("passwort", "passord", "kennwort", "wachtwoord", "adgangskode", "salasana", "senha", "parola", "heslo", "haslo", "mdp", "mot de passe", "clave", "contrasena", "losenord", "kata sandi", "geslo", "jelszo", "sifre", "lozinka")

// toldInScript looks at what follows a name in another script than the Latin one.
// There a word of ASCII letters and digits is the secret, with blanks around it
// or without: パスワードをsakura-88に変更, κωδικός είναι Athina24.
func (s *Scanner) toldInScript() bool {
	buf := s.buf
	n := keyname.ForeignEnd(buf[s.toldFrom:min(s.le, s.toldAt+32)])
	if n == 0 || buf[s.toldFrom+n-1] < 0x80 || buf[s.toldFrom+n-2] < 0xce && buf[s.toldFrom+n-2] >= 0xc0 {
		return false
	}
	from := s.toldFrom + n
	rest := buf[from:min(s.le, from+maxTold)]
	if len(rest) > 0 && (rest[0] == ':' || rest[0] == '=') {
		return false // a setting: that was decided
	}
	for p := 0; p < len(rest); {
		for p < len(rest) && (rest[p] <= ' ' || rest[p] >= 0x7f) {
			p++
		}
		e := p
		for e < len(rest) && rest[e] > ' ' && rest[e] < 0x7f {
			e++
		}
		b, t, _ := unquoted(rest, p, e)
		if bytes.ContainsAny(rest[p:e], "=(){}[]<>;|$") {
			return false
		}
		if t > b && s.tellable(rest[b:t], false) {
			for _, w := range outcomes {
				if bytes.Contains(rest[:p], []byte(w)) {
					return false
				}
			}
			s.tell(from+b, from+t)
			return true
		}
		p = max(e, p+1)
	}
	return false
}

// outcomes are words about what became of a password, or how it has to be.
var outcomes = []string{"错误", "失败", "成功", "正确", "验证", "过期", "错", "長度", "长度", "策略", "失敗", "エラー", "期限", "認証", "文字", "실패", "오류", "만료", "정책", "ошиб", "невер", "истек", "срок", "длин", "полит", "пользоват", "учетн", "истёк"}

// foreignWord is true for a name that begins with one of abroad, or ends so:
// Wachtwoord, Initialpasswort.
func foreignWord(v []byte) bool {
	if abroad.has(v) || abroad.begins(v) != "" {
		return true
	}
	for _, t := range [...]string{"passwort", "kennwort", "wachtwoord", "passord"} {
		if i := len(v) - len(t); i > 3 && foldEqual(v[i:], t) {
			return true
		}
	}
	return false
}
