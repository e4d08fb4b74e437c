#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the guests that the wire is played against: serves HTTP, and does
# what it is told by frames (see frames.c).
#   wire.address=A     its own; the player of the wire is 10.9.0.1
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
dmesg -n 1

address=$(sed -n 's/.*wire\.address=\([0-9.]*\).*/\1/p' /proc/cmdline)
while read -r module; do
	insmod "/lib/modules/$module.ko" || echo "wire: cannot load $module"
done </lib/modules/order
ifconfig lo up
# promisc: all that the switch hands over is to be seen, tagged or not.
ifconfig eth0 "$address" netmask 255.255.255.0 promisc up
arp -s 10.9.0.1 52:54:00:00:00:99
httpd -h /www

fetch() {
	for _ in $(seq 60); do
		wget -q -O "/tmp/$1" "http://$2/$1" && break
		sleep 1
	done
	echo "wire: fetched $1 $(sha256sum <"/tmp/$1" | cut -d ' ' -f 1)"
	rm -f "/tmp/$1"
}

# The protocols' counters, a line of names and one of values each.
counters() {
	sed -n "s/^\(Ip\|Tcp\|Udp\): /wire: $1 \1 /p" /proc/net/snmp
	echo "wire: $1 end"
}

frames eth0 | while read -r order a b; do
	case $order in
	fetch) fetch "$a" "$b" & ;;
	counters) counters "$a" ;;
	off) poweroff -f ;;
	esac
done
echo "wire: frames ended"
