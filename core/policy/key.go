package policy

import "slices"

// A Key is one thing that a policy file can say. The table of all keys is the
// only definition of the language: the loader, the merge, the decisions,
// docs/POLICY.md and the JSON schema are made from it.
type Key struct {
	Block   string // the block it stands in; empty for the top level
	Name    string
	Kind    Kind
	Order   Order
	Words   []Word   // of an Enum, from lax to strict; of Names, all that are known (nil: any)
	Default string   // in force when no file says anything, in words
	Subject string   // what it is about, as a noun in the plural: "uploads by engineers"
	Doc     string   // what it does: whole sentences
	Example string   // as in a file
	Actions []Action // what it has a say in

	index int
	// deny tells why the value refuses the request, in lower case, or returns
	// the empty text. It is asked about the merged value and, to find out who
	// decided, about that of each file.
	deny func(v *value, r *request) string
	// bound writes what the value demands of an allowed action.
	bound func(v *value, d *Decision, r *request)
	// builtIn holds for every system; files can only add to it.
	builtIn *value
}

// Word is a value that a key knows, with its meaning.
type Word struct{ Word, Doc string }

// Path is the key as decisions and explanations write it.
func (k *Key) Path() string {
	if k.Block == "" {
		return k.Name
	}
	return k.Block + "." + k.Name
}

func (k *Key) isList() bool {
	switch k.Kind {
	case Names, Hosts, Proxies, Paths, Commands, Digests:
		return true
	}
	return false
}

// Keys returns the language, in the order in which it is documented and in
// which decisions look at it.
func Keys() []*Key { return slices.Clone(keys) }

var (
	keys      = buildKeys()
	keysOf    = map[Action][]*Key{} // in the order of the table
	keyByPath = map[string]*Key{}
)

func buildKeys() []*Key {
	all := slices.Concat(topKeys(), networkKeys(), sessionKeys(), webKeys(), approvalKeys(), engineerKeys(), bundleKeys(), pluginKeys(), notifyKeys())
	for i, k := range all {
		k.index = i
	}
	return all
}

func init() {
	for _, k := range keys {
		for _, a := range k.Actions {
			keysOf[a] = append(keysOf[a], k)
		}
		keyByPath[k.Path()] = k
	}
}

// The constructors below are the shapes that most keys have.

// permit makes a deny function for a boolean that allows.
func permit(why string) func(*value, *request) string {
	return func(v *value, _ *request) string {
		if v.yes {
			return ""
		}
		return why
	}
}

// only makes a deny function for an allow-list about one fact.
func only(f Fact, what string, norm func(string) (string, bool)) func(*value, *request) string {
	return func(v *value, r *request) string {
		s, ok := r.facts[f], true
		if norm != nil {
			s, ok = norm(s)
		}
		if !ok || s == "" {
			return what + " is not known (the fact " + string(f) + " is missing or malformed)"
		}
		for _, l := range v.lists {
			if !l.match(s) {
				return what + " " + s + " is not one of those that are allowed"
			}
		}
		return ""
	}
}

// never makes a deny function for a deny-list about one fact.
func never(f Fact, what string, norm func(string) (string, bool)) func(*value, *request) string {
	return func(v *value, r *request) string {
		s, ok := r.facts[f], true
		if norm != nil {
			s, ok = norm(s)
		}
		if !ok || s == "" {
			return what + " is not known (the fact " + string(f) + " is missing or malformed)"
		}
		for _, l := range v.lists {
			if item := l.find(s); item != "" {
				return what + " " + s + " is denied by " + item
			}
		}
		return ""
	}
}

func yes() *value { return &value{yes: true} }

func items(path bool, its ...string) *value {
	slices.Sort(its)
	return &value{lists: []*list{newList(its, path)}}
}
