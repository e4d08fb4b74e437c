#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that building and testing need and that are not
# there yet: says which, asks first at a terminal, uses sudo where not root.
set -eu

# The one list. Compilers and what the build runs; libraries; the machine and
# its guests; the tests.
PACKAGES="
	build-essential make gcc binutils clang clang-format libclang-rt-14-dev
	acpica-tools mandoc dpkg-dev libc6-dev linux-libc-dev
	libcyaml-dev libyaml-dev libcmocka-dev libzydis-dev
	bochs bochs-term bochsbios vgabios grub-common grub-pc-bin mtools xorriso
	qemu-system-x86 seabios ipxe-qemu busybox-static iperf3 ca-certificates
	python3 python3-pytest"

missing=
have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
	sed -n 's/^installed //p') || {
	echo "make setup: this is not a Debian system (no dpkg-query); install" \
		"by hand what $0 lists" >&2
	exit 1
}
for package in $PACKAGES; do
	printf '%s\n' "$have" | grep -qxF "$package" ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Sluice needs these packages, which are not installed:"
echo "   $missing"
if [ -t 0 ] && [ -t 1 ]; then
	printf 'Install them now? [Y/n] '
	read -r answer
	case $answer in
	'' | [yY]*) ;;
	*)
		echo "make setup: nothing installed; run" \
			"'apt-get install$missing' yourself" >&2
		exit 1
		;;
	esac
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "make setup: not root and no sudo; as root, run" \
			"'apt-get install$missing'" >&2
		exit 1
	}
	as_root=sudo
fi

# Mirrors and networks have bad moments: three tries, each with fresh lists,
# because a package that moved on is gone from the mirror.
apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q \
		-o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "$@"
}
for try in 1 2 3; do
	# shellcheck disable=SC2086 # a list of words
	if apt update && apt install -y --no-install-recommends $missing; then
		echo "make setup: done"
		exit 0
	fi
	[ "$try" -eq 3 ] || sleep $((try * 5))
done
echo "make setup: could not install$missing (see apt's messages above)" >&2
exit 1
