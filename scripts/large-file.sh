#!/usr/bin/env bash
# Carries a large random file across a lossy link and says how much memory the run took at its
# peak: the file is held once. Usage: scripts/large-file.sh [MEGABYTES] [--set loss=0% …]
# Needs Linux (/proc) and room for twice the file under ${TMPDIR:-/tmp}.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

megabytes=${1:-1000}
shift || true
desk=$(mktemp -d)
trap 'rm -rf "$desk"' EXIT

npm run --silent build
head -c "$((megabytes * 1000000))" /dev/urandom >"$desk/sent"
node bin/twinwire run file-transfer --set file="$desk/sent" --set out="$desk/arrived" \
  --set rate=1Gbit "$@" >"$desk/summary" &
run=$!
peak=0
# The peak only ever grows; the last reading is the one just before the end.
while kill -0 "$run" 2>/dev/null; do
  now=$(awk '/^VmHWM/ { print $2 }' "/proc/$run/status" 2>/dev/null || true)
  [ -n "$now" ] && peak=$now
  sleep 0.2
done
wait "$run" || { cat "$desk/summary"; exit 1; }
grep -E '^(sha256|ended|digest|verdict)' "$desk/summary"
cmp "$desk/sent" "$desk/arrived"
megabytes_peak=$((peak * 1024 / 1000000))
echo "peak memory      $megabytes_peak MB for a file of $megabytes MB"
# What the program itself needs beside the file.
((megabytes_peak < megabytes + megabytes / 2 + 300)) || { echo 'large-file: held twice' >&2; exit 1; }
