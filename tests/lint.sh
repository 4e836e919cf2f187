#!/bin/sh
# Style and safety checks over every C file in the tree. Exits 1 if any fails.
status=0
files=$(git ls-files '*.c' '*.h')

clang-format --dry-run --Werror $files || status=1

cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
  --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -Iext -Ivec -DSQLITE_CORE ext vec || status=1

# Functions with a safer sibling, or that hide allocations.
banned='\b(sprintf|vsprintf|strcpy|strcat|strtok|atoi|atol|gets|alloca)[[:space:]]*\('
if grep -nE "$banned" $files; then
  echo "lint: banned function (see above)"
  status=1
fi
# The environment is read in one place, so that a reader can see what it decides.
if grep -nE '\bgetenv[[:space:]]*\(' $(git ls-files 'ext/*.c' 'vec/*.c') | grep -v '^ext/trust/access.c:'; then
  echo "lint: getenv outside ext/trust/access.c"
  status=1
fi
# Rooms: core knows no SQLite and no curl; only net knows curl; store and net do not know each other.
if grep -nE '#include [<"](sqlite|curl/|store/|net/|fn/)' ext/core/*.[ch]; then
  echo "lint: core includes another room"
  status=1
fi
if grep -lE '#include <curl/' $(git ls-files 'ext/*.[ch]') | grep -v '^ext/net/'; then
  echo "lint: curl outside net"
  status=1
fi
if grep -nE '#include "(net|fn)/' ext/store/*.[ch] || grep -nE '#include "(store|fn)/' ext/net/*.[ch]; then
  echo "lint: store, net or fn included from the side"
  status=1
fi
# vec: the engine and the embedders know neither SQLite nor the rest; the table (cache_*) knows SQLite and core.
if grep -nE '#include "(store|net|fn)/' vec/*.[ch] ||
  grep -nE '#include [<"]sqlite|SQLITE_' $(ls vec/*.[ch] | grep -v '^vec/cache'); then
  echo "lint: vec includes another room"
  status=1
fi
# Functions over 100 lines.
long=$(awk 'FNR==1{s=0} /^[A-Za-z_].*\) *\{$/{s=FNR;n=$0} /^\}/{if(s&&FNR-s>100)print FILENAME":"s": "n;s=0}' $files)
if [ -n "$long" ]; then
  echo "lint: function over 100 lines: $long"
  status=1
fi
[ $status = 0 ] && echo "lint: clean"
exit $status
