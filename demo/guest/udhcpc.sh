#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What udhcpc runs: puts the lease on the interface.
case $1 in
deconfig)
	ip addr flush dev "$interface"
	;;
bound | renew)
	ip addr add "$ip/${mask:-24}" dev "$interface" 2>/dev/null
	for gateway in $router; do
		ip route replace default via "$gateway"
		break
	done
	;;
esac
