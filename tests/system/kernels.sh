#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of test_kernels.py's guests: says what Linux found, fetches a file from
# the wire, and does what the wire says next.
#   sluice.name=NAME   the guest's
#   sluice.wire=PORT   where 10.0.2.2 serves HTTP
#   sluice.address=IP  to ask for: two guests that ask at once may be given the
#                      same free lease
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
dmesg -n 1

parameter() {
	for word in $(cat /proc/cmdline); do
		case $word in
		"sluice.$1="*) echo "${word#*=}" ;;
		esac
	done
}

# A line may be shown in parts when another VM's comes between: only one that
# ends in a semicolon is whole.
say() {
	echo "kernels: $*;"
}

# How often an interrupt came, over all CPUs, and on how many of them.
counts() {
	awk -v what="$1" -v cpus="$(nproc)" '$0 ~ what {
		for (i = 2; i < 2 + cpus; i++) {
			sum += $i
			on += $i > 0
		}
	} END { print sum + 0, on + 0 }' /proc/interrupts
}

wire() {
	wget -q -O - "http://10.0.2.2:$(parameter wire)/$1/$(parameter name)"
}

uptime_s() {
	cut -d ' ' -f 1 /proc/uptime
}

say "release $(uname -r)"
say "cpus $(nproc)"
if dmesg | grep -q '[xX]2apic enabled'; then
	say "apic x2apic"
else
	say "apic xapic"
fi
while read -r module; do
	insmod "/lib/modules/$module.ko" || say "failed: module $module"
done </lib/modules/order
ip link set lo up
ip link set eth0 up || say "failed: no eth0"
udhcpc -i eth0 -r "$(parameter address)" -s /etc/udhcpc.sh -q -n -t 10 -T 2 \
	>/dev/null 2>&1 || say "failed: no address by DHCP"
say "sum $(wire data | sha256sum | cut -d ' ' -f 1)"
say "timer $(counts LOC:)"
say "net $(counts virtio0-input)"
# What passes here and on the wire.
wire watch >/dev/null
before=$(uptime_s)
sleep 3
after=$(uptime_s)
say "clock $before $after $(wire watch)"
# After a while, which is when Linux is sure of it.
say "clocksource $(cat \
	/sys/devices/system/clocksource/clocksource0/current_clocksource)"
next=$(wire next)
say "next $next"
case $next in
reboot) reboot -f ;;
*) poweroff -f ;;
esac
