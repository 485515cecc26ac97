package keyname

import "testing"

func TestClassify(t *testing.T) {
	for class, names := range map[Class][]string{
		Strong: {
			"password", "PASSWORD", "db_password", "dbPassword", "DB-PASSWORD", "spring.datasource.password", "mysqlrootpwd", "passwd", "passphrase", "pw", "userPassword",
			"secret", "client_secret", "clientSecret", "CLIENT_SECRET_2", "jwt.secret", "secretKey", "SECRET_KEY_BASE", "shared-secret",
			"token", "accessToken", "access_token", "github_token", "rubygemsAPIToken_token", "pulumi-api-tokenToken", "X-Vault-Token",
			"api_key", "apiKey", "APIKEY", "x-api-key", "slapikey", "aws_secret_access_key", "AccountKey", "SharedAccessKey", "private_key", "licenseKey",
			"credentials", "authtok", "ldap_default_authtok", "bindpw", "requirepass", "psk", "community", "rocommunity",
			"PHPSESSID", "пароль", "Пароль", "密码", "contraseña", "mot de passe", "Passwort", "root_password_sha2", "trust_store_password", "token2",
		},
		Weak:   {"key", "auth", "sentry_key", "klaviyo_key", "encrypt", "signature", "aws_access_key_id"},
		Policy: {"password_policy", "password_min_length", "app.password.min-length", "passwordFile", "password_file", "token_type", "token_endpoint", "access-token-validity", "lock_passwd", "secretName", "PASSWORD_HASHERS", "password_hint", "PublicKeyToken", "token_ttl", "max_tokens"},
		Harmless: {"user", "host", "public_key", "primaryKey", "foreignKey", "key_down_event", "compass", "secretary", "passenger", "monkey", "keyboard", "bypass", "port", "author", "кот",
			"authorized_keys", "partition_key"},
	} {
		for _, n := range names {
			if got, _ := Classify([]byte(n)); got != class {
				t.Errorf("Classify(%q) = %d, want %d", n, got, class)
			}
		}
	}
}

func TestClassifyAllocatesNothing(t *testing.T) {
	name := []byte("spring.datasource.hikari.dataSourcePassword")
	if n := testing.AllocsPerRun(100, func() { Classify(name) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzClassify(f *testing.F) {
	f.Add([]byte("db_password"))
	f.Add([]byte("APIKEYs"))
	f.Add([]byte("пароль"))
	f.Fuzz(func(t *testing.T, name []byte) {
		a, ka := Classify(name)
		b, kb := Classify(name)
		if a != b || ka != kb {
			t.Errorf("%q is classified in two ways", name)
		}
	})
}
