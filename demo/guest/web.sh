#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the demo's web server: HTTP on port 80, iperf3 on 5201. It runs
# until somebody asks for /cgi-bin/poweroff.
name=web
. /etc/lib.sh

bring_up 10.0.2.15
httpd -h /www
iperf3 -s >/dev/null 2>&1 &
say "serving"
[ -n "$(parameter demo)" ] || shell
while [ ! -e /run/poweroff ]; do
	sleep 1
done
say "power off"
poweroff -f
