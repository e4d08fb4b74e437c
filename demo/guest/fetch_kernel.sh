#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch_kernel.sh DIR META: the stock Debian kernel of the package META as
# DIR/vmlinuz and its network modules under DIR/kernel.
set -eu

dir=$1
meta=$2

# Only what the guests use: the whole package is up to 400 MB unpacked.
"$(dirname "$0")/fetch.sh" "$dir/kernel" "$meta" './boot/vmlinuz-*' \
	'./lib/modules/*/kernel/drivers/virtio/*' \
	'./lib/modules/*/kernel/drivers/net/*' \
	'./lib/modules/*/kernel/drivers/pps/*' \
	'./lib/modules/*/kernel/drivers/ptp/*' \
	'./lib/modules/*/kernel/net/core/*'
cp "$dir"/kernel/boot/vmlinuz-* "$dir/vmlinuz.tmp"
mv "$dir/vmlinuz.tmp" "$dir/vmlinuz"
