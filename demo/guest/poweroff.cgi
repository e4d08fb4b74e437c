#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The web server's off switch; /init sees the file within a second.
printf 'Content-Type: text/plain\r\n\r\nbye\n'
touch /run/poweroff
