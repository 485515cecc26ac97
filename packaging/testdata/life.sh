#!/bin/bash
# The life of an installation, in a copy of this system that only this process
# sees: installed, used, removed while an engineer is in, purged, gone. PACKAGES
# is the directory of the packages. Run by TestLife, in namespaces of its own.
set -euo pipefail
fail() { echo "FAIL: $*" >&2; exit 1; }
here() { [ -e "$1" ] || fail "$1 is not there: $2"; }
gone() { [ ! -e "$1" ] || fail "$1 is still there: $2"; }
agents() { pgrep -f '^/usr/bin/remote-support serve' || true; }
rm -rf /etc/latchstring* /var/lib/latchstring* /run/latchstring
mkdir -p /test && cd /test

echo "== install"
dpkg -i "$PACKAGES"/latchstring_*.deb "$PACKAGES"/latchstring-remote-support_*.deb >dpkg.log 2>&1 || { cat dpkg.log; fail install; }
dpkg -i "$PACKAGES"/latchstring-rss_*.deb "$PACKAGES"/latchstring-support_*.deb >dpkg.log 2>&1 || { cat dpkg.log; fail install; }
here /var/lib/latchstring/identity "the keys are made at install (REQ G9)"
[ "$(stat -c %a /var/lib/latchstring)" = 700 ] || fail "the state can be read by others"
remote-support identity --json >identity.json
remote-support status --json >status.json && grep -q '"off"' status.json || fail "not off after installation (REQ G1)"
remote-support on >on.log 2>&1 && fail "on without an agent and a vendor"
man -w -l /usr/share/man/man1/remote-support.1.gz >/dev/null 2>&1 || zcat /usr/share/man/man1/remote-support.1.gz | head -1 | grep -q . || fail "no manual page"
bash -n /usr/share/bash-completion/completions/remote-support
systemd-analyze verify /lib/systemd/system/latchstring-remote-support.service /lib/systemd/system/latchstring-rss.service || fail "a unit is wrong"

echo "== a vendor, an engineer, a session"
port=$(shuf -i 20000-60000 -n 1)
rss init --root vendor --name Vendor --address 127.0.0.1:$port --listen 127.0.0.1:$port >/dev/null
mv vendor/var/rss/move-to-engineers keys
rss serve --root vendor >rss.log 2>&1 &
# A root of its own would hide what the packages do: this is the machine's.
remote-support serve --web "" >agent.log 2>&1 &
for _ in $(seq 200); do grep -q . rss.log && [ -S /run/latchstring/control.sock ] && break; sleep 0.1; done
rss token new --root vendor --system sa1 >token 2>/dev/null
remote-support enroll --token-file token >/dev/null
ssh-keygen -q -t ed25519 -N "" -f ada
pin=$(rss engineers add --root vendor ada --key-file ada.pub --role access --role bundles 2>&1 | sed -n 's/.*--pin \([^ ]*\).*/\1/p')
support certify ada.pub --ca keys/support_ca --name ada --valid 1h >/dev/null
support login --root engineer --rss 127.0.0.1:$port --pin "$pin" --key ada >/dev/null 2>login.log </dev/null || { cat login.log; fail login; }
remote-support on --for 1h --case C-1 >on.log || { cat on.log; fail on; }
sed -n 's/.*SECRET *//p' on.log >secret
support ssh --root engineer --secret-file secret --case C-1 sa1 -- 'echo in; exec sleep 3600' >shell.log 2>&1 &
for _ in $(seq 200); do grep -q in shell.log && break; sleep 0.1; done
grep -q in shell.log || { cat shell.log; fail "the engineer is not in"; }
pgrep -f 'sleep 3600' >/dev/null || fail "the engineer's program does not run"

echo "== purged while an engineer is in (REQ G7)"
dpkg --purge latchstring-remote-support >dpkg.log 2>&1 || { cat dpkg.log; fail purge; }
[ -z "$(agents)" ] || fail "an agent is left: $(agents)"
pgrep -f 'sleep 3600' >/dev/null && fail "the engineer's program goes on"
gone /usr/bin/remote-support "the command"
gone /lib/systemd/system/latchstring-remote-support.service "the unit"
gone /var/lib/latchstring/session/session.json "the session"
gone /var/lib/latchstring/login "logins"
[ -z "$(ls -A /etc/latchstring/auth.d 2>/dev/null)" ] || fail "settings of logins are left"
grep -q '"support_ca": *"[^"]' /var/lib/latchstring/identity/vendor.json && fail "the vendor's key for engineers is left"
grep -q '"session.ended"' -r /var/lib/latchstring/audit || fail "the end of the session is not in the audit log"
grep -q '"system.trust_destroyed"' -r /var/lib/latchstring/audit || fail "what was destroyed is not in the audit log"
for _ in $(seq 100); do rss systems --root vendor --json | grep -q '"session": *true' || break; sleep 0.1; done

echo "== bundles go on"
send-bundle --only system --output bundle.age >/dev/null 2>bundle.log || { cat bundle.log; fail "send-bundle"; }
here bundle.age "send-bundle works without remote access"

echo "== the end of the installation"
dpkg --purge latchstring >dpkg.log 2>&1 || { cat dpkg.log; fail purge; }
for f in /usr/bin/send-bundle /usr/bin/latchstring-plugins /var/lib/latchstring /etc/latchstring /run/latchstring; do gone $f "after the purge of everything"; done

echo "== a new installation has new keys"
dpkg -i "$PACKAGES"/latchstring_*.deb "$PACKAGES"/latchstring-remote-support_*.deb >dpkg.log 2>&1 || { cat dpkg.log; fail install; }
remote-support identity --json >again.json
cmp -s identity.json again.json && fail "the keys of the old installation are back"

echo "== a seal lives as long as the installation (REQ G6)"
remote-support disable --permanently --confirm "permanently disable remote access on $(hostname)" >/dev/null 2>&1 || true
remote-support status --json | grep -qi 'disabled' || fail "not disabled"
dpkg --purge latchstring-remote-support >dpkg.log 2>&1 || { cat dpkg.log; fail purge; }
dpkg -i "$PACKAGES"/latchstring-remote-support_*.deb >dpkg.log 2>&1 || { cat dpkg.log; fail install; }
remote-support status --json | grep -qi 'disabled' || fail "purging the package of remote access took the seal away"
dpkg --purge latchstring-remote-support latchstring >dpkg.log 2>&1 || { cat dpkg.log; fail purge; }
ls -d /etc/latchstring* /var/lib/latchstring* 2>/dev/null && fail "something is left"
echo "== done"
