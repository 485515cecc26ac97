package sandbox

// Spec is what one plugin process is granted. It travels as JSON from the host
// to the trampoline; the zero value grants nothing.
type Spec struct {
	// Dir is the only directory that the process may write: it holds its
	// socket, and becomes its working directory.
	Dir string

	// Read are files and directories that the process may read. One that does
	// not exist is passed over.
	Read []string

	// Network lets the process open TCP and UDP sockets. Without it, no
	// Internet socket can be made and nothing can be connected to.
	Network bool

	// Ports are the TCP ports that may be connected to, and the UDP ports where
	// the kernel can tell. Ignored without Network.
	Ports []uint16

	// AnyPort lets it connect to every TCP port, which a transport needs whose
	// far end is only known when it dials.
	AnyPort bool

	// Interfaces lets the process ask the kernel about its network interfaces
	// and routes (NETLINK_ROUTE, which needs no privilege to read).
	Interfaces bool

	// UID and GID are the user to become. Only root can, and only non-zero
	// values are taken.
	UID, GID int

	// Limits bound what the process may use.
	Limits Limits

	// Require is the least level: reaching less is an error.
	Require Level
}

// Limits are resource limits. A zero field takes its value from [Default].
type Limits struct {
	Files    uint64 // open descriptors
	Memory   uint64 // bytes of writable private memory (RLIMIT_DATA)
	Space    uint64 // bytes of address space (RLIMIT_AS); Go reserves far more than it uses
	FileSize uint64 // bytes of the largest file it may write
}

// Default are the limits of a plugin that asks for nothing special.
var Default = Limits{
	Files:    512,
	Memory:   1 << 30,
	Space:    16 << 30,
	FileSize: 16 << 20,
}

func (l Limits) orDefault() Limits {
	pick := func(v, d uint64) uint64 {
		if v == 0 {
			return d
		}
		return v
	}
	return Limits{
		Files:    pick(l.Files, Default.Files),
		Memory:   pick(l.Memory, Default.Memory),
		Space:    pick(l.Space, Default.Space),
		FileSize: pick(l.FileSize, Default.FileSize),
	}
}
