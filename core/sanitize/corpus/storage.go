package corpus

func (g *Generator) array() {
	g.iso().add(" ").pick("INFO", "INFO", "WARNING", "CRITICAL").add(" event_id=").upto(9999999).add(" code=").pick("VOLUME_CREATED", "VOLUME_MAPPED", "SNAP_CREATED", "DRIVE_FAILED", "NODE_DEGRADED", "USER_LOGIN_SUCCESS", "USER_LOGIN_FAILURE", "FC_PORT_LINK_DOWN", "POOL_CAPACITY_WARNING", "REPLICA_SYNC_DONE")
	switch g.r.IntN(6) {
	case 0:
		g.add(` username="`).user().add(`" source_ip=`).ip().add(` description="login through the GUI"`)
	case 1:
		g.add(` volume="vol-`).pick("oracle", "vmfs", "backup", "sql").add("-").pad(g.r.IntN(400), 4).add(`" pool="pool-`).upto(8).add(`" size=`).upto(1 << 40).add(` serial=742b0f00000`).hex(23)
	case 2:
		g.add(" node=").upto(3).add(" enclosure=").upto(8).add(" drive=").upto(60).add(` wwn=0x5000c500`).hex(8).add(` state="FAILED" reason="media errors `).upto(500).add(`"`)
	case 3:
		g.add(" port=N").upto(3).add("FC").upto(8).add(" wwpn=57:42:b0:f0:00:").hex(2).add(":").hex(2).add(":").hex(2).add(` link="down"`)
	case 4:
		g.add(` host="`).host().add(`" lun=`).upto(255).add(` initiator=iqn.1994-05.com.redhat:`).hex(12)
	default:
		g.add(" free=").upto(100).add("% compression_ratio=").upto(5).add(".").upto(99).add(" iops=").upto(900000).add(" latency_us=").upto(4000)
	}
	g.nl()
}

func (g *Generator) multipath() {
	switch g.r.IntN(5) {
	case 0:
		g.add("mpath").chars("abcdefghijkl", 2).add(" (36742b0f000000").hex(20).add(") dm-").upto(90).add(" NFINIDAT,InfiniBox\n")
		g.add("size=").upto(9000).add("G features='0' hwhandler='1 alua' wp=rw")
	case 1:
		g.add("|-+- policy='round-robin 0' prio=50 status=active")
	case 2, 3:
		g.add("| |- ").upto(9).add(":0:").upto(9).add(":").upto(255).add(" sd").chars("abcdefghijkl", 2).add(" ").upto(255).add(":").upto(255).add("  active ready running")
	default:
		g.syslog("multipathd", true).add("sd").chars("abcdefghijkl", 2).add(": add missing path; tcp portal ").ip().add(":3260,1")
	}
	g.nl()
}
