#!/bin/sh
# Writes docs/experiments.md with its tables and plots, from the root of the repository.
# About 20 minutes on one busy core, two on a free one: 900 transfers in virtual time.
set -eu
npm run --silent build
page=docs/experiments.md
plots=docs/experiments
part=$(mktemp)
trap 'rm -f "$part"' EXIT

sed '/^## Tables/,$d' "$page" >"$part"
{
  echo '## Tables'
  echo
  bin/twinwire experiment p2mp-ftp --set course --markdown --out "$plots"
  bin/twinwire experiment p2mp-ftp --set cvellai --seed 2 --markdown --out "$plots"
  bin/twinwire experiment simple-ftp --markdown --out "$plots"
} >>"$part"
cp "$part" "$page"
npx oxfmt "$page"
