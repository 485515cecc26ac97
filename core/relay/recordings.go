package relay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/store"
)

const (
	segmentTimeout = 2 * time.Minute // to send a segment
	booksEvery     = time.Minute     // between events about the recordings that grew
	ageMagic       = "age-encryption.org/v1\n"
	maxSegmentHead = 64 << 10 // what precedes the sealed bytes: header and signature
)

// archive takes the sealed segments of recordings. Each is its own blob, named
// by its content as well, so that nothing can be overwritten; which of two
// counts is decided by the first record.
type archive struct {
	srv   *Server
	locks [64]sync.Mutex // by system

	mu     sync.Mutex
	sizes  map[string]int64   // of what a system has here, once it was counted
	unsaid map[[2]string]bool // recordings that grew since the last event
}

func newArchive(s *Server) *archive {
	return &archive{srv: s, sizes: map[string]int64{}, unsaid: map[[2]string]bool{}}
}

func segmentBlob(system, connection string, s api.Segment) string {
	return fmt.Sprintf("rec-%s-%s-%d-%s", system, connection, s.N, s.SHA256[:16])
}

// takeSegment is POST /v1/recordings/{connection}/{n}.
func (s *Server) takeSegment(w http.ResponseWriter, r *http.Request) {
	seg, err := s.archive.take(w, r)
	if err != nil {
		s.hub.refuse(w, err)
		return
	}
	writeJSON(w, http.StatusOK, seg)
}

func (a *archive) take(w http.ResponseWriter, r *http.Request) (api.Segment, error) {
	sys, err := a.srv.system(r)
	if err != nil {
		return api.Segment{}, err
	}
	connection, n, err := segmentPath(r)
	if err != nil {
		return api.Segment{}, err
	}
	limits := a.srv.hub.limits
	if n >= limits.Segments {
		return api.Segment{}, api.Errorf(http.StatusForbidden, api.CodeQuota, "a recording has at most %d segments here", limits.Segments)
	}
	ctl := http.NewResponseController(w)
	ctl.SetReadDeadline(time.Now().Add(segmentTimeout))
	ctl.SetWriteDeadline(time.Now().Add(segmentTimeout + requestTimeout))
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(limits.MaxSegment)))
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return api.Segment{}, api.Errorf(http.StatusRequestEntityTooLarge, api.CodeTooLarge, "a segment has at most %d bytes here", big.Limit)
	}
	if err != nil {
		return api.Segment{}, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "read segment: %v", err)
	}
	if err := checkSegment(data, connection, n); err != nil {
		return api.Segment{}, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "%v", err)
	}
	sum := sha256.Sum256(data)
	seg := api.Segment{N: n, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:]), ReceivedAt: a.srv.now().UTC().Truncate(time.Millisecond)}
	// What has begun is finished, whether the client is there or not.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), requestTimeout)
	defer cancel()
	lock := &a.locks[shardOf(sys.ID)%len(a.locks)]
	lock.Lock()
	defer lock.Unlock()
	return a.add(ctx, sys, connection, seg, data)
}

func segmentPath(r *http.Request) (connection string, n int, err error) {
	connection = r.PathValue("connection")
	n, err = strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 || strconv.Itoa(n) != r.PathValue("n") || !api.ValidConnectionID(connection) {
		return "", 0, api.Errorf(http.StatusNotFound, api.CodeNotFound, "%.40q and %.20q name no segment of a recording", connection, r.PathValue("n"))
	}
	return connection, n, nil
}

// checkSegment looks whether this is what a system makes for us: a header that
// names this segment, and sealed bytes. It cannot look into those.
func checkSegment(data []byte, connection string, n int) error {
	head, _, ok := bytes.Cut(data[:min(len(data), maxSegmentHead)], []byte("\n"))
	var h struct {
		Recording string `json:"recording"`
		Segment   *int   `json:"segment"`
	}
	if !ok || json.Unmarshal(head, &h) != nil || h.Recording != connection || h.Segment == nil || *h.Segment != n {
		return fmt.Errorf("the bytes do not begin with the header of segment %d of recording %s", n, connection)
	}
	if !bytes.Contains(data[:min(len(data), maxSegmentHead)], []byte("\n"+ageMagic)) {
		return errors.New("the segment is not sealed, and this relay does not want to read it")
	}
	return nil
}

// add stores a segment; the system's lock is held.
func (a *archive) add(ctx context.Context, sys store.System, connection string, seg api.Segment, data []byte) (api.Segment, error) {
	reg := a.srv.reg
	switch old, err := reg.Segment(ctx, sys.ID, connection, seg.N); {
	case err == nil:
		same, err := sameSegment(old, seg)
		if err != nil {
			return same, err
		}
		return same, a.recount(ctx, sys, connection, same)
	case !errors.Is(err, store.ErrNotFound):
		return api.Segment{}, unavailable(err)
	}
	if err := a.room(ctx, sys, seg.Size); err != nil {
		return api.Segment{}, err
	}
	if err := a.write(ctx, segmentBlob(sys.ID, connection, seg), data); err != nil {
		return api.Segment{}, err
	}
	switch err := reg.AddSegment(ctx, sys.ID, connection, seg); {
	case errors.Is(err, store.ErrExists): // another node was faster
		old, err := reg.Segment(ctx, sys.ID, connection, seg.N)
		if err != nil {
			return api.Segment{}, unavailable(err)
		}
		if old.SHA256 != seg.SHA256 {
			err = a.srv.blobs.Delete(ctx, segmentBlob(sys.ID, connection, seg))
		}
		same, no := sameSegment(old, seg)
		return same, errors.Join(no, err)
	case err != nil:
		return api.Segment{}, unavailable(err)
	}
	return seg, a.count(ctx, sys, connection, seg)
}

func sameSegment(old, seg api.Segment) (api.Segment, error) {
	if old.SHA256 == seg.SHA256 {
		return old, nil // sent again, because the answer was lost
	}
	return api.Segment{}, api.Errorf(http.StatusConflict, api.CodeSegmentExists, "another segment %d is here already, with SHA-256 %s; nothing is overwritten", old.N, old.SHA256)
}

// room checks the system's share, and the disk.
func (a *archive) room(ctx context.Context, sys store.System, size int64) error {
	a.mu.Lock()
	have, known := a.sizes[sys.ID]
	a.mu.Unlock()
	if !known {
		list, err := a.srv.reg.Recordings(ctx, sys.ID)
		if err != nil {
			return unavailable(err)
		}
		for _, rec := range list {
			have += rec.Size
		}
		a.mu.Lock()
		a.sizes[sys.ID] = have
		a.mu.Unlock()
	}
	if limit := int64(a.srv.hub.limits.Recordings) << 20; have+size > limit {
		return api.Errorf(http.StatusForbidden, api.CodeQuota, "system %s has %d bytes of recordings here, and its limit is %d", sys.Name, have, limit)
	}
	free, err := a.srv.blobs.Free()
	if err != nil {
		return err
	}
	if free-size < a.srv.relay.Config.Limits.KeepFree {
		return api.Errorf(http.StatusInsufficientStorage, api.CodeNoSpace, "the relay has no space for recordings now; try later")
	}
	return nil
}

func (a *archive) write(ctx context.Context, id string, data []byte) error {
	f, err := os.CreateTemp(a.srv.relay.Places.Intake, ".segment-*")
	if err != nil {
		return noSpace(fmt.Errorf("store segment: %w", err))
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return noSpace(fmt.Errorf("store segment: %w", err))
	}
	return noSpace(a.srv.blobs.Adopt(ctx, id, f.Name()))
}

// count adds a segment to its recording. The running hash covers the segments
// in the order in which they came; the event log repeats it.
func (a *archive) count(ctx context.Context, sys store.System, connection string, seg api.Segment) error {
	for {
		err := a.countOnce(ctx, sys, connection, seg)
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
		if ctx.Err() != nil {
			return unavailable(ctx.Err())
		}
	}
}

// recount counts a segment that was stored and, because of a failure in
// between, not counted. Segments come in order, from 0.
func (a *archive) recount(ctx context.Context, sys store.System, connection string, seg api.Segment) error {
	rec, _, err := a.srv.reg.Recording(ctx, sys.ID, connection)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return unavailable(err)
	case err == nil && rec.Segments != seg.N:
		return nil
	case err != nil && seg.N != 0:
		return nil
	}
	return a.count(ctx, sys, connection, seg)
}

// countOnce returns ErrConflict where another node counted at the same time.
func (a *archive) countOnce(ctx context.Context, sys store.System, connection string, seg api.Segment) error {
	rec, revision, err := a.srv.reg.Recording(ctx, sys.ID, connection)
	first := errors.Is(err, store.ErrNotFound)
	if err != nil && !first {
		return unavailable(err)
	}
	if first {
		who, err := a.srv.reg.Carried(ctx, sys.ID, connection)
		if err != nil {
			return unavailable(err)
		}
		rec.Recording = api.Recording{Connection: connection, System: sys.ID, SystemName: sys.Name, Begun: seg.ReceivedAt, Engineer: who}
	}
	head := sha256.Sum256(fmt.Appendf(nil, "latchstring recording v1\n%s\n%d %s\n", rec.Head, seg.N, seg.SHA256))
	rec.Head, rec.Last = hex.EncodeToString(head[:]), seg.ReceivedAt
	rec.Segments++
	rec.Size += seg.Size
	if first {
		if err := a.say(ctx, &rec); err != nil {
			return err
		}
	}
	if err := a.srv.reg.PutRecording(ctx, rec, revision); errors.Is(err, store.ErrConflict) {
		return err
	} else if err != nil {
		return unavailable(err)
	}
	a.mu.Lock()
	a.sizes[sys.ID] += seg.Size
	if !first {
		a.unsaid[[2]string{sys.ID, connection}] = true
	}
	a.mu.Unlock()
	a.srv.metrics.segments.Inc()
	a.srv.metrics.recordings.Add(float64(seg.Size))
	return nil
}

// say records how far a recording has come.
func (a *archive) say(ctx context.Context, rec *store.Recording) error {
	detail := map[string]string{"system": rec.System, "name": rec.SystemName, "segments": fmt.Sprint(rec.Segments), "bytes": fmt.Sprint(rec.Size), "head": rec.Head}
	if rec.Engineer != "" {
		detail["engineer"] = rec.Engineer
	}
	if err := a.srv.record(ctx, audit.RecordingStored, "system:"+rec.System, rec.Connection, detail); err != nil {
		return err
	}
	rec.Logged = rec.Segments
	return nil
}

// keepBooks records from time to time how far recordings have come: an event
// for each segment would drown the log, and the running hash covers them all.
func (s *Server) keepBooks(ctx context.Context) {
	if err := s.archive.resume(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("read recordings", "error", err)
	}
	tick := time.NewTicker(booksEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
			defer cancel()
			s.archive.sayAll(last)
			return
		case <-tick.C:
			s.archive.sayAll(ctx)
		}
	}
}

// resume finds what the last run did not say any more.
func (a *archive) resume(ctx context.Context) error {
	list, err := a.srv.reg.Recordings(ctx, "")
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, rec := range list {
		if rec.Logged < rec.Segments {
			a.unsaid[[2]string{rec.System, rec.Connection}] = true
		}
	}
	return nil
}

func (a *archive) sayAll(ctx context.Context) {
	a.mu.Lock()
	due := a.unsaid
	a.unsaid = map[[2]string]bool{}
	a.mu.Unlock()
	for key := range due {
		if err := a.sayOne(ctx, key[0], key[1]); err != nil {
			a.srv.log.Error("record recordings", "connection", key[1], "error", err)
			a.mu.Lock()
			a.unsaid[key] = true
			a.mu.Unlock()
		}
	}
}

func (a *archive) sayOne(ctx context.Context, system, connection string) error {
	lock := &a.locks[shardOf(system)%len(a.locks)]
	lock.Lock()
	defer lock.Unlock()
	rec, revision, err := a.srv.reg.Recording(ctx, system, connection)
	if err != nil || rec.Logged == rec.Segments {
		return err
	}
	if err := a.say(ctx, &rec); err != nil {
		return err
	}
	return a.srv.reg.PutRecording(ctx, rec, revision) // where it grew meanwhile, the next time says so
}

// listRecordings is for the system itself and for engineers with role access.
func (s *Server) listRecordings(r *http.Request) (any, error) {
	return s.recordings(r, r.URL.Query().Get("system"), "")
}

func (s *Server) recordings(r *http.Request, system, connection string) (api.RecordingList, error) {
	none := api.RecordingList{}
	p, err := s.principal(r)
	if err != nil {
		return none, err
	}
	if p.kind == api.KindSystem {
		return s.findRecordings(r.Context(), p.system.ID, "", connection, nil)
	}
	if !p.engineer.May(store.RoleAccess) {
		return none, api.Errorf(http.StatusForbidden, api.CodeForbidden, "engineer %s does not have the role %q", p.engineer.Name, store.RoleAccess)
	}
	reached, err := s.reached(r.Context(), p.engineer)
	if err != nil {
		return none, err
	}
	return s.findRecordings(r.Context(), "", system, connection, reached)
}

// findRecordings lists those of a system by its id, or of all, that match a
// name or id and a connection and are of the systems given.
func (s *Server) findRecordings(ctx context.Context, id, system, connection string, of map[string]bool) (api.RecordingList, error) {
	list, err := s.reg.Recordings(ctx, id)
	if err != nil {
		return api.RecordingList{}, unavailable(err)
	}
	out := api.RecordingList{Recordings: []api.Recording{}}
	for _, rec := range list {
		if (system == "" || rec.System == system || rec.SystemName == system) && (connection == "" || rec.Connection == connection) && (of == nil || of[rec.System]) {
			out.Recordings = append(out.Recordings, rec.Recording)
		}
	}
	return out, nil
}

// oneRecording is the one of a connection, whoever asks. A connection's id is
// random; should two systems have the same, the query says which is meant.
func (s *Server) oneRecording(r *http.Request) (api.Recording, error) {
	connection := r.PathValue("connection")
	list, err := s.recordings(r, r.URL.Query().Get("system"), connection)
	if err != nil {
		return api.Recording{}, err
	}
	return only(list, connection)
}

func only(list api.RecordingList, connection string) (api.Recording, error) {
	switch len(list.Recordings) {
	case 1:
		return list.Recordings[0], nil
	case 0:
		return api.Recording{}, api.Errorf(http.StatusNotFound, api.CodeNotFound, "there is no recording of connection %.40q", connection)
	}
	return api.Recording{}, api.Errorf(http.StatusConflict, api.CodeBadRequest, "several systems have a connection %.40q: say of which system", connection)
}

func (s *Server) showRecording(r *http.Request) (any, error) {
	rec, err := s.oneRecording(r)
	if err != nil {
		return nil, err
	}
	return s.withSegments(r.Context(), rec)
}

func (s *Server) withSegments(ctx context.Context, rec api.Recording) (api.Recording, error) {
	var err error
	if rec.List, err = s.reg.Segments(ctx, rec.System, rec.Connection); err != nil {
		return rec, unavailable(err)
	}
	return rec, nil
}

func (s *Server) sendSegment(w http.ResponseWriter, r *http.Request) {
	rec, err := s.oneRecording(r)
	if err != nil {
		writeError(w, err)
		return
	}
	s.writeSegment(w, r, rec)
}

func (s *Server) writeSegment(w http.ResponseWriter, r *http.Request, rec api.Recording) {
	_, n, err := segmentPath(r)
	var seg api.Segment
	if err == nil {
		seg, err = s.reg.Segment(r.Context(), rec.System, rec.Connection, n)
		if errors.Is(err, store.ErrNotFound) {
			err = api.Errorf(http.StatusNotFound, api.CodeNotFound, "recording %s has no segment %d here", rec.Connection, n)
		}
	}
	if err != nil {
		writeError(w, err)
		return
	}
	f, size, err := s.blobs.Open(r.Context(), segmentBlob(rec.System, rec.Connection, seg))
	if err != nil || size != seg.Size {
		if f != nil {
			f.Close()
		}
		s.log.Error("segment is damaged", "connection", rec.Connection, "segment", n, "bytes", size, "recorded", seg.Size, "error", err)
		writeError(w, api.Errorf(http.StatusInternalServerError, api.CodeInternal, "segment %d of recording %s is damaged on the relay", n, rec.Connection))
		return
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("ETag", fmt.Sprintf("%q", seg.SHA256))
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(segmentTimeout))
	io.Copy(w, f) // the client is gone if this fails
}

// The same for the operator.

func (s *Server) adminRecordings(r *http.Request) (any, error) {
	return s.findRecordings(r.Context(), "", r.URL.Query().Get("system"), r.URL.Query().Get("connection"), nil)
}

func (s *Server) adminOne(r *http.Request) (api.Recording, error) {
	system := strings.TrimSuffix(r.PathValue("system"), "-") // "-": whichever
	list, err := s.findRecordings(r.Context(), "", system, r.PathValue("connection"), nil)
	if err != nil {
		return api.Recording{}, err
	}
	return only(list, r.PathValue("connection"))
}

func (s *Server) adminRecording(r *http.Request) (any, error) {
	rec, err := s.adminOne(r)
	if err != nil {
		return nil, err
	}
	return s.withSegments(r.Context(), rec)
}

func (s *Server) adminSegment(w http.ResponseWriter, r *http.Request) {
	rec, err := s.adminOne(r)
	if err != nil {
		writeError(w, err)
		return
	}
	s.writeSegment(w, r, rec)
}
