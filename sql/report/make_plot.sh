#!/bin/sh
# Makes plot.js, the charts of llm_report, from npm: Observable Plot with the parts of d3 that it uses, in one script that
# sets `Plot` and fetches nothing. Beside it plot.LICENSE, the licences of all that is in it, and plot.sha256.
#
#   sh sql/report/make_plot.sh [FOLDER]      FOLDER keeps what npm fetches; without it a temporary one is used
#
# What the page uses of Plot stands below: a name more here is a mark more there. Needs node and npm; nothing of it is
# needed to build or to run llmcost.
set -eu
PLOT=0.6.17
ESBUILD=0.28.2
MOST=400000

here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)}
cd "$work"
[ -d node_modules/@observablehq/plot ] ||
  npm install --no-audit --no-fund --save-exact "@observablehq/plot@$PLOT" "esbuild@$ESBUILD"
for pair in "@observablehq/plot $PLOT" "esbuild $ESBUILD"; do
  grep -q "\"version\": \"${pair#* }\"" "node_modules/${pair% *}/package.json" ||
    { echo "$work has another ${pair% *} than ${pair#* }" >&2; exit 1; }
done

cat > plot_entry.mjs <<'END'
export {plot, barX, barY, lineY, ruleX, ruleY, tickY, dot, text, tip, pointerX, pointerY, axisX, axisY, gridX, gridY}
  from "@observablehq/plot";
END
node_modules/.bin/esbuild plot_entry.mjs --bundle --minify --format=iife --global-name=Plot --charset=ascii \
  --legal-comments=none --log-level=warning --metafile=plot_parts.json --outfile="$here/plot.js"

# esbuild leaves what stands in regular expressions as it is: there, too, an escape means the same.
node - "$here/plot.js" <<'END'
const fs = require("fs");
const script = fs.readFileSync(process.argv[2], "utf8");
const escaped = sign => "\\u" + sign.charCodeAt(0).toString(16).padStart(4, "0");
fs.writeFileSync(process.argv[2], script.replace(/[^\x00-\x7f]/g, escaped));
END

node - "$here" > "$here/plot.LICENSE" <<'END'
const fs = require("fs");
const parts = Object.values(JSON.parse(fs.readFileSync("plot_parts.json", "utf8")).outputs)[0].inputs;
const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/;
const used = Object.keys(parts).filter(path => parts[path].bytesInOutput);
const names = [...new Set(used.map(path => (found.exec(path) || [])[1]))];
const rule = "=".repeat(78);
console.log("plot.js is made by make_plot.sh of these packages, each under its own licence:\n");
for (const name of names.filter(Boolean).sort()) {
  const folder = `node_modules/${name}`;
  const about = JSON.parse(fs.readFileSync(`${folder}/package.json`, "utf8"));
  const file = fs.readdirSync(folder).find(entry => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} has no licence file`);
  const text = fs.readFileSync(`${folder}/${file}`, "utf8").trim();
  console.log(`${rule}\n${name} ${about.version} (${about.license})\n${rule}\n\n${text}\n`);
}
END

cd "$here"
size=$(wc -c < plot.js)
[ "$size" -le $MOST ] || { echo "plot.js has $size bytes: more than $MOST" >&2; exit 1; }
if LC_ALL=C grep -q '[^ -~[:space:]]' plot.js; then echo "plot.js is not ASCII" >&2; exit 1; fi
if grep -qi -e '</script' -e '<!--' plot.js; then echo "plot.js would end the script that it stands in" >&2; exit 1; fi
sha256sum plot.js > plot.sha256
echo "plot.js: $size bytes, $(cut -c1-64 plot.sha256)"
