# SPDX-License-Identifier: Apache-2.0
# Sourced: apt with a state folder of its own, for Debian's packages of any suite and architecture,
# without a change to the machine and without root. Signatures are checked as always.
#
#	apt_private_setup FOLDER SUITE ARCH...	makes the folder and fetches the signed indices
#	apt_private TOOL ARGS...		runs apt-get or apt-cache in it
#
# The mirror is the machine's own where that is Debian's, else deb.debian.org.

apt_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The base addresses of all repositories that the machine's apt uses, both file formats.
apt_machine_uris() {
	local file
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -r "$file" ] || continue
		sed -nE 's/^[[:space:]]*deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+).*/\2/p' "$file"
	done
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -r "$file" ] || continue
		# A stanza that says "Enabled: no" does not count.
		awk 'BEGIN { RS = ""; FS = "\n" }
		{
			uris = ""; on = 1
			for (i = 1; i <= NF; i++) {
				if ($i ~ /^[Uu][Rr][Ii]s:/) { uris = $i; sub(/^[^:]*:/, "", uris) }
				if (tolower($i) ~ /^enabled:[ \t]*(no|false)/) on = 0
			}
			n = on ? split(uris, list, /[ \t]+/) : 0
			for (i = 1; i <= n; i++) if (list[i] != "") print list[i]
		}' "$file"
	done
}

apt_debian_mirror() {
	local uri
	uri=$(apt_machine_uris | grep -E '^(https?|file|copy|mirror\+[a-z]+)://?.*/debian/?$' | head -n 1)
	printf '%s\n' "${uri:-http://deb.debian.org/debian}" | sed 's,/*$,,'
}

apt_private_setup() {
	local suite mirror arches sources
	apt_state=$1
	suite=$2
	shift 2
	if [ ! -r "$apt_keyring" ]; then
		echo "missing $apt_keyring: install the package debian-archive-keyring (make setup does)" >&2
		return 1
	fi
	mkdir -p "$apt_state"/{lists/partial,cache/archives/partial,etc}
	apt_state=$(cd "$apt_state" && pwd)
	: >"$apt_state/status"
	mirror=$(apt_debian_mirror)
	arches=$*
	sources=$(
		echo "deb [signed-by=$apt_keyring arch=${arches// /,}] $mirror $suite main"
		echo "deb-src [signed-by=$apt_keyring] $mirror $suite main"
	)
	printf '%s\n' "$sources" >"$apt_state/etc/sources.list"
	{
		echo "Dir::State \"$apt_state\";"
		echo "Dir::State::lists \"$apt_state/lists\";"
		echo "Dir::State::status \"$apt_state/status\";"
		echo "Dir::Cache \"$apt_state/cache\";"
		echo "Dir::Etc::sourcelist \"$apt_state/etc/sources.list\";"
		echo 'Dir::Etc::sourceparts "/dev/null";'
		echo 'Dir::Etc::trustedparts "/dev/null";'
		echo 'Dir::Etc::preferencesparts "/dev/null";'
		echo 'Dir::Etc::preferences "/dev/null";'
		echo 'APT::Architecture "'"$1"'";'
		echo 'APT::Architectures { "'"${arches// /\"; \"}"'"; };'
		echo 'Acquire::Languages "none";'
		echo 'Acquire::AllowInsecureRepositories "false";'
		echo 'APT::Get::AllowUnauthenticated "false";'
		echo 'Acquire::Retries "3";'
		# Only root could switch to apt's own user, who may not read this folder.
		[ "$(id -u)" != 0 ] || echo 'APT::Sandbox::User "root";'
	} >"$apt_state/etc/apt.conf"
	echo "  reading Debian $suite's signed package lists ($mirror)" >&2
	apt_private apt-get -qq -o APT::Update::Error-Mode=any update >&2
}

apt_private() {
	local tool=$1
	shift
	APT_CONFIG="$apt_state/etc/apt.conf" "$tool" "$@"
}
