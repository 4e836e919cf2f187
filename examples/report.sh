#!/bin/sh
# Where the money went, as one page: writes the report of a database's ledger to the standard output.
#   sh examples/report.sh desk.db > report.html
#   sh examples/report.sh desk.db '{"period":"last month"}' > october.html
#   sh examples/report.sh desk.db '{"format":"markdown"}' > report.md
# LLMCOST: where llmcost.so is (beside this folder). The options are those of llm_report, see llm_help('report').
set -eu
case ${1:-} in '' | -*) sed -n '2,6s/^# //p' "$0" >&2; exit 2 ;; esac
[ -f "$1" ] || { echo "report.sh: there is no database $1" >&2; exit 1; }
library=${LLMCOST:-$(cd "$(dirname "$0")/.." && pwd)/llmcost}
quoted() { printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"; }
printf '.load %s\nSELECT llm_report(%s);\n' "$(quoted "$library")" "${2+$(quoted "$2")}" |
  sqlite3 -batch -bail -noheader -list -newline '' "$1"
