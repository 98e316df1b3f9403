#!/usr/bin/env bash
# Puts the programs of others that a lock file lists into a folder; tools/setup.sh calls it.
#
#   tools/setup_peers.sh LOCK FOLDER
#
# A line of LOCK is a name, where it comes from, the package there, its version and its checksum, and becomes FOLDER/NAME:
#   go      a module of the Go module proxy, by what `go mod download -json` calls Sum (the module's own go.sum pins the
#           rest). Then what is built of it: the main package's folder in the module (default: .) and the build tags
#           (default: none). NAME is the program.
#   maven   an artifact of Maven Central, by sha256. NAME is a folder with its jar.
#   debian  a package, by sha256, unpacked and not installed, so that no service starts. NAME is the folder.
#
# What is there as listed is left alone. What was made once is kept in ${XDG_CACHE_HOME:-~/.cache}/arc-deps.
set -euo pipefail

readonly lock="$(realpath "$1")" target="$(realpath -m "$2")"
readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/arc-deps/peers"
mkdir -p "$target" "$cache"

work="$(mktemp -d "$cache/work.XXXXXX")"
finish() {
  local status=$?
  if [ $status != 0 ] && [ -s "$work/log" ]; then tail -n 40 "$work/log" >&2; fi
  rm -rf "$work"
  exit $status
}
trap finish EXIT

say() { printf 'setup: %s\n' "$*"; }
die() {
  printf 'setup: error: %s\n' "$*" >&2
  exit 1
}
need() { command -v "$1" >/dev/null || die "$name needs $2"; }
check() {  # file
  echo "${checksum#sha256:}  $1" | sha256sum --check --quiet || die "$package $version: checksum differs from $lock"
}

# The makers below run in an empty folder, where they leave $name.

# Built in a module of our own that requires the pinned one, so that the pinned module's go.sum and nothing newer counts.
make_go() {
  need go "Go 1.24 or newer (https://go.dev/dl)"
  need jq "jq (apt install jq)"
  local described
  printf 'module peer\n\ngo 1.24.0\n' >go.mod
  described="$(go mod download -json "$package@$version")"
  [ "$(jq -r .Sum <<<"$described")" = "$checksum" ] || die "$package $version: checksum differs from $lock"
  printf '\nrequire %s %s\n' "$package" "$version" >>go.mod
  install -m 644 "$(jq -r .Dir <<<"$described")/go.sum" go.sum
  nice -n 10 go build -mod=mod -o "$name" "${go_arguments[@]}"
}

make_maven() {
  need java "Java 17 or newer (apt install openjdk-17-jre-headless)"
  need mvn "Maven (apt install maven)"
  mkdir "$name"
  mvn -q -B dependency:copy -Dartifact="$package:$version" -DoutputDirectory="$PWD/$name" -Dmdep.stripVersion=true
  check "$name"/*.jar
}

make_debian() {
  apt-get download "$package=$version"
  check ./*.deb
  dpkg-deb -x ./*.deb "$name"
}

setup_peer() {
  local key made
  go_arguments=()
  if [ "$from" = go ]; then
    [ -z "$tags" ] || go_arguments+=(-tags "$tags")
    go_arguments+=("$package${main:+/$main}")
  fi
  key="$(printf '%s\n' "$checksum" "${go_arguments[@]}" | sha256sum | cut -c1-16)"
  [ -e "$target/$name" ] && [ "$(cat "$target/.$name" 2>/dev/null)" = "$key" ] && return
  made="$cache/$name-$key/$name"
  if [ ! -e "$made" ]; then
    say "making $name $version$([ "$from" != go ] || echo ' (minutes)')"
    rm -rf "$work/here" && mkdir "$work/here"
    # A shell of its own: its folder stays inside, its failure ends the script.
    (cd "$work/here" && "make_$from") >"$work/log" 2>&1 </dev/null
    mkdir -p "${made%/*}"
    mv -T "$work/here/$name" "$made"
  fi
  rm -rf "${target:?}/$name.new"
  cp -a "$made" "$target/$name.new"
  rm -rf "${target:?}/$name"
  mv -T "$target/$name.new" "$target/$name"
  printf '%s\n' "$key" >"$target/.$name"
}

while read -r name from package version checksum main tags; do
  case "$name" in '' | '#'*) continue ;; esac
  case "$from" in go | maven | debian) ;; *) die "$lock: unknown origin $from of $name" ;; esac
  [ -n "$checksum" ] || die "$lock: $name has no checksum"
  [ "$main" != . ] || main=
  setup_peer
done <"$lock"
