package relay

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what the local socket shows in Prometheus' form. No label holds
// what a stranger chose.
type metrics struct {
	registry       *prometheus.Registry
	requests       *prometheus.CounterVec // by result
	bundles, bytes prometheus.Counter
	uploadsRefused prometheus.Counter
	loginsRefused  prometheus.Counter

	refused    *prometheus.CounterVec // remote access, by reason
	opened     *prometheus.CounterVec // control streams, by carrier: raw, framed, mux
	spliced    prometheus.Counter
	descended  prometheus.Counter // directions that left TLS
	forwarded  prometheus.Counter // to another node
	carried    prometheus.Counter // bytes, both ways
	dialBack   prometheus.Histogram
	segments   prometheus.Counter
	recordings prometheus.Counter
}

func newMetrics(h *hub, g *gate) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "latchstring_rss", Name: name, Help: help})
		m.registry.MustRegister(c)
		return c
	}
	vec := func(name, label, help string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "latchstring_rss", Name: name, Help: help}, []string{label})
		m.registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string, f func() int) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "latchstring_rss", Name: name, Help: help}, func() float64 { return float64(f()) }))
	}
	m.requests = vec("requests_total", "result", "requests since the start")
	m.bundles = counter("bundles_total", "bundles accepted since the start")
	m.bytes = counter("bundle_bytes_total", "bytes of bundles accepted since the start")
	m.uploadsRefused = counter("uploads_refused_total", "uploads refused since the start")
	m.loginsRefused = counter("logins_refused_total", "logins refused since the start")
	m.refused = vec("remote_refused_total", "reason", "requests of remote access refused since the start")
	m.opened = vec("links_opened_total", "carrier", "control streams opened since the start")
	m.spliced = counter("connections_spliced_total", "engineers' connections since the start")
	m.descended = counter("directions_sealed_total", "directions of engineers' connections that left TLS to the relay for records sealed from end to end, since the start")
	m.forwarded = counter("connections_forwarded_total", "engineers' connections passed on to another node since the start")
	m.carried = counter("connection_bytes_total", "bytes both ways of engineers' connections since the start")
	m.dialBack = prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "latchstring_rss", Name: "dial_back_seconds",
		Help: "from an engineer's request to the system's answer", Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10}})
	m.segments = counter("recording_segments_total", "segments of recordings stored since the start")
	m.recordings = counter("recording_bytes_total", "bytes of recordings stored since the start")
	gauge("sessions", "open sessions on this node", h.countLinks)
	gauge("connections", "engineers' connections that are open on this node", h.countCarried)
	gauge("spares", "connections that systems keep dialled", h.countSpares)
	gauge("sockets", "open TCP connections", g.open)
	m.registry.MustRegister(m.dialBack, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) request(status int) {
	result := "ok"
	switch {
	case status >= 500:
		result = "server_error"
	case status >= 400:
		result = "client_error"
	}
	m.requests.WithLabelValues(result).Inc()
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
