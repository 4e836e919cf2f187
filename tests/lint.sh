#!/bin/sh
# Style and safety checks over every C file in the tree. Exits 1 if any fails.
status=0
files=$(git ls-files '*.c' '*.h')

clang-format --dry-run --Werror $files || status=1

cppcheck -j "$(nproc)" --quiet --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
  --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -Iext -I. -DSQLITE_CORE ext vec || status=1

# Functions with a safer sibling, or that hide allocations.
banned='\b(sprintf|vsprintf|strcpy|strcat|strtok|atoi|atol|gets|alloca)[[:space:]]*\('
if grep -nE "$banned" $files; then
  echo "lint: banned function (see above)"
  status=1
fi
# The environment is read in one place, so that a reader can see what it decides.
if grep -nE '\bgetenv[[:space:]]*\(' $(git ls-files 'ext/*.c' 'vec/*.c') | grep -v '^ext/trust/node/env.c:'; then
  echo "lint: getenv outside ext/trust/node/env.c"
  status=1
fi
# Rooms: who may include whom.
/usr/bin/python3 tests/rooms.py || status=1
# Functions over 60 lines; in tests, 100.
long=$(awk 'FNR==1{s=0; most=FILENAME ~ /^(ext|vec)/ ? 60 : 100} /^[A-Za-z_].*\) *\{$/{s=FNR;n=$0} /^\}/{if(s&&FNR-s>most)print FILENAME":"s": "n;s=0}' $files)
if [ -n "$long" ]; then
  echo "lint: function too long: $long"
  status=1
fi
[ $status = 0 ] && echo "lint: clean"
exit $status
