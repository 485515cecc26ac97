package infinibox

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Knobs break the array in the ways that clients must tell apart. They may be
// turned while it runs.
type Knobs struct {
	mu      sync.Mutex
	k       Trouble
	waiting atomic.Int64
}

// Waiting is the number of requests that are held back by Delay.
func (k *Knobs) Waiting() int { return int(k.waiting.Load()) }

// Trouble is one setting of the knobs.
type Trouble struct {
	Unavailable []int         // nodes that answer 503
	Status      int           // every answer has this status and an HTML body
	Delay       time.Duration // before every answer
	Reset       bool          // cut the connection instead of answering
	Truncate    bool          // promise more than is sent
	Only        string        // trouble for this path below /api/rest/ alone: "users/login"
	Expire      bool          // sessions are over as soon as they are opened
	Refuse      int           // status of a refused login, 401 when 0; with Bare, without a body
	Bare        bool
}

// Set turns the knobs.
func (k *Knobs) Set(t Trouble) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.k = t
}

func (k *Knobs) get() Trouble {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.k
}

// meddle reports whether it has answered instead of the array.
func (k *Knobs) meddle(w http.ResponseWriter, r *http.Request, node int) bool {
	t := k.get()
	if t.Only != "" && r.URL.Path != "/api/rest/"+t.Only {
		return false
	}
	if t.Delay > 0 {
		k.waiting.Add(1)
		defer k.waiting.Add(-1)
		select {
		case <-time.After(t.Delay):
		case <-r.Context().Done():
			return true
		}
	}
	switch {
	case t.Reset:
		panic(http.ErrAbortHandler)
	case slices.Contains(t.Unavailable, node):
		fail(w, http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE", "this node is not serving")
	case t.Status != 0:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(t.Status)
		w.Write([]byte("<html><body>something went wrong</body></html>"))
	case t.Truncate:
		w.Header().Set("Content-Length", "4096")
		w.Write([]byte(`{"result":`))
	default:
		return false
	}
	return true
}
