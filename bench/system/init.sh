#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the counting bench's machine, native or VM: all works, then off.
#   bench.runs=N       runs of each work
#   bench.count=N      datagrams in a run
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
dmesg -n 1

parameter() {
	for word in $(cat /proc/cmdline); do
		case $word in
		"bench.$1="*) echo "${word#*=}" ;;
		esac
	done
}

here=10.9.0.2
flood=10.9.0.1
runs=$(parameter runs)
count=$(parameter count)

# Nothing but the works is to send or receive.
for knob in /proc/sys/net/ipv6/conf/*/disable_ipv6; do
	echo 1 >"$knob"
done
while read -r module; do
	insmod "/lib/modules/$module.ko" || echo "bench: cannot load $module"
done </lib/modules/order
for _ in $(seq 50); do
	[ -d /sys/class/net/eth0 ] && break
	sleep 0.1
done
ifconfig lo up
ifconfig eth0 $here netmask 255.255.255.0 up
arp -s $flood 52:54:00:00:00:99
# The physical driver sees its link only after a while.
for _ in $(seq 100); do
	[ "$(cat /sys/class/net/eth0/carrier)" = 1 ] && break
	sleep 0.1
done
sleep 1
echo "bench: kernel $(uname -r), driver $(basename \
	"$(readlink /sys/class/net/eth0/device/driver)")"

run=0
for _ in $(seq "$runs"); do
	for payload in 18 1472; do
		run=$((run + 1))
		blast $flood $payload "$count"
		sink $flood $payload "$count" $run
	done
done
echo "bench: done"
poweroff -f
