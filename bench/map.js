// npm openai with a pool of workers: each asks the next prompt as its last one is answered, and reads the answer whole.
// Usage: node bench/map.js NODE_MODULES BASE_URL PROMPTS CONCURRENT COUNT [HEADERS]
//   PROMPTS: a file with a prompt a line; HEADERS: JSON, sent with each request (a gateway's)
// Prints "SECONDS CPU_SECONDS REQUESTS ANSWERED REFUSED FAILED PEAK_RSS_KB" like bench_map: of the loop alone.
'use strict';
const fs = require('fs');
const [modules, baseURL, file, concurrent, count, headers] = process.argv.slice(2);
const { OpenAI } = require(`${modules}/openai`);
const client = new OpenAI({ apiKey: 'sk-bench', baseURL, defaultHeaders: JSON.parse(headers || '{}') });
const prompts = fs.readFileSync(file, 'utf8').split('\n').slice(0, Number(count));
let next = 0, answered = 0, refused = 0, failed = 0;

async function work() {
  while (next < prompts.length) {
    const content = prompts[next++];
    try {
      const a = await client.chat.completions.create({ model: 'gpt-4o-mini', messages: [{ role: 'user', content }] });
      if (a.choices[0].message.content) answered++;
      else failed++;
    } catch (e) {
      if (e.status) refused++;
      else failed++;
    }
  }
}

async function main() {
  const began = process.hrtime.bigint(), before = process.resourceUsage();
  await Promise.all(Array.from({ length: Number(concurrent) }, work));
  const use = process.resourceUsage();
  const cpu = (use.userCPUTime + use.systemCPUTime - before.userCPUTime - before.systemCPUTime) / 1e6;
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  console.log(seconds.toFixed(6), cpu.toFixed(6), prompts.length, answered, refused, failed, use.maxRSS);
}

main();
