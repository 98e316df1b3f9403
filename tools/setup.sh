#!/usr/bin/env bash
# Makes a bare Debian 12 ready to build Arc. Safe to run again: what is there is left alone, and a run that finds
# everything takes well under a second.
#
#   tools/setup.sh                 compilers, libraries, Arrow and DuckDB (into .deps/)
#   tools/setup.sh tests           also the Python packages of the end-to-end tests (.deps/venv)
#   tools/setup.sh readers         chdb and Spark for the slow tests (.deps/venv-readers), 2 GB; they need Java 17 and Maven
#   tools/setup.sh style           clang-format and clang-tidy (.deps/venv-style)
#   tools/setup.sh bench           the benches' libraries and the servers they compare with (.deps/bench); needs Go, Maven
#                                  and Java 17
#   tools/setup.sh instructions    valgrind, for bench/instructions.py
#   tools/setup.sh clang           clang 19 with its run-time libraries (tsan and fuzz presets)
#   tools/setup.sh peers           MinIO, fake-gcs-server, azurite and Telegraf for the tests (.deps/peers); needs Go and npm, 5 to
#                                  15 minutes the first time
#
# Downloads are pinned by tools/parts.lock, tools/peers.lock, bench/peers.lock and tools/requirements/*.lock, and kept in
# ${XDG_CACHE_HOME:-~/.cache}/arc-deps for the next clone.
set -Eeuo pipefail
cd "$(dirname "$0")/.."

trap 'echo "setup: error: stopped at line $LINENO of tools/setup.sh" >&2' ERR

readonly deps="$PWD/.deps"
readonly layout=1 # of .deps/arrow and .deps/duckdb; raise it when what is unpacked changes
readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/arc-deps"

readonly build_packages=(
  ca-certificates ccache cmake curl g++ git jq make ninja-build python3 python3-venv
  libboost1.81-dev libcli11-dev libcurl4-openssl-dev libfmt-dev libgmock-dev libgtest-dev libmimalloc-dev libsimdjson-dev
  libspdlog-dev libsqlite3-dev libssl-dev libtomlplusplus-dev libzstd-dev nlohmann-json3-dev zlib1g-dev
)
readonly bench_packages=(libbenchmark-dev valgrind)
readonly clang_packages=(clang-19 lld-19 libclang-rt-19-dev)

say() { printf 'setup: %s\n' "$*"; }
die() {
  printf 'setup: error: %s\n' "$*" >&2
  exit 1
}

# Runs a step quietly; on failure shows what it printed and which step it was.
step() {
  local what="$1" log
  shift
  log="$(mktemp)"
  say "$what"
  # (set -e has no effect inside `if`: the functions run here return their own failure.)
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    die "failed: $what"
  fi
  rm -f "$log"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "needs root or sudo for: $*"
  fi
}

apt_install() {
  local missing=() package
  local installed
  # dpkg-query fails when it has never heard of one of them, which on a bare machine is the ordinary case.
  installed="$( (dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true) |
    awk '$2 == "installed" {print $1}')"
  for package in "$@"; do
    grep -qxF "$package" <<<"$installed" || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  step "reading Debian's package lists" as_root apt-get update -qq
  step "installing ${missing[*]}" as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

# --- Arrow and DuckDB -------------------------------------------------------------------------------------------------

lock_field() { awk -v name="$1" -v field="$2" '$1 == name {print $field}' tools/parts.lock; }

# pip of the machine where it works, else one in a virtual environment of our own (Debian's python3 comes without).
pip=()
find_pip() {
  if python3 -m pip --version >/dev/null 2>&1; then
    pip=(python3 -m pip)
    return
  fi
  [ -x "$cache/pip/bin/pip" ] || step "making a Python environment for pip" python3 -m venv "$cache/pip"
  pip=("$cache/pip/bin/python" -m pip)
}

matches() {  # file sha256:hex | sha512:base64
  case "$2" in
    sha256:*) [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "${2#sha256:}" ] ;;
    sha512:*) [ "$(openssl dgst -sha512 -binary <"$1" | base64 -w0)" = "${2#sha512:}" ] ;;
    *) die "tools/parts.lock: unknown checksum $2" ;;
  esac
}

download_pypi() {  # package version checksum folder wheel|sdist
  local requirement kind=()
  requirement="$(mktemp)"
  printf '%s==%s --hash=%s\n' "$1" "$2" "$3" >"$requirement"
  if [ "$5" = wheel ]; then
    # Only its C++ headers and libraries are used, so any Python may fetch the build for 3.11.
    kind=(--only-binary :all: --python-version 311 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64)
  else
    kind=(--no-binary "$1")
  fi
  local status=0
  "${pip[@]}" download --disable-pip-version-check --no-deps --require-hashes "${kind[@]}" -d "$4" -r "$requirement" ||
    status=$?
  rm -f "$requirement"
  return $status
}

download_npm() { (cd "$3" && npm pack --silent "$1@$2"); }

# Sets `archive` to the file of one line of parts.lock, from the cache or downloaded.
archive=""
fetch_part() {
  local name="$1" from package version checksum folder
  from="$(lock_field "$name" 2)" package="$(lock_field "$name" 3)" version="$(lock_field "$name" 4)"
  checksum="$(lock_field "$name" 5)"
  [ -n "$checksum" ] || die "tools/parts.lock does not list $name"
  folder="$cache/archives/$name-$version"
  mkdir -p "$folder"
  archive="$(find "$folder" -maxdepth 1 -type f | head -n 1)"
  if [ -n "$archive" ] && matches "$archive" "$checksum"; then
    return
  fi
  rm -rf "$folder" "$folder.part"
  mkdir -p "$folder.part"
  find_pip
  case "$from" in
    pypi-wheel) step "downloading $package $version (55 MB)" \
      download_pypi "$package" "$version" "$checksum" "$folder.part" wheel ;;
    pypi-sdist) step "downloading the source of $package $version (18 MB, up to a minute)" \
      download_pypi "$package" "$version" "$checksum" "$folder.part" sdist ;;
    npm)
      command -v npm >/dev/null || apt_install npm
      step "downloading $package $version (24 MB)" download_npm "$package" "$version" "$folder.part"
      ;;
    *) die "tools/parts.lock: unknown origin $from" ;;
  esac
  archive="$(find "$folder.part" -maxdepth 1 -type f | head -n 1)"
  [ -n "$archive" ] || die "$package $version: the download left no file"
  matches "$archive" "$checksum" || die "$package $version: checksum differs from tools/parts.lock"
  mv "$folder.part" "$folder"
  archive="$folder/$(basename "$archive")"
}

unpack_arrow() {  # wheel folder
  python3 - "$1" "$2" <<'PY'
import os, sys, zipfile
wheel, folder = sys.argv[1:]
libraries = {f"pyarrow/{name}.so.2600" for name in ("libarrow", "libarrow_compute", "libarrow_s3", "libparquet")}
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name in libraries:
            target = os.path.join(folder, "lib", os.path.basename(name))
        elif name.startswith("pyarrow/include/") and not name.endswith("/"):
            target = os.path.join(folder, name[len("pyarrow/"):])
        else:
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with archive.open(name) as source, open(target, "wb") as out:
            out.write(source.read())
        libraries.discard(name)
if libraries:
    sys.exit(f"the wheel holds no {', '.join(sorted(libraries))}")
PY
}

unpack_duckdb_headers() {  # sdist folder
  local version top
  version="$(lock_field duckdb-headers 4)"
  top="duckdb-$version/external/duckdb"
  local wanted=("$top/src/include" "$top/extension/parquet/include") part
  for part in thrift parquet fastpforlib utf8proc fmt re2 concurrentqueue pcg httplib; do
    wanted+=("$top/third_party/$part")
  done
  mkdir -p "$2" && tar -xzf "$1" -C "$2" --strip-components=3 "${wanted[@]}"
}

unpack_duckdb_library() {  # tgz folder
  mkdir -p "$2/lib" && tar -xzf "$1" -C "$2/lib" --strip-components=1 package/libduckdb.so
}

put_in_place() {  # name: .deps/NAME.new becomes .deps/NAME
  rm -rf "${deps:?}/$1"
  mv "$deps/$1.new" "$deps/$1"
}

setup_parts() {
  [ "$(uname -m)" = x86_64 ] || die "tools/parts.lock pins libraries for x86-64; this machine is $(uname -m)"
  apt_install "${build_packages[@]}"
  local wanted
  wanted="$layout $(sha256sum <tools/parts.lock | cut -d' ' -f1)"
  if [ "$(cat "$deps/.parts" 2>/dev/null)" = "$wanted" ] && [ -d "$deps/arrow" ] && [ -d "$deps/duckdb" ]; then
    return
  fi
  rm -rf "$deps/arrow.new" "$deps/duckdb.new"
  fetch_part arrow
  step "unpacking Arrow $(lock_field arrow 4)" unpack_arrow "$archive" "$deps/arrow.new"
  fetch_part duckdb-headers
  step "unpacking DuckDB $(lock_field duckdb-headers 4)" unpack_duckdb_headers "$archive" "$deps/duckdb.new"
  fetch_part duckdb-library
  step "unpacking DuckDB's library" unpack_duckdb_library "$archive" "$deps/duckdb.new"
  put_in_place arrow
  put_in_place duckdb
  printf '%s\n' "$wanted" >"$deps/.parts"
}

# --- Python environments ----------------------------------------------------------------------------------------------

setup_venv() {  # name lock what
  local folder="$deps/$1" wanted
  wanted="$(sha256sum <"$2" | cut -d' ' -f1)"
  if [ "$(cat "$folder/.lock" 2>/dev/null)" = "$wanted" ]; then
    return
  fi
  apt_install python3 python3-venv
  rm -rf "$folder"
  step "making a Python environment for $3" python3 -m venv "$folder"
  step "installing the Python packages of $3" "$folder/bin/python" -m pip install --disable-pip-version-check \
    --cache-dir "$cache/pip-cache" --only-binary :all: --no-binary pyspark --require-hashes -r "$2"
  printf '%s\n' "$wanted" >"$folder/.lock"
}

# Two runs at once set up one after the other; the peers apart, so that no build waits minutes for them.
lock() {
  exec 9>"$deps/$1"
  flock 9
}

mkdir -p "$deps" "$cache/archives"

[ $# -gt 0 ] || set -- parts
for what in "$@"; do
  if [ "$what" = peers ]; then lock .peers-lock; else lock .lock; fi
  case "$what" in
    parts) setup_parts ;;
    tests)
      setup_parts
      setup_venv venv tools/requirements/tests.lock "the end-to-end tests"
      setup_venv venv-superset tools/requirements/superset.lock "the Superset client test"
      ;;
    readers) setup_venv venv-readers tools/requirements/readers.lock "the engines that read tables in the slow tests" ;;
    style) setup_venv venv-style tools/requirements/style.lock "the style checks" ;;
    bench)
      setup_parts
      apt_install "${bench_packages[@]}"
      bench/setup_peers.sh "$deps/bench"
      ;;
    instructions)
      setup_parts
      apt_install valgrind
      ;;
    clang) apt_install "${clang_packages[@]}" ;;
    peers)
      apt_install jq
      tools/setup_peers.sh tools/peers.lock "$deps/peers"
      ;;
    *) die "unknown: $what (parts, tests, readers, style, bench, instructions, clang, peers)" ;;
  esac
done
say "ready"
