package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/latchstring/latchstring/sdk/plugintest"
)

// roleOptions is an entry of the file of --options.
type roleOptions struct {
	Config   map[string]any    `json:"config"`
	Proxy    string            `json:"proxy"` // a key of proxies
	Commands map[string]string `json:"commands"`
	Login    *struct {
		Answers map[string]string `json:"answers"`
		User    string            `json:"user"`
	} `json:"login"`
	Broken map[string]any `json:"broken"`
	Skip   []string       `json:"skip"`
}

// proxies are the ways to speak that --options can name.
var proxies = map[string]plugintest.Proxy{
	"": nil, "none": nil,
	"connect": plugintest.CONNECT, "socks5": plugintest.SOCKS5, "websocket": plugintest.WebSocket,
}

// readOptions reads the file of --options; no file is no options.
func readOptions(path string) (map[string]plugintest.Options, error) {
	out := make(map[string]plugintest.Options)
	if path == "" {
		return out, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file map[string]roleOptions
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("options in %s: %w", path, err)
	}
	for full, r := range file {
		proxy, ok := proxies[r.Proxy]
		if !ok {
			return nil, fmt.Errorf("options in %s: %s: proxy %q: want connect, socks5, websocket or none", path, full, r.Proxy)
		}
		o := plugintest.Options{Config: r.Config, Proxy: proxy, Commands: r.Commands, Broken: r.Broken, Skip: r.Skip}
		if r.Login != nil {
			o.Login = &plugintest.Login{Answers: r.Login.Answers, User: r.Login.User}
		}
		out[full] = o
	}
	return out, nil
}
