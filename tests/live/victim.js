// Somebody who opens a file inside better-sqlite3: node victim.js BETTER_SQLITE3_FOLDER EXTENSION
// A job per line of input: {"folder", "file", "env": {…}, "statements": […]}. It runs each statement and goes on
// after an error; per job it prints one line: [["value", first value or null] or ["error", message], …].
const [, , folder, extension] = process.argv;
const Database = require(folder);

function textOf(value) {
  return value === null ? null : Buffer.isBuffer(value) ? value.toString('latin1') : String(value);
}

function run(db, sql) {
  try {
    const s = db.prepare(sql);
    if (!s.reader) {
      s.run();
      return ['value', null, ''];
    }
    const rows = s.raw().all();
    return ['value', rows.length ? textOf(rows[0][0]) : null, rows.flat().map(textOf).join('|')];
  } catch (e) {
    return ['error', e.message, ''];
  }
}

function work(job) {
  process.chdir(job.folder);
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('LLMCOST_') || name === 'XDG_STATE_HOME') delete process.env[name];
  }
  Object.assign(process.env, job.env);
  let db;
  try {
    db = new Database(job.file);
    db.loadExtension(extension);
  } catch (e) {
    return [['error', 'opening: ' + e.message, '']];
  }
  const results = job.statements.map((sql) => run(db, sql));
  db.close();
  return results;
}

require('readline').createInterface({ input: process.stdin })
  .on('line', (line) => console.log(JSON.stringify(work(JSON.parse(line)))));
