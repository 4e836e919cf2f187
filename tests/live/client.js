// The main path inside better-sqlite3: node client.js BETTER_SQLITE3_FOLDER EXTENSION DATABASE STANDIN_URL STATEMENTS_JSON
// Prints each statement's first value as JSON, one per line.
const [, , folder, extension, file, statements] = process.argv;
const Database = require(folder);
const db = new Database(file);
db.loadExtension(extension);
for (const sql of JSON.parse(statements)) {
  const s = db.prepare(sql);
  console.log(JSON.stringify(s.reader ? (s.pluck().get() ?? null) : (s.run(), null)));
}
db.close();
