// Package config turns a struct with tags into the configuration of a plugin:
// its schema, its decoding with all mistakes at once, and secrets that cannot
// be printed.
//
//	type settings struct {
//		Proxy    string        `config:"proxy" required:"true" help:"host:port of the proxy"`
//		Password config.Secret `config:"proxy_password" help:"password for the proxy"`
//		Timeout  time.Duration `config:"timeout" default:"10s" help:"how long to wait for it"`
//		Auth     string        `config:"auth" default:"auto" oneof:"auto,basic,none"`
//	}
//
// An implementation of any role that has the method
//
//	func (t *tunnel) Config() any { return &t.settings }
//
// is configured before its first use: the SDK calls [Decode] with what the
// host sent, and shows [SchemaOf] in `describe`.
//
// # Tags
//
//   - config: the name, lower case with underscores. A field without it is not
//     configuration. A struct field with it is a group: its fields are named
//     group.field.
//   - help: one line for people.
//   - default: the value when there is none, written as in the configuration.
//   - required: "true" when there must be a value.
//   - oneof: the values allowed, with commas between.
//
// # Types
//
// string, bool, integers, floats, time.Duration (written "1m30s"), []string,
// map[string]string, [Secret], and whatever has UnmarshalText (netip.Addr,
// slog.Level, ...).
//
// # Mistakes
//
// Decode reports all of them at once, as [Problems], by field, and never
// repeats a value: it may be a password in the wrong place. A settings type
// with the method Validate() error checks what tags cannot say; it may return
// Problems itself.
package config
