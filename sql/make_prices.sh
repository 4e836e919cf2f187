#!/bin/sh
# Writes sql/prices.tsv, providers.tsv and usage.tsv anew: fetches the package whose facts they are, and says which day it
# was published. Look at the difference before you keep it. VERSION=0.1.9 takes another one.
set -eu
cd "$(dirname "$0")/.."
version=${VERSION:-0.1.8}
dir=build/npm-prices
mkdir -p "$dir"
(cd "$dir" && npm install --silent --no-audit --no-fund --no-package-lock --prefix . "@pydantic/genai-prices@$version")
published=$(npm view "@pydantic/genai-prices@$version" time --json | sed -n "s/^ *\"$version\": \"\([0-9-]*\)T.*/\1/p")
node sql/make_prices.mjs "$dir/node_modules" "$version" "$published"
git diff --stat sql
