#!/usr/bin/env bash
# Proves that a digest does not depend on the Node release: `twinwire verify` of every shipped
# scenario under each of them must print the same. Usage: scripts/node-versions.sh [20 22 24]
# The releases come from the npm package `node`, kept in node_modules/.cache.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

versions=("$@")
((${#versions[@]} > 0)) || versions=(20 22 24)
cache=$PWD/node_modules/.cache/node-versions

for version in "${versions[@]}"; do
  node=$cache/$version/node_modules/node/bin/node
  [ -x "$node" ] && continue
  mkdir -p "$cache/$version"
  # A prefix of its own: the project's package.json and lock file stay as they are.
  (cd "$cache/$version" && npm install --no-audit --no-fund --no-save --prefix . "node@$version") >&2
  [ -x "$node" ] || { echo "node-versions: npm installed no binary of Node $version" >&2; exit 4; }
done

npm run --silent build
names=$(bin/twinwire list --json |
  node -e 'process.stdin.toArray().then((c) => { for (const s of JSON.parse(Buffer.concat(c)).scenarios) console.log(s.name) })')
[ -n "$names" ] || { echo 'node-versions: no scenario is shipped' >&2; exit 1; }

failed=0
for name in $names; do
  reference=''
  for version in "${versions[@]}"; do
    node=$cache/$version/node_modules/node/bin/node
    if ! digest=$("$node" bin/twinwire verify "$name"); then
      printf '%s\t%s\tverify failed\n' "$name" "$("$node" --version)"
      failed=1
      continue
    fi
    printf '%s\t%s\t%s\n' "$name" "$("$node" --version)" "$digest"
    [ -n "$reference" ] || reference=$digest
    [ "$digest" = "$reference" ] || failed=1
  done
done
((failed == 0)) || { echo 'node-versions: the digests differ' >&2; exit 3; }
