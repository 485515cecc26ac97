package keyname

type verdict struct {
	class Class
	kind  Kind
}

// secretWords are whole words that make a name secret.
var secretWords = map[string]Kind{
	"password": Password, "passwords": Password, "passwd": Password, "passwort": Password,
	"pass": Password, "pw": Password, "pwd": Password, "pword": Password, "psw": Password,
	"pswd": Password, "psswd": Password, "pswrd": Password, "psword": Password, "psswrd": Password, "pssword": Password, "paswd": Password, "paswrd": Password, "pasword": Password, "passwrd": Password, "passphrase": Password, "passphrases": Password, "passcode": Password,
	"kennwort": Password, "contrasena": Password, "senha": Password, "wachtwoord": Password,
	"haslo": Password, "motdepasse": Password, "passe": Password, "mdp": Password, "heslo": Password,
	"salasana": Password, "clave": Password, "chiave": Password, "chave": Password, "adgangskode": Password, "katasandi": Password, "sandi": Password, "passord": Password, "jeton": Token, "losenord": Password, "parola": Password,
	"authtok": Password, "userpassword": Password, "rootpw": Password, "bindpw": Password,
	"requirepass": Password, "masterauth": Password, "passin": Password, "passout": Password,
	"adminpw": Password, "storepass": Password, "keypass": Password, "stdin_pw": Password,
	"secret": Secret, "secrets": Secret, "secrete": Secret, "geheim": Secret, "geheimnis": Secret,
	"clientsecret": Secret, "appsecret": Secret, "salt": Secret, "pepper": Secret, "seed": Secret,
	"psk": Secret, "xauth": Secret, "presharedkey": Secret, "preshared": Secret, "nkey": APIKey,
	"token": Token, "tokens": Token, "jwt": Token, "bearer": Token, "accesstoken": Token,
	"authtoken": Token, "pat": Token, "otp": Token, "totp": Token, "mfa": Token,
	"apikey": APIKey, "apikeys": APIKey, "appkey": APIKey, "accesskey": APIKey, "secretkey": APIKey,
	"privatekey": APIKey, "masterkey": APIKey, "sharedkey": APIKey, "authkey": APIKey,
	"accountkey": APIKey, "licensekey": APIKey, "signingkey": APIKey, "encryptionkey": APIKey,
	"aeskey": APIKey, "deskey": APIKey, "querykey": APIKey, "noncekey": APIKey, "loggedinkey": APIKey,
	"credential": Credential, "credentials": Credential, "cred": Credential, "creds": Credential,
	"community": Community, "rocommunity": Community, "rwcommunity": Community,
	"rocommunity6": Community, "rwcommunity6": Community, "com2sec": Community,
	"setcookie": Cookie, "xsrf": Token, "csrf": Token, "csrftoken": Token,
	"phpsessid": Cookie, "jsessionid": Cookie, "aspxauth": Cookie, "mysapsso": Cookie, "aspnetsessionid": Cookie, "sessionid": Cookie, "sessid": Cookie,
	"authorization": Token, "proxyauthorization": Token,
	"sas": Token, "sastoken": Token, "sharedaccesssignature": Token,
}

// weakWords may make a name secret, if the value looks like one.
var weakWords = map[string]Kind{
	"auth": Token, "appid": APIKey, "encrypt": APIKey, "key": APIKey, "keys": APIKey, "authentication": Token,
	"login": Password, "session": Cookie, "cookie": Cookie, "cookies": Cookie, "sid": Cookie, "signature": Token,
	"sig": Token, "nonce": Token, "license": APIKey, "licence": APIKey, "hash": Secret,
	"cert": Secret, "code": Token, "access": Token, "private": APIKey, "pin": Password, "pins": Password, "sso": Token, "webhook": Token,
}

// stems are searched in names without seams: mysqlrootpwd, rubygemsapitoken.
var stems = []struct {
	stem  string
	kind  Kind
	whole bool // only at an end of the name
}{
	{"password", Password, false}, {"passwd", Password, false}, {"passwort", Password, false},
	{"passphrase", Password, false}, {"passwrd", Password, false}, {"passcode", Password, false},
	{"contribsys", Secret, false}, {"secret", Secret, false}, {"token", Token, false}, {"apikey", APIKey, false},
	{"accesskey", APIKey, false}, {"secretkey", APIKey, false}, {"privatekey", APIKey, false},
	{"privkey", APIKey, false}, {"activationkey", APIKey, false}, {"productkey", APIKey, false}, {"masterkey", APIKey, false}, {"sharedkey", APIKey, false},
	{"authkey", APIKey, false}, {"authenticationkey", APIKey, false}, {"accountkey", APIKey, false}, {"licensekey", APIKey, false},
	{"licencekey", APIKey, false}, {"signingkey", APIKey, false}, {"encryptionkey", APIKey, false},
	{"encryptkey", APIKey, false}, {"decryptionkey", APIKey, false}, {"cryptkey", APIKey, false},
	{"integrationkey", APIKey, false}, {"servicekey", APIKey, false}, {"deploykey", APIKey, false},
	{"sessionkey", APIKey, false}, {"storagekey", APIKey, false}, {"appkey", APIKey, true},
	{"applicationkey", APIKey, false}, {"consumerkey", APIKey, false}, {"hmackey", APIKey, false},
	{"aeskey", APIKey, false}, {"adminkey", APIKey, false}, {"serverkey", APIKey, true}, {"writekey", APIKey, false}, {"readkey", APIKey, false},
	{"userkey", APIKey, true}, {"clientkey", APIKey, true}, {"ingestkey", APIKey, false}, {"sendkey", APIKey, false}, {"projectkey", APIKey, true},
	{"insertkey", APIKey, false}, {"webhookkey", APIKey, false}, {"validationkey", APIKey, false}, {"machinekey", APIKey, false},
	{"loggedinkey", APIKey, false}, {"noncekey", APIKey, false}, {"cipherkey", APIKey, false}, {"instrumentationkey", APIKey, false}, {"authsalt", Secret, true}, {"loggedinsalt", Secret, true}, {"noncesalt", Secret, true}, {"sshkey", APIKey, true}, {"rsakey", APIKey, true}, {"recoverykey", APIKey, false},
	{"subscriptionkey", APIKey, false}, {"functionkey", APIKey, false}, {"hostkey", APIKey, true}, {"preshared", Secret, false},
	{"credential", Credential, false}, {"authtok", Password, false},
	{"pwd", Password, true}, {"pswd", Password, true}, {"passw", Password, true}, {"pass", Password, true}, {"bindpw", Password, false}, {"rootpw", Password, false}, {"userpw", Password, true}, {"adminpw", Password, true}, {"dbpw", Password, true},
	{"requirepass", Password, false}, {"masterauth", Password, false}, {"community", Community, true},
	{"accesssignature", Token, false}, {"bearer", Token, true}, {"psk", Secret, true},
	{"sessionid", Cookie, true}, {"sessid", Cookie, true},
}

// policyTails are last words that make a name speak about a secret only.
var policyTails = set(
	"file", "files", "path", "paths", "dir", "directory", "location", "filename",
	"policy", "policies", "min", "max", "length", "len", "size", "count", "limit", "quota",
	"age", "days", "hours", "minutes", "seconds", "secs", "ms", "ttl", "expiry", "expires", "expire", "expired", "expiration",
	"expiring", "lifetime", "validity", "valid", "timeout", "interval", "duration", "period", "history", "retries", "attempts",
	"type", "types", "kind", "format", "encoding", "algorithm", "algo", "alg", "algorithms", "hasher", "hashers", "method", "methods", "mode",
	"enabled", "enable", "disabled", "disable", "required", "require", "optional", "allowed", "allow", "supported",
	"authentication", "versions", "mtime", "ctime", "atime", "to", "from", "attribute", "attributes", "eauth", "header", "headers", "name", "names", "field", "fields", "column", "label", "prompt", "placeholder",
	"url", "urls", "uri", "uris", "endpoint", "endpoints", "host", "server", "port", "address", "issuer", "audience", "provider", "providers",
	"manager", "store", "storage", "class", "factory", "service", "handler", "validator", "generator", "encoder", "resolver", "callback", "callbacks", "vault",
	"rotation", "rotate", "reset", "change", "changed", "update", "updated", "created", "strength", "complexity", "quality", "score",
	"filter", "filters", "attrs", "attr", "regex", "regexp", "pattern", "chars", "characters", "charset", "digits", "variable", "var", "env", "ref", "reference", "refs", "selector",
	"version", "generated", "precedence", "settings", "threshold", "retention", "status", "state", "usage", "used", "plugin", "module", "template", "templates", "scope", "scopes", "rule", "rules", "check", "checks", "checking",
	"namespace", "flags", "minlength", "maxlength", "minlen", "maxlen", "validators", "lowercase", "uppercase",
	"java", "kt", "scala", "groovy", "cpp", "cs", "rb", "py", "js", "ts", "php", "go", // the names of files
	"list", "map", "group", "groups", "index", "indices", "position", "offset", "bits", "rate", "per", "budget", "bucket",
	"error", "errors", "failure", "failures", "warning", "message", "hint", "question", "description", "comment", "text", "title", "help",
	"page", "form", "view", "screen", "dialog", "button", "link", "email", "mail", "user", "username", "owner", "permissions", "role", "roles",
	"request", "requests", "response", "exchange", "grant", "flow", "renewal", "refresh", "review", "cache", "caching", "command", "cmd",
	"agent", "eval", "helper", "backend", "engine", "driver", "source", "prefix", "suffix", "separator", "delimiter", "event", "events", "masked", "set", "stdin", "exists", "needed", "present", "verified", "arn", "results", "ring", "lookup", "alias", "aliases", "loader", "reader", "watcher", "syncer", "controller", "operator",
	"chain", "id", "ids", "identifier", "hashing", "lock", "locked", "date", "time", "timestamp", "at", "on", "since", "until", "idle", "only", "ok", "aging", "cost", "rounds", "iterations",
	"scheme", "schemes", "query", "queries", "sql", "warn", "inactive", "lastchange", "lastset", "protection", "protected", "encryption", "encrypted", "hidden", "visible", "visibility", "show", "tokenizer", "function", "functions", "uuid", "guid", "able", "ize", "izer", "ized", "ization", "based",
)

// policyTailsAbroad are last words of that kind in other languages.
var policyTailsAbroad = []string{"laenge", "mindestlaenge", "gueltigkeit", "datei", "pfad", "quelle", "sonderzeichen", "chronik", "ablauf", "richtlinie", "ablaufdatum", "verfahren",
	"duracion", "fichero", "archivo", "algoritmo", "longitud", "renovar", "minimo", "minima", "maximo", "maxima", "caducidad", "dias", "rpm", "deb", "jar", "service", "socket", "timer", "ruta", "validade", "emissor", "tamanho", "expira", "complexidade", "cifrada", "cifrado",
	"durata", "lunghezza", "scadenza", "giorni", "minuti", "rotazione", "duree", "fichier", "longueur", "complexite", "chemin", "historia", "historique", "dlugosc", "zycia", "wygasa", "rotacja", "plik", "geldigheid", "bestand", "lengte", "giltighet"}

func init() {
	for _, w := range policyTailsAbroad {
		policyTails[w] = struct{}{}
	}
}

// policyAnywhere are words that do so wherever they stand.
var policyAnywhere = set("existing", "min", "max", "minimum", "maximum", "num", "number", "policy", "lock", "enable", "disable", "require", "allow", "use", "is", "has",
	"check", "verify", "validate", "no", "label", "error", "erro", "errore", "erreur", "fehler", "aviso", "avviso", "hinweis", "senza", "sans", "ohne", "sem", "skip", "ignore", "expire", "expires", "public", "pub")

// openKeys are words before "key" that make it no secret.
var openKeys = set("public", "pub", "primary", "foreign", "partition", "sort", "hot", "cache", "registry",
	"translation", "message", "object", "index", "unique", "composite", "row", "group", "routing", "order", "lookup", "map", "dict", "event", "down", "up",
	"press", "arrow", "shift", "ctrl", "alt", "meta", "esc", "enter", "i18n", "locale", "config", "setting", "settings", "property", "query", "sorted", "host", "authorized", "known", "trusted", "node", "field", "column", "issue", "jira", "shard", "bucket")

var openKeyStems = []string{"publickey", "pubkey", "primarykey", "foreignkey", "hotkey", "keyboard", "monkey", "turkey", "authorizedkey", "trustedkey"}

// pairNames decide by the last two words, written together.
var pairNames = map[string]verdict{
	"originverify": {Strong, Token}, // a header that a proxy of a cloud proves itself by
	"secretid":     {Strong, Secret}, "erlangcookie": {Strong, Secret}, "recoverycode": {Strong, Token}, "backupcode": {Strong, Token}, "recoverycodes": {Strong, Token}, "backupcodes": {Strong, Token}, "onetimecode": {Strong, Token}, "accesskeyid": {Weak, APIKey}, "sessionid": {Strong, Cookie},
	"publickey": {Harmless, ""}, "pubkey": {Harmless, ""},
	"secretref": {Policy, ""}, "keyref": {Policy, ""}, "secretname": {Policy, ""}, "apiversion": {Harmless, ""},
	"keyid": {Weak, APIKey}, "tokenid": {Weak, Token}, "tenantid": {Weak, Token},
	"apiid": {Weak, APIKey}, "accessid": {Weak, APIKey}, "secretstore": {Policy, ""},
	"authurl": {Policy, ""}, "passwordhash": {Strong, Password}, "passwordhint": {Policy, ""},
	"secretaccess": {Strong, Secret}, "privatekeyid": {Weak, APIKey},
	"authheader": {Weak, Token}, "authpass": {Strong, Password}, "authdata": {Weak, Token},
	"encryptionkey": {Strong, APIKey}, "apikey": {Strong, APIKey}, "accesskey": {Strong, APIKey}, "privatekey": {Strong, APIKey}, "secretkey": {Strong, APIKey},
	"masterkey": {Strong, APIKey}, "sharedkey": {Strong, APIKey}, "signingkey": {Strong, APIKey}, "accountkey": {Strong, APIKey},
	"licensekey": {Strong, APIKey}, "productkey": {Strong, APIKey}, "activationkey": {Strong, APIKey}, "routingkey": {Weak, APIKey}, "authkey": {Strong, APIKey}, "servicekey": {Strong, APIKey}, "integrationkey": {Strong, APIKey},
	"querykey": {Strong, APIKey}, "aeskey": {Strong, APIKey}, "hmackey": {Strong, APIKey}, "deploykey": {Strong, APIKey},
	"passwordkey": {Policy, ""}, "passphrasefd": {Policy, ""}, "createcredential": {Policy, ""}, "modifycredential": {Policy, ""}, "passwordfd": {Policy, ""}, "passfd": {Policy, ""}, "keyfd": {Policy, ""}, "wirelessessid": {Harmless, ""}, "megaraidsas": {Harmless, ""}, "fromsecret": {Policy, ""}, "pullsecrets": {Policy, ""}, "enablesecret": {Strong, Secret}, "enablepassword": {Strong, Password}, "enablepasswd": {Strong, Password}, "recvkeys": {Policy, ""}, "sendkeys": {Policy, ""}, "listkeys": {Policy, ""}, "searchkeys": {Policy, ""}, "refreshkeys": {Policy, ""}, "pullsecret": {Policy, ""}, "getvalue": {Policy, ""}, "cleartext": {Strong, Password}, "communityname": {Strong, Community}, "propskey": {Strong, APIKey}, "projectkey": {Weak, APIKey}, "keymaterial": {Strong, APIKey}, "securitykey": {Strong, APIKey}, "githuboauth": {Strong, Token}, "gitlaboauth": {Strong, Token}, "publictoken": {Strong, Token}, "networkkey": {Strong, APIKey}, "wepkey": {Strong, APIKey},
}

// wholeNames are decided as they stand.
var wholeNames = map[string]verdict{
	"publickeytoken": {Policy, ""}, "authverbosepasswords": {Policy, ""}, "authdebugpasswords": {Policy, ""}, "key": {Weak, APIKey}, "keys": {Weak, APIKey}, "keystore": {Policy, ""}, "truststore": {Policy, ""},
	"secretary": {Harmless, ""}, "buypass": {Harmless, ""}, "compass": {Harmless, ""}, "bypass": {Harmless, ""}, "passed": {Harmless, ""},
	"passenger": {Harmless, ""}, "passive": {Harmless, ""}, "tokenizer": {Harmless, ""}, "tokenize": {Harmless, ""},
	"servertokens": {Policy, ""}, "authuserpass": {Policy, ""}, "smbhash": {Strong, Password}, "unixhash": {Strong, Password}, "nthash": {Strong, Password}, "lmhash": {Strong, Password},
	"passthrough": {Harmless, ""}, "passthru": {Harmless, ""}, "passwordless": {Policy, ""}, "keyspace": {Harmless, ""},
	"keyboard": {Harmless, ""}, "seed": {Weak, Secret}, "salt": {Weak, Secret}, "hmac": {Weak, Secret}, "pat": {Weak, Token}, "otp": {Strong, Token}, "kek": {Strong, APIKey}, "mfa": {Weak, Token}, "totp": {Weak, Token},
	"pass": {Strong, Password}, "passes": {Harmless, ""}, "csrf": {Weak, Token}, "xsrf": {Weak, Token},
	"kmskeyid": {Policy, ""}, "credentialdata": {Policy, ""}, "mpt3sas": {Harmless, ""}, "mpt2sas": {Harmless, ""}, "secretkeyref": {Policy, ""}, "configmapkeyref": {Policy, ""},
	"adtenantid": {Strong, Token}, "sas": {Weak, Token}, "lockpasswd": {Policy, ""}, "nopass": {Policy, ""}, "nopassword": {Policy, ""}, "passwdtries": {Policy, ""}, "nopasswd": {Policy, ""},
	"nullpassword": {Policy, ""}, "onepassword": {Weak, Token},
	"updatepassword": {Policy, ""}, "loadcredential": {Policy, ""}, "loadcredentialencrypted": {Policy, ""}, "importcredential": {Policy, ""}, "imagepullsecrets": {Policy, ""}, "imagepullsecret": {Policy, ""}, "awsaccountid": {Strong, Credential},
	"basicauth": {Weak, Password}, "npmauthident": {Strong, Credential}, "samlresponse": {Strong, Token}, "discoverytokencacerthash": {Policy, ""}, "passenvironment": {Policy, ""}, "passenv": {Policy, ""}, "chauthtok": {Policy, ""}, "proxypass": {Policy, ""}, "proxypassreverse": {Policy, ""}, "proxypassmatch": {Policy, ""}, "cleartext": {Strong, Password}, "xjfrogartapi": {Strong, Token}, "githuboauth": {Strong, Token}, "gitlaboauth": {Strong, Token}, "bitbucketoauth": {Strong, Token},
	"krbprincipalkey": {Strong, APIKey}, "krb5key": {Strong, APIKey}, "krb5principalkey": {Strong, APIKey}, "krbmkey": {Strong, APIKey}, "ipanthash": {Strong, Password}, "ntpwdhistory": {Strong, Password}, "lmpwdhistory": {Strong, Password}, "krbpwdhistory": {Strong, Password}, "pwdhistory": {Strong, Password}, "userpkcs": {Strong, APIKey},
	"com2sec": {Strong, Community}, "com2sec6": {Strong, Community}, "xapikey": {Strong, APIKey}, "community": {Strong, Community},
}

func set(names ...string) map[string]struct{} {
	m := make(map[string]struct{}, len(names))
	for _, n := range names {
		m[n] = struct{}{}
	}
	return m
}
