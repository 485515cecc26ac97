package wire

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/latchstring/latchstring/internal/wire/pluginv1"
)

var update = flag.Bool("update", false, "write the golden file anew")

// Version 1 as it was published. A plugin built with the first SDK speaks it
// for ever: what is in the file may be added to, never changed or removed.
const golden = "testdata/protocol-v1.txt"

func TestProtocolIsKept(t *testing.T) {
	now := protocol(pluginv1.File_internal_wire_pluginv1_plugin_proto)
	if *update {
		if err := os.WriteFile(golden, []byte(strings.Join(now, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	then, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(then)), "\n") {
		if !slices.Contains(now, line) {
			t.Errorf("protocol version 1 had %q, and has it no more", line)
		}
	}
}

// protocol lists the fields, values and methods of the protocol.
func protocol(file protoreflect.FileDescriptor) []string {
	var out []string
	var message func(m protoreflect.MessageDescriptor)
	message = func(m protoreflect.MessageDescriptor) {
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			kind := f.Kind().String()
			if f.Message() != nil {
				kind = string(f.Message().FullName())
			}
			if f.Enum() != nil {
				kind = string(f.Enum().FullName())
			}
			out = append(out, fmt.Sprintf("%s = %d %s %s", f.FullName(), f.Number(), f.Cardinality(), kind))
		}
		for i := range m.Enums().Len() {
			for j := range m.Enums().Get(i).Values().Len() {
				v := m.Enums().Get(i).Values().Get(j)
				out = append(out, fmt.Sprintf("%s = %d", v.FullName(), v.Number()))
			}
		}
		for i := range m.Messages().Len() {
			message(m.Messages().Get(i))
		}
	}
	for i := range file.Messages().Len() {
		message(file.Messages().Get(i))
	}
	for i := range file.Services().Len() {
		s := file.Services().Get(i)
		for j := range s.Methods().Len() {
			m := s.Methods().Get(j)
			out = append(out, fmt.Sprintf("%s(%s, stream %v) %s, stream %v", m.FullName(), m.Input().Name(), m.IsStreamingClient(), m.Output().Name(), m.IsStreamingServer()))
		}
	}
	return out
}

// The handshake never changes: a host that meets an unknown cookie does not
// even learn that it met a plugin.
func TestHandshakeIsKept(t *testing.T) {
	if Handshake.MagicCookieKey != "LATCHSTRING_PLUGIN" || Handshake.MagicCookieValue != "started-by-its-host" || HandoffFD != 3 {
		t.Errorf("handshake %+v, descriptor %d", Handshake, HandoffFD)
	}
	if ClientPlugins()[Version1] == nil || ServerPlugins(Services{})[Version1] == nil {
		t.Error("version 1 is not spoken any more")
	}
}
