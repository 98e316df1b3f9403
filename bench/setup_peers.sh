#!/usr/bin/env bash
# Puts the servers of bench/peers.lock into the folder given: setup_peers.sh FOLDER. tools/setup.sh bench calls it.
set -euo pipefail
exec "$(dirname "$0")/../tools/setup_peers.sh" "$(dirname "$0")/peers.lock" "$1"
