// Megabytes per second of npm's tokenizers. Usage: node tokens.js NODE_MODULES ENCODING TEXTS      (TEXTS of token_texts.py)
// Prints "NAME FRESH AGAIN TOKENS", as bench/tokens.c does. Each counts ordinary text, its own quickest way.
const fs = require('fs');
const {createRequire} = require('module');
const [modules, encoding, path] = process.argv.slice(2);
const file = fs.readFileSync(path), texts = [];
for (let at = 0; at < file.length;) {
  const n = file.readUInt32LE(at);
  texts.push(file.toString('utf8', at + 4, at + 4 + n));
  at += 4 + n;
}
const half = texts.length >> 1, second = texts.slice(half);
const bytes = second.reduce((sum, t) => sum + Buffer.byteLength(t), 0);
const npm = createRequire(modules + '/');
const port = npm('js-tiktoken').getEncoding(encoding);
const quick = npm('gpt-tokenizer/encoding/' + encoding);
const official = npm('tiktoken').get_encoding(encoding);
const ordinary = {disallowedSpecial: new Set()};
for (const [name, count] of [
  ['js-tiktoken', text => port.encode(text, [], []).length],
  ['gpt-tokenizer', text => quick.countTokens(text, ordinary)],
  ['tiktoken', text => official.encode_ordinary(text).length],
]) {
  let best = Infinity, fresh, tokens;
  const pass = texts => {
    const start = process.hrtime.bigint();
    tokens = 0;
    for (const text of texts) tokens += count(text);
    return Number(process.hrtime.bigint() - start) / 1e9;
  };
  for (let i = 0; i < 3; i++) pass(texts.slice(0, half));
  for (let i = 0; i < 5; i++) {
    const took = pass(second);
    fresh ??= took;
    best = Math.min(best, took);
  }
  console.log(name, (bytes / 1e6 / fresh).toFixed(2), (bytes / 1e6 / best).toFixed(2), tokens);
}
