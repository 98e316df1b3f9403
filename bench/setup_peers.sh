#!/usr/bin/env bash
# Puts the servers of bench/peers.lock into the folder given: setup_peers.sh FOLDER. tools/setup.sh bench calls it.
# Each comes from its own registry by its own client, at the version and checksum of the lock file; what is there at that
# version is left alone. VictoriaMetrics takes minutes to compile.
set -Eeuo pipefail
cd "$(dirname "$0")"

lock="$PWD/peers.lock"
target="$1"
mkdir -p "$target"

field() { awk -v name="$1" -v field="$2" '$1 == name {print $field}' "$lock"; }

need() {
  command -v "$1" >/dev/null && return
  echo "setup: error: the peers of the bench need $1 ($2)" >&2
  exit 1
}

# Runs `install_$1` in a fresh folder that becomes FOLDER/$1.
setup_peer() {  # name
  local name="$1" wanted
  wanted="$(field "$name" 4) $(field "$name" 5)"
  [ "$(cat "$target/$name/.version" 2>/dev/null)" = "$wanted" ] && return
  echo "setup: installing $name $(field "$name" 4)"
  rm -rf "${target:?}/$name.new"
  mkdir -p "$target/$name.new"
  # A subshell of its own: its failure ends the script, its folder and variables stay inside.
  (cd "$target/$name.new" && "install_${name//-/_}" "$(field "$name" 3)" "$(field "$name" 4)" "$(field "$name" 5)")
  echo "$wanted" >"$target/$name.new/.version"
  rm -rf "${target:?}/$name"
  mv "$target/$name.new" "$target/$name"
}

# Built in a module of our own that requires the pinned one: its go.sum holds every dependency to what its authors used.
install_victoria_metrics() {  # module version checksum
  need go "Go 1.24 or newer, https://go.dev/dl"
  local described
  mkdir source && cd source
  printf 'module peer\n\ngo 1.24.0\n' >go.mod
  described="$(go mod download -json "$1@$2")"
  if [ "$(jq -r .Sum <<<"$described")" != "$3" ]; then
    echo "setup: error: $1 $2 is not what bench/peers.lock says" >&2
    return 1
  fi
  printf '\nrequire %s %s\n' "$1" "$2" >>go.mod
  install -m 644 "$(jq -r .Dir <<<"$described")/go.sum" go.sum
  go build -mod=mod -trimpath -ldflags '-s -w' -o ../victoria-metrics "$1/app/victoria-metrics"
  cd .. && rm -rf source
}

install_questdb() {  # artifact version checksum
  need java "Java 17 or newer: apt install openjdk-17-jre-headless"
  need mvn "apt install maven"
  mvn -q -B dependency:copy -Dartifact="$1:$2" -DoutputDirectory="$PWD" -Dmdep.stripVersion=true
  echo "${3#sha256:}  questdb.jar" | sha256sum --check --quiet
}

# Unpacked, not installed: no service starts. apt checks Debian's signature.
install_influxdb() {  # package version
  apt-get download "$1=$2"
  dpkg-deb -x ./*.deb . && rm ./*.deb
}

for peer in questdb influxdb victoria-metrics; do setup_peer "$peer"; done
