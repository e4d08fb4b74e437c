#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch_kernel.sh DIR: the stock Debian kernel as DIR/vmlinuz and its network
# modules under DIR/kernel; downloaded and unpacked, never installed.
set -eu

dir=$1
meta=linux-image-amd64

as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo

# The package that the meta package stands for today.
resolve() {
	apt-cache depends "$meta" 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1
}

# Into a folder of its own, so that the file's name needs no guessing.
download() {
	package=$(resolve)
	[ -n "$package" ] || return 1
	echo "  GET   $package"
	rm -rf "$dir/download"
	mkdir -p "$dir/download"
	(cd "$dir/download" && apt-get -q -o Acquire::Retries=3 \
		-o APT::Sandbox::User="$(id -un)" download "$package")
}

mkdir -p "$dir"
if ! download; then
	# No lists, or lists older than the mirror.
	$as_root apt-get -q -o Acquire::Retries=3 update
	download || {
		echo "cannot download the package behind $meta; is there a" \
			"network, and Debian's main in the apt sources?" >&2
		exit 1
	}
fi

# Only what the guests use: the whole package is 400 MB unpacked.
rm -rf "$dir/kernel"
mkdir -p "$dir/kernel"
dpkg-deb --fsys-tarfile "$dir"/download/*.deb |
	tar -x -C "$dir/kernel" --wildcards './boot/vmlinuz-*' \
		'./lib/modules/*/kernel/drivers/virtio/*' \
		'./lib/modules/*/kernel/drivers/net/*' \
		'./lib/modules/*/kernel/drivers/pps/*' \
		'./lib/modules/*/kernel/drivers/ptp/*' \
		'./lib/modules/*/kernel/net/core/*'
cp "$dir"/kernel/boot/vmlinuz-* "$dir/vmlinuz.tmp"
rm -rf "$dir/download"
mv "$dir/vmlinuz.tmp" "$dir/vmlinuz"
