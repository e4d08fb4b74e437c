# SPDX-License-Identifier: GPL-2.0-or-later
# What both demo guests do first. The guest's name is in $name.

# say WHAT: a line for whoever watches the console.
say() {
	echo "sluice-demo $name: $*"
}

# The value of sluice.KEY= on the kernel command line; empty when not there.
parameter() {
	for word in $(cat /proc/cmdline); do
		case $word in
		"sluice.$1="*) echo "${word#*=}" ;;
		esac
	done
}

bring_up() {
	export PATH=/bin:/sbin:/usr/bin
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t devtmpfs dev /dev 2>/dev/null
	# From here on the console is for our lines.
	dmesg -n 1
	hostname "$name"
	say "user space"
	say "kernel $(uname -r), $(nproc) CPUs"
	while read -r module; do
		insmod "/lib/modules/$module.ko" || say "cannot load $module"
	done </lib/modules/order
	ip link set lo up
	if ! ip link set eth0 up 2>/dev/null; then
		say "no network card"
		return 1
	fi
	# -r: two guests that ask at once may be given the same free lease.
	if ! udhcpc -i eth0 -r "$1" -s /etc/udhcpc.sh -q -n -t 10 -T 2 \
		>/dev/null 2>&1; then
		say "no address by DHCP"
		return 1
	fi
	say "address $(ip -4 -o addr show eth0 |
		sed 's/.*inet \([0-9.]*\).*/\1/')"
}

# Nobody asked for the demonstration: the console is yours.
shell() {
	echo "$name: a shell on the console; 'poweroff -f' ends this machine"
	while :; do
		setsid cttyhack sh
	done
}
