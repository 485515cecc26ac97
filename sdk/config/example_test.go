package config_test

import (
	"fmt"
	"time"

	"github.com/latchstring/latchstring/sdk/config"
)

type settings struct {
	Proxy    string        `config:"proxy" required:"true" help:"host:port of the proxy"`
	Password config.Secret `config:"proxy_password"`
	Timeout  time.Duration `config:"timeout" default:"10s"`
}

func ExampleDecode() {
	var s settings
	err := config.Decode(&s, []byte(`{"proxy": "proxy.example:3128", "proxy_password": "hunter2"}`))
	fmt.Println(err, s.Proxy, s.Password, s.Timeout)

	err = config.Decode(&s, []byte(`{"timeout": "soon", "colour": "red"}`))
	fmt.Println(err)
	// Output:
	// <nil> proxy.example:3128 [secret] 10s
	// configuration: colour: no such setting; proxy: is required: text; timeout: want a duration like "1m30s"
}

func ExampleSecret() {
	s := config.NewSecret("hunter2")
	fmt.Printf("%v %+v %q %x\n", s, s, s, s)
	fmt.Println(s.Equal(config.NewSecret("hunter2")), s.Reveal())
	s.Zero()
	fmt.Println(s.IsZero())
	// Output:
	// [secret] [secret] [secret] [secret]
	// true hunter2
	// true
}
