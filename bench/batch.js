// npm openai as its documentation uses it for batches: a file of lines is written, uploaded, a batch created, asked for until it
// is over, its results read and put into the table.
// Usage: node bench/batch.js NODE_MODULES BASE_URL PROMPTS FOLDER EVERY_MS
//   PROMPTS: a file with a prompt a line
// Prints "SECONDS CPU_SECONDS ANSWERED FAILED PEAK_RSS_KB".
'use strict';
const fs = require('fs');
const path = require('path');
const [modules, baseURL, file, folder, every] = process.argv.slice(2);
const { OpenAI } = require(`${modules}/openai`);
const Database = require(`${modules}/better-sqlite3`);
const client = new OpenAI({ apiKey: 'sk-bench', baseURL });

async function main() {
  const prompts = fs.readFileSync(file, 'utf8').split('\n').filter((line) => line);
  const db = new Database(path.join(folder, 'peer.db'));
  db.pragma('journal_mode = WAL');
  db.exec('CREATE TABLE answers(id TEXT PRIMARY KEY, answer TEXT, input INTEGER, output INTEGER)');
  const began = process.hrtime.bigint(), before = process.resourceUsage();
  const lines = path.join(folder, 'peer.jsonl');
  const out = fs.createWriteStream(lines);
  for (let i = 0; i < prompts.length; i++) {
    const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: prompts[i] }], max_tokens: 100 };
    out.write(JSON.stringify({ custom_id: `request-${i}`, method: 'POST', url: '/v1/chat/completions', body }) + '\n');
  }
  await new Promise((resolve) => out.end(resolve));
  const uploaded = await client.files.create({ file: fs.createReadStream(lines), purpose: 'batch' });
  let batch = await client.batches.create({ input_file_id: uploaded.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  while (!['completed', 'failed', 'expired', 'cancelled'].includes(batch.status)) {
    await new Promise((resolve) => setTimeout(resolve, Number(every)));
    batch = await client.batches.retrieve(batch.id);
  }
  const content = await (await client.files.content(batch.output_file_id)).text();
  const put = db.prepare('INSERT INTO answers VALUES (?, ?, ?, ?)');
  let answered = 0, failed = 0;
  db.transaction(() => {
    for (const line of content.split('\n')) {
      if (!line) continue;
      const r = JSON.parse(line), body = r.response && r.response.body;
      if (body && body.choices) {
        put.run(r.custom_id, body.choices[0].message.content, body.usage.prompt_tokens, body.usage.completion_tokens);
        answered++;
      } else failed++;
    }
  })();
  const use = process.resourceUsage();
  const cpu = (use.userCPUTime + use.systemCPUTime - before.userCPUTime - before.systemCPUTime) / 1e6;
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  console.log(seconds.toFixed(6), cpu.toFixed(6), answered, failed, use.maxRSS);
}

main().catch((e) => { console.error(e); process.exit(1); });
