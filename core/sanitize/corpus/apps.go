package corpus

func (g *Generator) path() *Generator {
	return g.pick("/", "/api/v1/orders", "/api/v1/orders/4711/items", "/static/js/app.3f2a91.js", "/login", "/healthz", "/metrics", "/cart?step=2&ref=mail", "/images/logo.svg", "/api/v2/volumes?sort=name&page=3", "/index.php?id=12")
}

func (g *Generator) nginx() {
	g.ip().add(" - ")
	if g.chance(20) {
		g.user()
	} else {
		g.add("-")
	}
	g.add(" [").time("02/Jan/2006:15:04:05 +0000").add(`] "`).pick("GET", "GET", "GET", "POST", "PUT").add(" ").path().add(` HTTP/1.1" `).pick("200", "200", "200", "304", "404", "500", "302").add(" ").upto(99999).add(` "https://shop.example.com`).path().add(`" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/`).upto(140).add(`.0.0.0 Safari/537.36"`).nl()
}

func (g *Generator) apache() {
	g.add("[").time("Mon Jan 02 15:04:05.000000 2006").add("] [").pick("core:error", "ssl:warn", "mpm_event:notice", "proxy:error", "authz_core:error").add("] [pid ").upto(40000).add("] ")
	if g.chance(30) {
		g.add("[client ").ip().add(":").upto(65536).add("] ")
	}
	g.pick("AH00094: Command line: '/usr/sbin/apache2'", "AH01630: client denied by server configuration: /var/www/html/private", "AH00957: HTTP: attempt to connect to backend (app-7) failed", "AH01909: www.example.com:443:0 server certificate does NOT include an ID which matches the server name").nl()
}

func (g *Generator) java() {
	g.time("2006-01-02 15:04:05.000").add(" ").pick("INFO ", "INFO ", "WARN ", "ERROR", "DEBUG").add(" [").pick("http-nio-8080-exec-", "scheduler-", "kafka-consumer-", "pool-3-thread-").upto(40).add("] ").
		pick("c.e.shop.order.OrderController", "o.s.b.w.embedded.tomcat.TomcatWebServer", "com.zaxxer.hikari.pool.HikariPool", "o.a.k.clients.consumer.internals.ConsumerCoordinator", "c.e.auth.TokenRefreshService").add(" - ")
	switch g.r.IntN(6) {
	case 0:
		g.add("order ").upto(99999).add(" created in ").upto(500).add(" ms for customer ").upto(99999)
	case 1:
		g.add("HikariPool-1 - Pool stats (total=").upto(20).add(", active=").upto(20).add(", idle=").upto(20).add(", waiting=0)")
	case 2:
		g.add("token refreshed for session ").uuid().add(", expires in 3600 s")
	case 3:
		g.add("connection to ").host().add(":5432 lost, retrying in ").upto(30).add(" s")
	case 4:
		g.add("[Consumer clientId=consumer-").upto(9).add(", groupId=orders] Attempt to heartbeat failed since group is rebalancing")
	default:
		g.add("request failed")
		g.nl()
		g.add("java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after 30000ms.\n")
		for range 4 + g.r.IntN(14) {
			g.add("\tat ").pick("org.springframework.web.servlet.FrameworkServlet.service", "com.zaxxer.hikari.HikariDataSource.getConnection", "org.apache.catalina.core.ApplicationFilterChain.doFilter", "com.example.shop.order.OrderRepository.findByCustomer", "java.base/java.util.concurrent.ThreadPoolExecutor.runWorker", "jdk.internal.reflect.GeneratedMethodAccessor117.invoke").
				add("(").pick("FrameworkServlet.java", "HikariDataSource.java", "ApplicationFilterChain.java", "OrderRepository.java", "Unknown Source").add(":").upto(2000).add(")\n")
		}
		g.add("\t... ").upto(80).add(" common frames omitted")
	}
	g.nl()
}

func (g *Generator) postgres() {
	g.time("2006-01-02 15:04:05.000 UTC").add(" [").upto(40000).add("] ").user().add("@").pick("shop", "billing", "inventory").add(" ")
	switch g.r.IntN(6) {
	case 0:
		g.add("LOG:  checkpoint complete: wrote ").upto(9999).add(" buffers (").upto(100).add(".").upto(9).add("%); 0 WAL file(s) added, 0 removed, ").upto(9).add(" recycled; write=").upto(300).add(".").pad(g.r.IntN(1000), 3).add(" s")
	case 1:
		g.add("LOG:  duration: ").upto(9999).add(".").pad(g.r.IntN(1000), 3).add(" ms  statement: SELECT o.id, o.total FROM orders o WHERE o.customer_id = ").upto(99999).add(" AND o.state = 'open' ORDER BY o.created DESC LIMIT 50")
	case 2:
		g.add("LOG:  connection authorized: user=").user().add(" database=shop application_name=psql SSL enabled (protocol=TLSv1.3)")
	case 3:
		g.add(`ERROR:  duplicate key value violates unique constraint "orders_pkey"`)
	case 4:
		g.add(`FATAL:  no pg_hba.conf entry for host "`).ip().add(`", user "`).user().add(`", database "shop", no encryption`)
	default:
		g.add("LOG:  automatic vacuum of table \"shop.public.orders\": index scans: 1")
	}
	g.nl()
}

func (g *Generator) mysql() {
	g.time("2006-01-02T15:04:05.000000Z").add("\t").upto(99999).add(" [").pick("Note", "Warning", "System", "ERROR").add("] [MY-").pad(g.r.IntN(20000), 6).add("] [").pick("Server", "InnoDB", "Repl").add("] ").
		pick("Aborted connection to db: 'shop' user: 'app' (Got timeout reading communication packets)", "/usr/sbin/mysqld: ready for connections. Version: '8.0.36'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306", "page_cleaner: 1000ms intended loop took 4711ms. The settings might not be optimal.", "IP address could not be resolved: Temporary failure in name resolution").nl()
}

func (g *Generator) kubernetes() {
	g.add(`{"log":"`).pick("reconciling deployment", "image pulled", "probe failed: HTTP probe failed with statuscode: 503", "leader lease renewed", "watch closed, restarting").add(`","stream":"`).pick("stdout", "stderr").add(`","kubernetes":{"namespace_name":"`).pick("default", "kube-system", "shop", "monitoring").add(`","pod_name":"`).pick("shop-api", "coredns", "ingress-nginx-controller").add("-").chars("bcdfghjklmnpqrstvwxz2456789", 9).add("-").chars("bcdfghjklmnpqrstvwxz2456789", 5).
		add(`","pod_id":"`).uuid().add(`","host":"`).host()
	if g.chance(25) {
		g.add(`","pod_ip":"`).ip()
	}
	g.add(`","container_hash":"sha256:`).hex(64).add(`"},"time":"`).iso().add(`"}`).nl()
}

func (g *Generator) kubelet() {
	g.pick("I", "I", "W", "E").time("0102 15:04:05.000000").add("   ").upto(9999).add(" ").pick("kubelet.go:2431", "prober.go:107", "pod_workers.go:1298", "reconciler_common.go:299", "httplog.go:132").add("] ")
	if g.chance(30) {
		g.add(`"HTTP" verb="GET" URI="/healthz" latency="`).upto(99).add(`.`).upto(999).add(`ms" userAgent="kube-probe/1.29" srcIP="`).ip().add(":").upto(65536).add(`" resp=200`)
	} else {
		g.add(`"operationExecutor.MountVolume started for volume" volume="`).pick("kube-api-access", "config-volume", "pvc").add("-").chars("bcdfghjklmnp2456789", 5).add(`" pod="shop/shop-api-`).chars("bcdfghjklmnp2456789", 5).add(`" podUID="`).uuid().add(`"`)
	}
	g.nl()
}

func (g *Generator) logfmt() {
	g.add("ts=").iso().add(" level=").pick("info", "info", "debug", "warn", "error").add(" caller=").pick("main.go:112", "server.go:88", "compact.go:519", "head.go:1284").add(" component=").pick("tsdb", "scrape", "api", "notifier").add(` msg="`).pick("compacted block", "scrape timed out", "write block completed", "slow request").add(`" took=`).upto(9999).add("ms")
	switch g.r.IntN(4) {
	case 0:
		g.add(" remote=").ip().add(":").upto(65536)
	case 1:
		g.add(" trace_id=").hex(32).add(" span_id=").hex(16)
	case 2:
		g.add(" user=").user().add(" tenant=").pick("blue", "green", "red").add(" bytes=").upto(1 << 30)
	}
	g.nl()
}

func (g *Generator) haproxy() {
	g.syslog("haproxy", true).ip().add(":").upto(65536).add(" [").time("02/Jan/2006:15:04:05.000").add("] fe_https~ be_app/app-").upto(12).add(" 0/0/").upto(9).add("/").upto(400).add("/").upto(500).add(" 200 ").upto(99999).add(" - - ---- ").upto(200).add("/").upto(200).add(`/0/0/0 0/0 "GET `).path().add(` HTTP/2.0"`).nl()
}
