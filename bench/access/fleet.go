package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/tunnel"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// This program is also a part of the fleet of systems, in processes of its own.
var children = map[string]func(args []string) error{"fleet": fleetMain, "relay": relayMain}

// opening is how many systems of a process connect at a time in the beginning.
const opening = 32

// fleet are the sessions of one process.
type fleet struct {
	loaded *setup.Relay
	up     atomic.Int64

	mu    sync.Mutex
	dials []time.Time
	ups   []time.Time
	fails map[string]int
}

// news is what a fleet says when it is asked.
type news struct {
	Up    int64          `json:"up"`
	Dials map[int64]int  `json:"dials"` // by second of the clock
	Last  time.Time      `json:"last"`  // when the last one came up
	Fails map[string]int `json:"fails,omitempty"`
}

// fleetMain opens the sessions from one number to another and keeps them open.
// Each line on its input is answered with news since the line before.
func fleetMain(args []string) error {
	root, err := paths.New(args[0])
	if err != nil {
		return err
	}
	from, _ := strconv.Atoi(args[1])
	to, _ := strconv.Atoi(args[2])
	f := &fleet{fails: map[string]int{}}
	if f.loaded, err = setup.Load(root); err != nil {
		return err
	}
	in := bufio.NewReader(os.Stdin)
	turns := make(chan struct{}, opening)
	var systems []*identity.System
	for i := from; i < to; i++ {
		sys, err := identity.Open(filepath.Join(args[0], "fleet", strconv.Itoa(i)))
		if err != nil {
			return err
		}
		systems = append(systems, sys)
	}
	fmt.Println("ready")
	if _, err := in.ReadString('\n'); err != nil {
		return err
	}
	go func() {
		for i, sys := range systems {
			turns <- struct{}{}
			go f.one(sys, from+i, sync.OnceFunc(func() { <-turns }))
		}
	}()
	for {
		if err := json.NewEncoder(os.Stdout).Encode(f.news()); err != nil {
			return err
		}
		if _, err := in.ReadString('\n'); err != nil {
			return nil // the end of the bench
		}
	}
}

func (f *fleet) one(sys *identity.System, n int, opened func()) {
	vendor := f.loaded.Vendor(fmt.Sprintf("array-%d", n))
	cl, err := client.ForSystem(sys, vendor, func(ctx context.Context, network, address string) (net.Conn, error) {
		f.mu.Lock()
		f.dials = append(f.dials, time.Now())
		f.mu.Unlock()
		return (&net.Dialer{}).DialContext(ctx, network, address)
	})
	if err != nil {
		f.failed(err)
		return
	}
	key, err := vendor.ReceiptPublicKey()
	if err != nil {
		f.failed(err)
		return
	}
	now := time.Now().UTC().Truncate(time.Second)
	isUp := false
	err = tunnel.Run(context.Background(), tunnel.Options{
		Relay: cl, RelayKey: key, Spare: -1, // as it is five minutes after the opening
		Session: msg.Hello{V: msg.Version, Session: api.NewSessionID(), Since: now, Expires: now.Add(2 * time.Hour), Name: vendor.System},
		Serve:   func(_ context.Context, c net.Conn, _ tunnel.Start) { c.Close() },
		State: func(s tunnel.State) {
			switch {
			case s.Kind == tunnel.Up && !isUp:
				isUp = true
				f.up.Add(1)
				f.mu.Lock()
				f.ups = append(f.ups, time.Now())
				f.mu.Unlock()
				opened()
				cl.Close() // idle connections of the login
			case s.Kind == tunnel.Down:
				if isUp {
					isUp = false
					f.up.Add(-1)
				}
				f.failed(s.Err)
			}
		},
	})
	f.failed(err)
}

func (f *fleet) failed(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.fails) < 20 {
		text := err.Error()
		f.fails[text[:min(len(text), 80)]]++
	}
}

func (f *fleet) news() news {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := news{Up: f.up.Load(), Dials: map[int64]int{}, Fails: f.fails}
	for _, d := range f.dials {
		n.Dials[d.Unix()]++
	}
	if len(f.ups) > 0 {
		n.Last = slices.MaxFunc(f.ups, time.Time.Compare)
	}
	f.dials, f.ups, f.fails = nil, nil, map[string]int{}
	return n
}
