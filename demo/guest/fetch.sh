#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch.sh DIR PACKAGE PATTERN...: what matches of a Debian package, unpacked
# into DIR; downloaded and never installed. A package linux-image-FLAVOUR
# without a version stands for the one that it depends on.
set -eu

dir=$1
package=$2
shift 2

as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo

# The package that a meta package stands for today; others are themselves.
resolve() {
	case $package in
	linux-image-[!0-9]*)
		apt-cache depends "$package" 2>/dev/null |
			sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' |
			head -n 1
		;;
	*) echo "$package" ;;
	esac
}

# Into a folder of its own, so that the file's name needs no guessing.
download() {
	name=$(resolve)
	[ -n "$name" ] || return 1
	echo "  GET   $name"
	rm -rf "$dir.download"
	mkdir -p "$dir.download"
	(cd "$dir.download" && apt-get -q -o Acquire::Retries=3 \
		-o APT::Sandbox::User="$(id -un)" download "$name")
}

mkdir -p "$dir"
if ! download; then
	# No lists, or lists older than the mirror.
	$as_root apt-get -q -o Acquire::Retries=3 update
	download || {
		echo "cannot download $package; is there a network, and" \
			"Debian's main in the apt sources?" >&2
		exit 1
	}
fi

rm -rf "$dir"
mkdir -p "$dir"
dpkg-deb --fsys-tarfile "$dir".download/*.deb |
	tar -x -C "$dir" --wildcards "$@"
rm -rf "$dir.download"
