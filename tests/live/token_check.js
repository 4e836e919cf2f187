// Compares token ids with npm tiktoken (the official core) and js-tiktoken.
// Usage: node token_check.js NODE_MODULES TEXTS ENCODING IDS CLASSES      (TEXTS of token_texts.py, IDS of token_lines)
// Prints "ENCODING texts N tokens N tiktoken_differs N js_differs N unexplained N". js-tiktoken is expected to differ where
// JavaScript's \s and Node's Unicode are not those of tiktoken, and in 'ſ: what differs otherwise is unexplained.
const fs = require('fs');
const [modules, textsFile, encoding, idsFile, classesFile] = process.argv.slice(2);
const official = require(modules + '/tiktoken').get_encoding(encoding);
const port = require(modules + '/js-tiktoken').getEncoding(encoding);
const texts = fs.readFileSync(textsFile), ids = fs.readFileSync(idsFile), runs = fs.readFileSync(classesFile);

const odd = new Set([0x85, 0xFEFF, 0x17F]); // code points that the two see differently
const classes = [/[\p{Lu}\p{Lt}]/u, /\p{Ll}/u, /[\p{Lm}\p{Lo}]/u, /\p{M}/u, /\p{N}/u];
for (let i = 12, c = 0; i < runs.length; i += 4) {
  const end = runs.readUInt32LE(i) >>> 3, kind = runs.readUInt32LE(i) & 7;
  for (; c < end; c++) {
    const node = 1 + classes.findIndex(x => x.test(String.fromCodePoint(c)));
    if (node !== (kind > 5 ? 0 : kind)) odd.add(c);
  }
}
const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
let n = 0, tokens = 0, officialDiffers = 0, portDiffers = 0, unexplained = 0, at = 0, to = 0;
while (at < texts.length) {
  const length = texts.readUInt32LE(at), text = texts.toString('utf8', at + 4, at + 4 + length), ours = [];
  for (let i = ids.readUInt32LE(to), j = 1; j <= i; j++) ours.push(ids.readUInt32LE(to + 4 * j));
  at += 4 + length;
  to += 4 + 4 * ours.length;
  n++;
  tokens += ours.length;
  const theirs = [...official.encode(text, [], [])];
  if (!same(ours, theirs)) {
    if (officialDiffers++ < 5) console.error('tiktoken differs:', JSON.stringify(text), ours.join(), theirs.join());
  }
  const ports = port.encode(text, [], []);
  if (!same(ours, ports)) {
    portDiffers++;
    if (![...text].some(c => odd.has(c.codePointAt(0))) && unexplained++ < 5)
      console.error('js-tiktoken differs:', JSON.stringify(text), ours.join(), ports.join());
  }
}
console.log(encoding, 'texts', n, 'tokens', tokens, 'tiktoken_differs', officialDiffers, 'js_differs', portDiffers,
  'unexplained', unexplained, 'odd_code_points', odd.size);
process.exitCode = to !== ids.length || officialDiffers || unexplained ? 1 : 0;
