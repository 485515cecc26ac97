package failure_test

import (
	"errors"
	"fmt"

	"github.com/latchstring/latchstring/sdk/failure"
)

func Example() {
	err := fmt.Errorf("dial rss.example:443: %w",
		failure.New(failure.ProxyAuth, "check the proxy's user and password", "proxy.example:3128 answered 407"))

	f := failure.From(err)
	fmt.Println(f)
	fmt.Println(f.Code, "-", f.Hint)
	fmt.Println(errors.Is(err, failure.ProxyAuth))
	// Output:
	// dial rss.example:443: proxy.example:3128 answered 407
	// proxy-auth - check the proxy's user and password
	// true
}
