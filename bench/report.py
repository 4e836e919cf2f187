#!/usr/bin/python3
"""The page of llm_report over a year of ten million calls, in a browser: how large, how soon it can be used, how soon a filter has been followed.

  /usr/bin/python3 bench/report.py [CALLS] [KEPT]     default 10,000,000 calls, of which 20,000 rows are kept

Makes the store that tests/live/reports.py describes: sums of a year, rows of its last month. Times are those of headless Chromium by its
own clock, from the start of the navigation: parsed, the first screen filled, all sections drawn; and of a filter from the choice to the next
frame. The peer is the same data as a plain table of HTML, a row for each day, model and tag: what it costs to show them at all.
(npm playwright-core; Debian's chromium.)
"""
import html
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/live"))
import harness  # noqa: E402
import reports  # noqa: E402

FIRST = """(async () => { await document.fonts.ready; return performance.now(); })()"""
ALL = "(llmcost.tables(), performance.now())"
FILTER = """(wish) => new Promise(done => { const start = performance.now(); llmcost.set(wish);
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start))); })"""


def plain(document, path):
    """Every row of its figures by day, as a table."""
    rows = [r for f in document["figures"].values() if "day" in f["columns"] for r in f["rows"]]
    cells = ["<tr>" + "".join(f"<td>{html.escape(str(v))}" for v in row) for row in rows]
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"<!DOCTYPE html><title>plain</title><section id=now><h2>{len(rows)}</h2></section><table>{''.join(cells)}</table>")
    return len(rows)


def look(jobs, folder):
    with open(f"{folder}/jobs.json", "w") as f:
        json.dump(jobs, f)
    env = {**os.environ, "NODE_PATH": os.path.join(harness.NPM_DIR, "node_modules")}
    out = subprocess.run(["node", os.path.join(harness.ROOT, "tests/live/look.js"), f"{folder}/jobs.json"], capture_output=True, text=True, env=env, check=True)
    return [job["results"] for job in json.loads(out.stdout)]


def main():
    calls, kept = (int(a) for a in (sys.argv[1:] + ["10000000", "20000"][len(sys.argv) - 1:])[:2])
    harness.start_npm_install()
    if not harness.npm_package("playwright-core") or not shutil.which("chromium"):
        sys.exit("needs npm playwright-core and chromium")
    folder = tempfile.mkdtemp(prefix="llmcost-bench-")
    try:
        db = reports.year(folder, calls, kept)
        start = time.perf_counter()
        page = reports.report(db, **{"from": reports.NOW - 365 * reports.DAY, "until": reports.NOW})
        made = time.perf_counter() - start
        with open(f"{folder}/page.html", "w", encoding="utf-8", newline="") as f:
            f.write(page)
        rows = plain(reports.document(page), f"{folder}/plain.html")
        filters = [["eval", f"({FILTER})({json.dumps(w)})"] for w in ({"tag": "team 1"}, {"model": "gpt-4o"}, {"from": reports.document(page)["meta"]["from_day"]})]
        ours = look([{"page": f"{folder}/page.html", "steps": [["eval", FIRST], ["eval", ALL], *filters]} for _ in range(5)], folder)
        peer = min(r[0] for r in look([{"page": f"{folder}/plain.html", "steps": [["eval", FIRST]]} for _ in range(5)], folder))
        best = [min(column) for column in zip(*ours)]
        print(f"| a year, {calls:,} calls | {len(page.encode()) / 1000:,.0f} kB | written in {made * 1000:,.0f} ms |")
        print("|---|---|---|")
        for name, ms in (("the first screen", best[0]), ("all sections drawn", best[1]), ("a filter followed, the slowest of three", max(best[2:]))):
            print(f"| {name} | {ms:,.0f} ms | {ms / peer:.1f} × a plain table of its {rows:,} rows by day ({peer:,.0f} ms) |")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
