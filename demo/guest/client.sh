#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the demo's client: fetches web's page and data, and runs iperf3 to
# web and to the machine beyond the NIC, in both directions.
#   sluice.demo=1          do all that, then power off
#   sluice.iperf_port=N    where 10.0.2.2 runs iperf3 -s; none: not to the wire
#   sluice.iperf_seconds=N of each run, 3 when not given
#   sluice.fetch_loop=1    fetch the data from web again and again, until a line
#                          is typed; then both power off
name=client
. /etc/lib.sh

web=10.0.2.15
wire=10.0.2.2

fetch() {
	for _ in $(seq 15); do
		wget -q -O "/tmp/$1" "http://$web/$1" 2>/dev/null && break
		sleep 1
	done
	want=$(grep "  $1\$" /etc/sums | cut -d ' ' -f 1)
	got=$(sha256sum "/tmp/$1" 2>/dev/null | cut -d ' ' -f 1)
	if [ "$want" = "$got" ]; then
		say "fetched $1: $(wc -c <"/tmp/$1") bytes, sha256 matches"
	else
		say "failed: $1 from $web has sha256 ${got:-none}, not $want"
		return 1
	fi
}

# How often the data came, and how often it was not what it should be.
fetch_loop() {
	local right=0 wrong=0
	(read -r _ </dev/console; touch /run/stop) &
	until [ -e /run/stop ]; do
		if fetch data.bin >/tmp/said; then
			right=$((right + 1))
		else
			wrong=$((wrong + 1))
			cat /tmp/said
		fi
		say "loop: $right right, $wrong wrong"
	done
	wget -q -O - "http://$web/cgi-bin/poweroff" >/dev/null
}

# measure WHAT HOST PORT [FLAG...]: what the receiving side counted.
measure() {
	local what=$1 host=$2 port=$3
	shift 3
	if iperf3 -c "$host" -p "$port" -t "${seconds:-3}" -f m \
		--connect-timeout 5000 "$@" >/tmp/iperf 2>&1; then
		say "iperf $what $(awk '/receiver/ {
			for (i = 2; i <= NF; i++)
				if ($i == "Mbits/sec") print $(i - 1)
			}' /tmp/iperf) Mbit/s"
	else
		say "failed: iperf $what: $(tail -n 1 /tmp/iperf)"
	fi
}

bring_up 10.0.2.16
[ -n "$(parameter demo)" ] || shell
if [ -n "$(parameter fetch_loop)" ]; then
	fetch_loop
	say "power off"
	poweroff -f
fi
port=$(parameter iperf_port)
seconds=$(parameter iperf_seconds)
if fetch index.html && fetch data.bin; then
	measure vm-to-vm $web 5201
	measure vm-to-vm-reverse $web 5201 -R
fi
if [ -n "$port" ]; then
	measure vm-to-wire $wire "$port"
	measure wire-to-vm $wire "$port" -R
fi
say "done"
say "power off"
poweroff -f
