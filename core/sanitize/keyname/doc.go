// Package keyname tells from the name of a key what kind of value it has.
//
// A redactor, unlike a scanner for leaks, has to trust the name: the value of
// `password` is hidden even when it is `foo`. So the whole decision hangs on
// three questions, which [Classify] answers from the words of the name:
//
//	Does it name a secret?          db_password, apiKey, slapikey, пароль
//	Or only a rule about one?       password_min_length, token_type, secretName
//	Or something that may be one?   key, sentry_key, auth
//
// Names are split at punctuation, case changes and digits, so the style of the
// name (snake, kebab, camel, dotted path) makes no difference; names without
// seams (mysqlrootpwd) are searched for stems.
package keyname
