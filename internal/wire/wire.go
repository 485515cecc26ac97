package wire

import (
	"fmt"
	"strings"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

const (
	// Version1 is the first protocol version.
	Version1 = 1

	// HandoffFD is the descriptor of the handoff channel in the plugin.
	HandoffFD = 3

	// MessageLimit is the largest gRPC message in bytes, in both
	// directions. Bytes that matter travel as descriptors.
	MessageLimit = 4 << 20

	// MaxStreams bounds the calls that a host may have under way with one
	// plugin.
	MaxStreams = 256
)

// Versions lists the protocol versions that this tree speaks.
var Versions = []int{Version1}

// The roles of a plugin.
const (
	RoleTransport = "transport"
	RoleAuth      = "auth"
	RoleCollect   = "collect"
	RoleEventSink = "eventsink"

	// Base is the name under which the service that every role has is
	// dispensed.
	Base = "role"
)

// Roles lists the roles in the order in which they are shown.
var Roles = []string{RoleTransport, RoleAuth, RoleCollect, RoleEventSink}

// Environment variables. A plugin gets no others but go-plugin's own.
const (
	// EnvCookie says that a host started the process, not a person. It
	// protects nobody from anything.
	EnvCookie = "LATCHSTRING_PLUGIN"
	// EnvLogLevel is the level of the plugin's log: debug, info, warn or
	// error.
	EnvLogLevel = "LATCHSTRING_LOG_LEVEL"
)

// CookieValue is the value of EnvCookie.
const CookieValue = "started-by-its-host"

// Handshake is the first thing that both sides check. The protocol version in
// it only counts for a host that knows no versioned plugins.
var Handshake = plugin.HandshakeConfig{
	ProtocolVersion:  Version1,
	MagicCookieKey:   EnvCookie,
	MagicCookieValue: CookieValue,
}

// ParseName splits ROLE/NAME as it is written on command lines.
func ParseName(s string) (role, name string, err error) {
	role, name, ok := strings.Cut(s, "/")
	if !ok || !KnownRole(role) || !ValidName(name) {
		return "", "", fmt.Errorf("%q is no plugin: want ROLE/NAME with a role out of %s", s, strings.Join(Roles, ", "))
	}
	return role, name, nil
}

// KnownRole reports whether role is one of Roles.
func KnownRole(role string) bool {
	for _, r := range Roles {
		if r == role {
			return true
		}
	}
	return false
}

// ValidName reports whether a plugin or a role may have this name: 1 to 40
// lower-case letters, digits, dashes and underscores, first a letter.
func ValidName(name string) bool {
	if name == "" || len(name) > 40 || name[0] < 'a' || name[0] > 'z' {
		return false
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// DialOptions are the options with which a host connects to a plugin. Without
// them go-plugin takes messages of 2 GiB.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithDefaultCallOptions(
		grpc.MaxCallRecvMsgSize(MessageLimit),
		grpc.MaxCallSendMsgSize(MessageLimit),
	)}
}

// ServerOptions are the options with which a plugin serves.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(MessageLimit),
		grpc.MaxSendMsgSize(MessageLimit),
		grpc.MaxConcurrentStreams(MaxStreams),
	}
}
