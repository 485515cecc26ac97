package relay

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/store"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

const (
	// nodeProtocol is what nodes ask for in the handshake (ALPN): it shares the
	// port with everything else, and nobody else gets a word in.
	nodeProtocol = "latchstring-node/1"

	nodeTimeout = 5 * time.Second // to reach another node, and for its answer
	nodeRefresh = time.Second     // between looks at the nodes because of a stranger
)

// cluster knows the other nodes of a relay that shares its store. A node trusts
// those that stand in the store: each writes the hash of the key that it made
// when it started, which no file holds. Who may write there is a node.
//
// A nil cluster is that of a node which is alone.
type cluster struct {
	hub   *hub
	local string // this node on the way to the store
	beat  time.Duration
	cert  tls.Certificate
	self  store.Node

	mu        sync.Mutex
	nodes     map[string]store.Node // that are up, without this one
	read      time.Time             // when they were read
	engineers map[string]int        // connections at other nodes
}

func newCluster(h *hub, local string, beat time.Duration) (*cluster, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make this node's key: %w", err)
	}
	// Only the key counts; the rest is what a certificate must have.
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: h.node},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().AddDate(20, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make this node's certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make this node's certificate: %w", err)
	}
	if beat == 0 {
		beat = store.NodeTTL / 4
	}
	return &cluster{hub: h, local: local, beat: beat, nodes: map[string]store.Node{}, cert: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf},
		self: store.Node{Name: h.node, Key: keyOf(leaf), Version: api.Version, Started: h.srv.now().UTC().Truncate(time.Second)}}, nil
}

func keyOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// join makes this node known. Two nodes of one name would take back what the
// other says; a state directory that was copied as it is does that.
func (c *cluster) join(ctx context.Context, listen string) error {
	c.self.Address = c.hub.srv.relay.Config.NodeAddress
	if c.self.Address == "" {
		host, _, err := net.SplitHostPort(c.local)
		_, port, err2 := net.SplitHostPort(listen)
		if err := errors.Join(err, err2); err != nil {
			return fmt.Errorf("find out the address of this node: %w; set node_address in rss.json", err)
		}
		c.self.Address = net.JoinHostPort(host, port)
	}
	list, err := c.hub.srv.reg.Nodes(ctx)
	if err != nil {
		return unavailable(err)
	}
	for _, n := range list {
		if n.Name == c.self.Name && n.Address != c.self.Address {
			return fmt.Errorf("a node named %s is running at %s: each node needs a name of its own; stop this one, remove %s/node and start again", n.Name, n.Address, c.hub.srv.relay.Places.State)
		}
	}
	if err := c.hub.srv.reg.PutNode(ctx, c.self); err != nil {
		return unavailable(err)
	}
	return c.refresh(ctx)
}

// keep repeats this node's word and listens to the others until ctx ends.
func (c *cluster) keep(ctx context.Context) {
	log, reg := c.hub.srv.log, c.hub.srv.reg
	log.Info("this node", "name", c.self.Name, "address", c.self.Address)
	tick := time.NewTicker(c.beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			after, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
			defer cancel()
			if err := reg.ForgetNode(after, c.self.Name); err != nil {
				log.Warn("take this node back", "error", err)
			}
			return
		case <-tick.C:
		}
		err := reg.PutNode(ctx, c.self)
		if err == nil {
			err = c.refresh(ctx)
		}
		if err == nil {
			err = c.compare(ctx)
		}
		if err != nil && ctx.Err() == nil {
			log.Warn("hear of the other nodes", "error", err)
		}
	}
}

// refresh reads which nodes are up.
func (c *cluster) refresh(ctx context.Context) error {
	list, err := c.hub.srv.reg.Nodes(ctx)
	if err != nil {
		return err
	}
	now := map[string]store.Node{}
	for _, n := range list {
		if n.Name != c.self.Name {
			now[n.Name] = n
		}
	}
	c.mu.Lock()
	before := c.nodes
	c.nodes, c.read = now, time.Now()
	c.mu.Unlock()
	for name, n := range now {
		if _, ok := before[name]; !ok {
			c.hub.srv.log.Info("another node is up", "node", name, "address", n.Address)
		}
	}
	for name, n := range before {
		if _, ok := now[name]; !ok {
			c.hub.srv.log.Warn("another node is down", "node", name, "address", n.Address)
		}
	}
	return nil
}

// compare looks at what hangs where: a system that came back at another node
// has left this one, and limits count what is connected elsewhere.
func (c *cluster) compare(ctx context.Context) error {
	open, err := c.hub.srv.reg.Present(ctx)
	if err != nil {
		return err
	}
	count := map[string]int{}
	var gone []*control
	c.hub.mu.Lock()
	for id, s := range open {
		if s.Node == c.self.Name || !c.up(s.Node) {
			continue
		}
		for _, e := range s.Engineers {
			count[e.Engineer]++
		}
		if link := c.hub.links[id]; link != nil && s.Connected.After(link.connected) {
			link.over = true
			gone = append(gone, link)
		}
	}
	c.hub.mu.Unlock()
	c.mu.Lock()
	c.engineers = count
	c.mu.Unlock()
	for _, link := range gone {
		go func() {
			link.tell(&msg.Replaced{})
			link.conn.Close()
		}()
	}
	return nil
}

// nodes lists those that are up, with this one if it serves.
func (s *Server) nodes(r *http.Request) (any, error) {
	out := NodeList{Nodes: []store.Node{}, Self: s.hub.node}
	if s.cluster == nil {
		return out, nil
	}
	list, err := s.reg.Nodes(r.Context())
	if err != nil {
		return nil, unavailable(err)
	}
	out.Nodes, out.Several = list, true
	return out, nil
}

// NodeList answers with the nodes of a relay that shares its store.
type NodeList struct {
	Nodes   []store.Node `json:"nodes"`
	Self    string       `json:"self"`
	Several bool         `json:"several"` // the store is shared
}

// ready reads which nodes are up, where that did not happen yet.
func (c *cluster) ready(ctx context.Context) error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	known := !c.read.IsZero()
	c.mu.Unlock()
	if known {
		return nil
	}
	return c.refresh(ctx)
}

// up reports whether a node is up. Who is alone does not ask.
func (c *cluster) up(node string) bool {
	if c == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.nodes[node]
	return ok
}

// engineer counts connections of an engineer at other nodes.
func (c *cluster) engineer(name string) int {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.engineers[name]
}

// node finds a node that is up, by what match says of it. One that was not heard
// of yet may have started a moment ago.
func (c *cluster) node(ctx context.Context, match func(store.Node) bool) (store.Node, bool) {
	for try := range 2 {
		c.mu.Lock()
		age := time.Since(c.read)
		for _, n := range c.nodes {
			if match(n) {
				c.mu.Unlock()
				return n, true
			}
		}
		c.mu.Unlock()
		if try > 0 || age < nodeRefresh || c.refresh(ctx) != nil {
			break
		}
	}
	return store.Node{}, false
}

// serve lets other nodes in, on the port of everything else.
func (c *cluster) serve(srv *http.Server, cfg *tls.Config) {
	nodes := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{c.cert}, NextProtos: []string{nodeProtocol},
		ClientAuth: tls.RequireAnyClientCert, SessionTicketsDisabled: true, VerifyConnection: c.verify}
	cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.SupportedProtos, nodeProtocol) {
			return nodes, nil
		}
		return nil, nil
	}
	srv.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){nodeProtocol: func(_ *http.Server, conn *tls.Conn, _ http.Handler) { c.answer(conn) }}
}

// verify lets in whose key stands in the store.
func (c *cluster) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("no certificate")
	}
	key := keyOf(state.PeerCertificates[0])
	ctx, cancel := context.WithTimeout(context.Background(), nodeTimeout)
	defer cancel()
	if _, ok := c.node(ctx, func(n store.Node) bool { return n.Key == key }); !ok {
		return errors.New("this is no node of the relay")
	}
	return nil
}

// dial reaches another node, and no one else.
func (c *cluster) dial(ctx context.Context, n store.Node) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, nodeTimeout)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", n.Address)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{c.cert}, NextProtos: []string{nodeProtocol},
		InsecureSkipVerify: true, // the key is what is verified:
		VerifyConnection: func(state tls.ConnectionState) error {
			if state.NegotiatedProtocol != nodeProtocol || len(state.PeerCertificates) == 0 || keyOf(state.PeerCertificates[0]) != n.Key {
				return fmt.Errorf("%s is not node %s", n.Address, n.Name)
			}
			return nil
		}})
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return conn, nil
}
