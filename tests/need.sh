#!/bin/sh
# Says what is missing to compile, of the C compiler and of pkg-config's names given, and ends with 1 if something is.
# Installs nothing.
missing=
for program in pkg-config "${CC%% *}"; do
  command -v "$program" > /dev/null 2>&1 || missing="$missing, $program"
done
if [ -z "$missing" ]; then
  for library in "$@"; do
    pkg-config --exists "$library" || missing="$missing, $library"
  done
fi
[ -z "$missing" ] && exit 0
echo "llmcost: missing to compile: ${missing#, }. \`make deps\` installs it on Debian, and lists the packages elsewhere." >&2
exit 1
