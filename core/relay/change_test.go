package relay_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/policy/seal"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/store"
)

// REQ G6: a seal outlives whatever else is written about its system in the same
// moment.
func TestSealIsNotOverwritten(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t)
	anybody, err := client.New(client.Options{Address: p.Address, Trust: client.Trust{Pin: ptr(p.Loaded.Pin())}})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 5 {
		sys, _ := p.Enroll(fmt.Sprintf("raced-%d", round))
		statement := string(seal.Record{SealedAt: time.Now(), Host: "array-7", System: sys.ID()}.Statement())
		signature, err := sys.Sign(seal.Namespace, []byte(statement))
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		start := make(chan struct{})
		for i := range 8 {
			all.Go(func() {
				<-start
				if err := relay.Local(p.Server).Call(t.Context(), "POST", "/admin/systems/"+sys.ID()+"/groups", relay.GroupsRequest{Groups: []string{fmt.Sprintf("g%d", i)}}, nil); err != nil {
					t.Error(err)
				}
			})
			all.Go(func() {
				<-start
				var resp api.SealResponse
				if err := anybody.JSON(t.Context(), "POST", api.PathSeal, nil, false, api.SealRequest{Statement: statement, Signature: string(signature)}, &resp); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		all.Wait()
		var got store.System
		if err := relay.Local(p.Server).Call(t.Context(), "GET", "/admin/systems/"+sys.ID(), nil, &got); err != nil {
			t.Fatal(err)
		}
		if got.Sealed == nil || len(got.Groups) != 1 {
			t.Fatalf("round %d: sealed %v, groups %v", round, got.Sealed, got.Groups)
		}
	}
}
