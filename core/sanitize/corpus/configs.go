package corpus

func (g *Generator) yaml() {
	switch g.r.IntN(8) {
	case 0:
		g.add("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ").pick("shop-api", "billing", "frontend").add("\n  labels:\n    app.kubernetes.io/version: \"1.").upto(40).add(".").upto(9).add("\"")
	case 1:
		g.add("      - name: JAVA_OPTS\n        value: \"-Xms512m -Xmx2g -Dfile.encoding=UTF-8\"")
	case 2:
		g.add("        image: registry.example.net/shop/api:").upto(5).add(".").upto(40).add("\n        imagePullPolicy: IfNotPresent")
	case 3:
		g.add("          - containerPort: ").upto(65536).add("\n            protocol: TCP")
	case 4:
		g.add("      - name: DB_PASSWORD\n        valueFrom:\n          secretKeyRef:\n            name: shop-db\n            key: password")
	case 5:
		g.add("  nameservers:\n    addresses: [").ip().add(", ").ip().add("]")
	case 6:
		g.add("# raised after the incident of last spring\n  replicas: ").upto(12)
	default:
		g.add("    resources:\n      limits:\n        cpu: ").upto(4000).add("m\n        memory: ").upto(64).add("Gi")
	}
	g.nl()
}

func (g *Generator) ini() {
	switch g.r.IntN(9) {
	case 0:
		g.add("\n[").pick("database", "cache", "http", "logging", "queue").add("]")
	case 1:
		g.add("max_connections = ").upto(500)
	case 2:
		g.add("listen_addresses = '").ip().add("'")
	case 3:
		g.add("; tuned for the new pool, do not raise")
	case 4:
		g.add("log_file=/var/log/").pick("app", "shop", "billing").add("/").pick("server", "access", "audit").add(".log")
	case 5:
		g.add("ssl_cert = /etc/ssl/certs/").host().add(".pem")
	case 6:
		g.add("password_min_length = ").upto(20)
	case 7:
		g.add("timeout.connect=").upto(60).add("s")
	default:
		g.add("feature.").pick("new_cart", "fast_search", "dark_mode").add(".enabled=").pick("true", "false")
	}
	g.nl()
}

func (g *Generator) jsonConfig() {
	g.add(`{"id":`).upto(99999).add(`,"name":"`).pick("vol", "pool", "host", "cluster").add("-").upto(999).add(`","enabled":`).pick("true", "false").add(`,"tags":["`).pick("prod", "test", "dr").add(`","`).pick("gold", "silver").add(`"],"created":"`).iso().add(`"`)
	if g.chance(25) {
		g.add(`,"address":"`).ip().add(`"`)
	}
	g.add(`,"quota":{"soft":`).upto(1 << 30).add(`,"hard":`).upto(1 << 40).add(`},"owner":"`).user().add(`"}`).nl()
}
