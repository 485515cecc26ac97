package infinibox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Event is an entry of the array's event log.
type Event struct {
	ID          int     `json:"id"`
	SeqNum      int     `json:"seq_num"`
	Code        string  `json:"code"`
	Level       string  `json:"level"`
	Username    string  `json:"username"`
	Description string  `json:"description"`
	Template    string  `json:"description_template"`
	Timestamp   int64   `json:"timestamp"` // milliseconds since 1970
	Reporter    string  `json:"reporter"`
	Visibility  string  `json:"visibility"`
	Version     string  `json:"system_version"`
	Data        []Datum `json:"data"`
	created     time.Time
}

// Datum is a named value of an event.
type Datum struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
}

// codes are the registered events with their texts.
var codes = map[string]string{
	"ECOSYSTEM_TOOLS_HEARTBEAT": "heartbeat of {name}",
	"SUPPORT_SESSION_STARTED":   "Support session {session_name} started, expires {session_expiry_time}",
	"SUPPORT_CONNECTED":         "Infinidat Support connected to the system",
	"SUPPORT_DISCONNECTED":      "Infinidat Support disconnected from the system",
	"SUPPORT_SESSION_ENDED":     "Support session {session_name} ended",
}

func (b *Box) knows(code string) bool {
	_, known := codes[code]
	return known && !(b.opts.OldFirmware && strings.HasPrefix(code, "SUPPORT_"))
}

func (b *Box) postEvent(w http.ResponseWriter, r *http.Request, u User) {
	var in struct {
		Code string
		Data []Datum
	}
	if !read(w, r, &in) {
		return
	}
	if !b.knows(in.Code) {
		fail(w, http.StatusBadRequest, "UNKNOWN_EVENT_CODE", "unknown event code "+in.Code) // code invented
		return
	}
	ok(w, b.add(Event{Code: in.Code, Level: "INFO", Visibility: "CUSTOMER", Username: u.Name, Template: codes[in.Code], Data: in.Data}))
}

func (b *Box) postCustomEvent(w http.ResponseWriter, r *http.Request, u User) {
	in := struct {
		Template   string `json:"description_template"`
		Level      string
		Visibility string
		Data       []Datum
	}{Level: "INFO", Visibility: "CUSTOMER"}
	if !read(w, r, &in) {
		return
	}
	switch {
	case in.Template == "":
		fail(w, http.StatusBadRequest, "MISSING_FIELD", "description_template is required") // code invented
		return
	case !slices.Contains(levels, in.Level):
		fail(w, http.StatusBadRequest, "BAD_VALUE", "unknown level "+in.Level) // code invented
		return
	}
	code := "CUSTOM_" + in.Level + "_EVENT"
	if in.Visibility == "INFINIDAT" {
		code = "INTERNAL_" + code
	}
	ok(w, b.add(Event{Code: code, Level: in.Level, Visibility: in.Visibility, Username: u.Name, Template: in.Template, Data: in.Data}))
}

var levels = []string{"INFO", "WARNING", "ERROR", "CRITICAL"}

func (b *Box) add(e Event) Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	e.created = b.opts.Now()
	e.ID = len(b.events) + 1
	e.SeqNum, e.Timestamp, e.Reporter, e.Version = e.ID, e.created.UnixMilli(), "CUSTOM", b.opts.Version
	e.Description = e.Template
	for _, d := range e.Data {
		e.Description = strings.ReplaceAll(e.Description, "{"+d.Name+"}", d.Value)
	}
	if e.Data == nil {
		e.Data = []Datum{}
	}
	b.events = append(b.events, e)
	return e
}

// Events returns all events at once, seen or not yet seen by clients.
func (b *Box) Events() []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.events)
}

func (b *Box) listEvents(w http.ResponseWriter, r *http.Request, _ User) {
	now := b.opts.Now()
	var list []Event
	for _, e := range b.Events() {
		if now.Sub(e.created) < b.opts.Visibility {
			continue
		}
		if c := filter(r, "code"); c != "" && c != e.Code {
			continue
		}
		if l := filter(r, "level"); l != "" && l != e.Level {
			continue
		}
		list = append(list, e)
	}
	if r.URL.Query().Get("sort") == "-id" {
		slices.Reverse(list)
	}
	size := number(r, "page_size", 50, 1000)
	no := number(r, "page", 1, 1<<30)
	total := len(list)
	from := min((no-1)*size, total)
	list = list[from:min(from+size, total)]
	page(w, slices.Clip(append([]Event{}, list...)), map[string]any{
		"number_of_objects": total, "page": no, "page_size": size, "pages_total": (total + size - 1) / size,
	})
}

// number reads a query parameter between 1 and most.
func number(r *http.Request, name string, standard, most int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < 1 {
		return standard
	}
	return min(n, most)
}

func (b *Box) eventTypes(w http.ResponseWriter, _ *http.Request, _ User) {
	var known []string
	for c := range codes {
		if b.knows(c) {
			known = append(known, c)
		}
	}
	slices.Sort(known)
	var lv []map[string]any
	for i, l := range levels {
		lv = append(lv, map[string]any{"name": l, "value": i + 1})
	}
	ok(w, map[string]any{"codes": known, "levels": lv, "visibilities": []string{"CUSTOMER", "INFINIDAT"}, "reporters": []string{"CUSTOM"}})
}
