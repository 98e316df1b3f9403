#!/usr/bin/env bash
# The formatting of the C++ sources, by the clang-format that tools/requirements/style.lock pins.
#   tools/check_style.sh         fail on a file that clang-format would change
#   tools/check_style.sh --fix   change it
set -euo pipefail
cd "$(dirname "$0")/.."

formatter=.deps/venv-style/bin/clang-format
mode=(--dry-run --Werror)
[ "${1:-}" = --fix ] && mode=(-i)

mapfile -t files < <(find src tests bench -type f \( -name '*.cc' -o -name '*.h' \) | sort)
printf '%s\0' "${files[@]}" | xargs -0 -n 50 -P "$(nproc)" "$formatter" "${mode[@]}"
echo "style: ${#files[@]} files as clang-format wants them"
