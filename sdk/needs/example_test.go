package needs_test

import (
	"fmt"

	"github.com/latchstring/latchstring/sdk/needs"
)

func Example() {
	l := needs.List{
		Paths:    []string{"/var/log/nginx/**"},
		Commands: [][]string{{"nginx", "-T"}},
	}
	fmt.Println(l.Path("/var/log/nginx/error.log"), l.Path("/etc/shadow"))
	fmt.Println(l.Command([]string{"nginx", "-T"}), l.Command([]string{"nginx", "-s", "stop"}))
	// Output:
	// true false
	// true false
}
