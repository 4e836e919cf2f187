// Pages in headless Chromium: node look.js JOBS.json, a list of
//   {page, width, height, theme, locale, steps: [[what, …], …]}
// Prints for each {messages, requests, overflow, results}: what the console said, what it asked the network for, what stands out
// at the right, and what the steps gave that give something:
//   eval EXPRESSION        its value                  click SELECTOR, press KEY
//   select SELECTOR LABEL  chooses an option          fill SELECTOR TEXT
//   save SELECTOR          the text of what a click downloads
//   axe                    violations of axe-core: [id, how many, where]
//   pdf PATH, picture PATH [SELECTOR]                 reload, wait MS
const fs = require("node:fs");
const { chromium } = require("playwright-core");

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync"];
const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const STEPS = {
  eval: (page, text) => page.evaluate(text),
  click: (page, at) => page.click(at).then(() => undefined),
  press: (page, key) => page.keyboard.press(key).then(() => undefined),
  select: (page, at, label) => page.selectOption(at, { label }).then(() => undefined),
  fill: (page, at, text) => page.fill(at, text).then(() => undefined),
  wait: (page, ms) => page.waitForTimeout(ms).then(() => undefined),
  reload: (page) => page.reload().then(() => undefined),
  pdf: (page, path) => page.pdf({ path, format: "A4", printBackground: true }).then(() => undefined),
  picture: (page, path, at) => (at ? page.locator(at).screenshot({ path }) : page.screenshot({ path })).then(() => undefined),
  save: async (page, at) => {
    const [file] = await Promise.all([page.waitForEvent("download"), page.click(at)]);
    return fs.readFileSync(await file.path(), "utf8");
  },
  axe: async (page) => {
    await page.evaluate(AXE);
    const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    return found.violations.map((v) => [v.id, v.nodes.length, v.nodes.slice(0, 3).map((n) => n.target.join(" "))]);
  },
};

// What is wider than the window, but for what scrolls by itself.
const OVERFLOW = `[document.documentElement.scrollWidth > innerWidth ? ["the page", document.documentElement.scrollWidth] : null,
  ...[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, svg, pre, .unseen"))
  .slice(0, 5).map(e => e.outerHTML.slice(0, 120))].filter(Boolean)`;

async function look(browser, job) {
  const context = await browser.newContext({ viewport: { width: job.width || 1440, height: job.height || 900 }, colorScheme: job.theme || "light",
    locale: job.locale || "en-US", bypassCSP: Boolean(job.steps?.some((s) => s[0] === "axe")), acceptDownloads: true });
  const page = await context.newPage();
  const seen = { messages: [], requests: [], results: [] };
  page.on("console", (m) => seen.messages.push(`${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => seen.messages.push(`error: ${e.stack}`));
  page.on("request", (r) => r.url().startsWith("file:") || r.url().startsWith("blob:") || seen.requests.push(r.url()));
  await page.goto(`file://${job.page}`);
  await page.waitForSelector("#now h2");
  for (const [what, ...args] of job.steps || []) {
    const result = await STEPS[what](page, ...args);
    if (result !== undefined) seen.results.push(result);
  }
  seen.title = await page.title();
  seen.overflow = await page.evaluate(OVERFLOW);
  await context.close();
  return seen;
}

async function main() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true, args: FLAGS });
  const out = [];
  for (const job of JSON.parse(fs.readFileSync(process.argv[2], "utf8"))) out.push(await look(browser, job));
  await browser.close();
  process.stdout.write(JSON.stringify(out));
}

main().catch((e) => { console.error(e); process.exit(1); });
