package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
)

//go:embed scaffold
var scaffold embed.FS

// kind is a kind of plugin that can be made.
type kind struct {
	Package, Interface, Map, Suite, Options string
	check                                   string // content of check.json
}

var kinds = map[string]kind{
	"transport": {
		Package: "transport", Interface: "Transport", Map: "Transports", Suite: "Transport",
		Options: ", plugintest.Options{\nConfig: map[string]any{\"proxy\": plugintest.ProxyAddress},\nProxy: plugintest.CONNECT,\n}",
		check:   `{"transport/%s": {"config": {"proxy": "$PROXY"}, "proxy": "connect"}}`,
	},
	"collector": {
		Package: "collect", Interface: "Collector", Map: "Collectors", Suite: "Collector",
		Options: ", plugintest.Options{\nCommands: map[string]string{\"uname -a\": \"Linux test\\n\"},\n}",
		check:   `{"collect/%s": {"commands": {"uname -a": "Linux test\n"}}}`,
	},
	"auth": {
		Package: "auth", Interface: "Method", Map: "Auths", Suite: "Auth",
		Options: ", plugintest.Options{\nConfig: map[string]any{\"pin\": \"314159\"},\nLogin: &plugintest.Login{Answers: map[string]string{\"pin\": \"314159\"}, User: \"operator\"},\n}",
		check:   `{"auth/%s": {"config": {"pin": "314159"}, "login": {"answers": {"pin": "314159"}, "user": "operator"}}}`,
	},
}

func newCommand() *cli.Command {
	return &cli.Command{
		Name: "new", Usage: "make a new plugin that compiles and passes", ArgsUsage: "transport|collector|auth NAME",
		Description: `Makes a directory NAME with a program, its tests and a go.mod.

Example:
   plugincheck new transport tunnel --module example.com/tunnel
   cd tunnel && go mod tidy && go test && CGO_ENABLED=0 go build && plugincheck ./tunnel --options check.json`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "module", Usage: "Go `MODULE` of the plugin (default: example.com/NAME)"},
			&cli.StringFlag{Name: "dir", Usage: "make it in `DIR` (default: NAME)"},
		},
		Action: func(c *cli.Context) error {
			k, ok := kinds[c.Args().First()]
			name := c.Args().Get(1)
			if !ok || c.NArg() != 2 {
				return cmdline.Usagef("want transport, collector or auth, and a name")
			}
			if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || name[0] < 'a' {
				return cmdline.Usagef("name %q: want lower-case letters, digits, dashes and underscores, first a letter", name)
			}
			dir, module := c.String("dir"), c.String("module")
			if dir == "" {
				dir = name
			}
			if module == "" {
				module = "example.com/" + name
			}
			if err := generate(k, c.Args().First(), name, module, dir); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.App.Writer, "made %s; next:\n  cd %[1]s\n  go mod tidy\n  go test\n  CGO_ENABLED=0 go build -o %[2]s\n  plugincheck ./%[2]s --options check.json\n", dir, name)
			return err
		},
	}
}

// generate writes the files of a new plugin. It overwrites nothing.
func generate(k kind, role, name, module, dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already; choose another --dir", dir)
	}
	data := struct {
		kind
		Name, Full, Module, Version string
	}{k, name, k.Package + "/" + name, module, "v" + strings.TrimPrefix(cmdline.Version, "v")}
	files := map[string]string{
		"main.go": "main.go.tmpl", role + ".go": role + ".go.tmpl", role + "_test.go": "test.go.tmpl", "go.mod": "go.mod.tmpl",
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for file, from := range files {
		text, err := scaffold.ReadFile("scaffold/" + from)
		if err != nil {
			return err
		}
		t, err := template.New(file).Parse(string(text))
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := t.Execute(&out, data); err != nil {
			return err
		}
		code := out.Bytes()
		if strings.HasSuffix(file, ".go") {
			if code, err = format.Source(code); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, file), code, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "check.json"), fmt.Appendf(nil, k.check+"\n", name), 0o644)
}
