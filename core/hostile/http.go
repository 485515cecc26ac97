package hostile

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
)

// What the relay answers besides connections: logins, which it grants to
// everybody, and recordings, which it keeps and gives back as a case wants.

func reply(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}

func answerError(w http.ResponseWriter, e *api.Error) {
	w.Header().Set("Content-Type", "application/json")
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(e.RetryAfter/time.Second)))
	}
	w.WriteHeader(max(e.Status, 400))
	_ = json.NewEncoder(w).Encode(e)
}

func (r *relay) challenge(w http.ResponseWriter) error {
	nonce := make([]byte, 32)
	rand.Read(nonce)
	now := time.Now()
	return reply(w, api.ChallengeResponse{Nonce: base64.RawURLEncoding.EncodeToString(nonce), Expires: now.Add(time.Minute), Time: now})
}

func (r *relay) token(w http.ResponseWriter, req *http.Request) error {
	var t api.TokenRequest
	if err := json.NewDecoder(io.LimitReader(req.Body, 64<<10)).Decode(&t); err != nil {
		return err
	}
	key, err := identity.ParseKey(t.PublicKey)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.logins = append(r.logins, login{t})
	r.mu.Unlock()
	token := base64.RawURLEncoding.EncodeToString([]byte(string(t.Kind) + " " + t.PublicKey))
	return reply(w, api.TokenResponse{Token: token, Expires: time.Now().Add(15 * time.Minute), Subject: identity.IDOf(key)})
}

// publish is what the vendor does with a new list of revoked certificates.
func (r *relay) publish(number uint64, list []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.number, r.list = number, list
}

// revoked is the number of the list that the relay says it has.
func (r *relay) revoked() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.plan.number != nil {
		return r.plan.number()
	}
	return r.number
}

// revocations hands the list of revoked certificates out.
func (r *relay) revocations(w http.ResponseWriter) error {
	if p := r.now(); p.list != nil {
		return p.list(w)
	}
	r.mu.Lock()
	list := r.list
	r.mu.Unlock()
	return reply(w, api.Revocations{List: string(list)})
}

// who reads a login. A signature that is not for this connection sends the
// client to the challenge, as with a good relay: it shows that somebody stands
// between.
func (r *relay) who(req *http.Request) (principal, error) {
	header := req.Header.Get("Authorization")
	again := api.Errorf(http.StatusUnauthorized, api.CodeUnauthorized, "log in by a challenge")
	l, ok, err := api.ParseSignedLogin(header)
	if err != nil {
		return principal{}, err
	}
	if !ok {
		text, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(header, "Bearer "))
		kind, line, found := strings.Cut(string(text), " ")
		if err != nil || !found {
			return principal{}, again
		}
		key, err := identity.ParseKey(line)
		return principal{api.Kind(kind), key}, err
	}
	key, err := identity.ParseKey(l.PublicKey)
	if err != nil {
		return principal{}, err
	}
	exporter, err := req.TLS.ExportKeyingMaterial(api.LoginExporter, nil, api.LoginExporterSize)
	if err != nil {
		return principal{}, again
	}
	if identity.Verify(key, identity.NamespaceRSS, bytes.NewReader(api.ExporterStatement(l.Kind, r.vendor.pin(), exporter)), []byte(l.Signature)) != nil {
		return principal{}, again
	}
	return principal{l.Kind, key}, nil
}

// recording takes and gives segments: /v1/recordings/CONNECTION[/N].
func (r *relay) recording(w http.ResponseWriter, req *http.Request) error {
	rest, ok := strings.CutPrefix(req.URL.Path, api.PathRecording)
	if !ok {
		return api.Errorf(http.StatusNotFound, api.CodeNotFound, "there is nothing at %s", req.URL.Path)
	}
	id, number, one := strings.Cut(rest, "/")
	n, err := strconv.Atoi(number)
	if one && err != nil {
		return err
	}
	if req.Method == http.MethodPost {
		return r.take(w, req, id, n)
	}
	r.mu.Lock()
	segments := maps.Clone(r.recordings[id])
	r.mu.Unlock()
	if one {
		b, ok := segments[n]
		if !ok {
			return api.Errorf(http.StatusNotFound, api.CodeNotFound, "there is no such segment")
		}
		_, err := w.Write(b)
		return err
	}
	rec := api.Recording{Connection: id, Segments: len(segments)}
	for _, n := range slices.Sorted(maps.Keys(segments)) {
		sum := sha256.Sum256(segments[n])
		rec.List = append(rec.List, api.Segment{N: n, Size: int64(len(segments[n])), SHA256: hex.EncodeToString(sum[:])})
	}
	return reply(w, rec)
}

func (r *relay) take(w http.ResponseWriter, req *http.Request, id string, n int) error {
	b, err := io.ReadAll(io.LimitReader(req.Body, 64<<20))
	if err != nil {
		return err
	}
	if p := r.now(); p.segment != nil {
		if e := p.segment(n); e != nil {
			return e
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.recordings[id] == nil {
		r.recordings[id] = map[int][]byte{}
	}
	r.recordings[id][n] = b
	w.WriteHeader(http.StatusCreated)
	return nil
}
