/*
** The semantic_cache table beside sqlite-vec, hnswlib and fp32 brute force, on the same data.
**
**   bench_vector EXTENSION VEC0 DIR [clustered|isotropic|policy] N [ROUNDS]    (bench/vector.sh calls it)
**
** One process, one thread. N x 384 unit vectors (data.h), threshold 0.95. Hits are perturbed
** entries whose best match is above the threshold, misses are new questions whose best match is
** below it. `policy`: N x 256, clustered, in a table whose embedder is 'static', so that nobody gives a
** threshold and what the neighbours answer decides; every entry of an intent answers the same. Hits
** are then the questions that are served and misses those that are not, out of perturbed entries and
** new questions, and sqlite-vec finds the eight neighbours that such a decision needs.
**
** BEFORE in the environment names an llmcost.so built earlier: it answers the same queries, from a
** file of its own, in the same turns. (Where there is no default policy in it yet, its default
** threshold decides.) Openings of both are then taken in turns, too.
**
** The methods answer the same queries in turns of at least 20 ms; a time is the thread's
** CPU time of one lookup, binding and reset included for those in SQL. Both databases are files in
** WAL mode, opened anew after they were filled, each by two connections: one whose page cache has
** room for every page, one with SQLite's own 2 MB, where the system's cache has the rest.
**
** Every answer is compared with an oracle: the best cosine in double over all rows. (Rows within
** 1e-4 of the best in float are candidates; the error of a float sum of 384 products of unit
** vectors is below 384 * 2^-24 = 2.3e-5.) Vectors are made unit length again when they are stored,
** so cosines are held equal within SAME. A lookup is right on a hit if it names a row whose cosine
** is the best, and on a miss if it names none; peers that know no threshold get it from here.
**
** hnswlib's index is kept in DIR, its building time beside it: remove *.hnsw to build it again.
** HNSW=0 in the environment leaves it out.
*/
#include <hnswlib/hnswlib.h>
#include <immintrin.h>
#include <sqlite3.h>

extern "C" {
#include "data.h"
#include "vec/engine/index.h"
}

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <malloc.h>
#include <string>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <vector>

enum { QUERIES = 400, LANES = 8, OPENINGS = 5, NEIGHBOURS = 8 };
#define THRESHOLD 0.95
#define SAME 1e-6
#define SLOT 0.02 /* seconds */

static int dim = 384;
static bool by_policy;

enum Kind { HIT, MISS, KINDS };
enum { OURS, PEER, OURS_SMALL, PEER_SMALL }; /* the first methods */

struct Queries {
  size_t n = 0;
  std::vector<float> vectors;
  std::vector<double> best; /* the oracle's */
  const float *at(size_t i) const { return vectors.data() + i * (size_t)dim; }
  void add(const float *query, double its_best) {
    vectors.insert(vectors.end(), query, query + dim);
    best.push_back(its_best);
    n++;
  }
};

struct Answer {
  long long row; /* -1: none */
};

struct Method {
  std::string name;
  Answer (*ask)(const float *query);
  std::vector<double> times[KINDS];
  size_t next[KINDS] = {}, right[KINDS] = {};
  bool decides; /* by what is measured here: its answers can be right or wrong */
  Method(const std::string &n, Answer (*a)(const float *), bool d = true)
      : name(n), ask(a), decides(d) {}
};

static const char *extension, *earlier, *vec0, *dir; /* earlier: NULL, or the build before */
static int rounds;
static Data *data;
static Queries queries[KINDS];

static double clock_of(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double cpu_time() {
  return clock_of(CLOCK_THREAD_CPUTIME_ID);
}

static double wall_time() {
  return clock_of(CLOCK_MONOTONIC);
}

[[noreturn]] static void die(const char *what, const char *why) {
  fprintf(stderr, "vector: %s: %s\n", what, why);
  exit(1);
}

static const float *row_of(size_t i) {
  return data->vectors + i * (size_t)dim;
}

static double resident_bytes() {
  long pages = 0, resident = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (!f || fscanf(f, "%ld %ld", &pages, &resident) != 2) {
    die("/proc/self/statm", "unreadable");
  }
  fclose(f);
  return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* --- cosines */

static float sum8(__m256 x) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

static float dot(const float *a, const float *b) {
  __m256 s[4] = {};
  for (int i = 0; i < dim; i += 32) {
    for (int j = 0; j < 4; j++) {
      s[j] = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8 * j), _mm256_loadu_ps(b + i + 8 * j), s[j]);
    }
  }
  return sum8(_mm256_add_ps(_mm256_add_ps(s[0], s[1]), _mm256_add_ps(s[2], s[3])));
}

static double dot_double(const float *a, const float *b) {
  double sum = 0;
  for (int i = 0; i < dim; i++) {
    sum += (double)a[i] * (double)b[i];
  }
  return sum;
}

static double cosine(const float *a, const float *b) {
  return dot_double(a, b) / sqrt(dot_double(a, a) * dot_double(b, b));
}

/* --- the oracle: the best cosine of LANES queries at a time, in double */

struct Candidate {
  float cosine;
  size_t row;
};

static void dots(const float *row, const float *q, float out[LANES]) {
  __m256 s[LANES] = {};
  for (int i = 0; i < dim; i += 8) {
    __m256 x = _mm256_loadu_ps(row + i);
    for (int j = 0; j < LANES; j++) {
      s[j] = _mm256_fmadd_ps(x, _mm256_loadu_ps(q + j * dim + i), s[j]);
    }
  }
  for (int j = 0; j < LANES; j++) {
    out[j] = sum8(s[j]);
  }
}

static void oracle(const float *q, double best[LANES]) {
  std::vector<Candidate> near[LANES];
  float top[LANES], now[LANES];
  std::fill(top, top + LANES, -2.0f);
  for (size_t i = 0; i < data->n; i++) {
    dots(row_of(i), q, now);
    for (int j = 0; j < LANES; j++) {
      if (now[j] >= top[j] - 1e-4f) {
        near[j].push_back({now[j], i});
        top[j] = std::max(top[j], now[j]);
      }
    }
  }
  for (int j = 0; j < LANES; j++) {
    best[j] = -2;
    for (const Candidate &c : near[j]) {
      if (c.cosine >= top[j] - 1e-4f) {
        best[j] = std::max(best[j], cosine(row_of(c.row), q + j * dim));
      }
    }
  }
}

static void make_query(Kind kind, float *out) {
  if (kind == HIT) {
    double lowest = by_policy ? 0.8 : 0.951;
    double c = lowest + (0.995 - lowest) * (double)(data_random(data) >> 11) * 0x1p-53;
    data_near(data, data_random(data) % data->n, c, out);
  } else {
    data_novel(data, out);
  }
}

static void make_queries(Kind kind) {
  Queries &q = queries[kind];
  for (int tries = 0; q.n < QUERIES && tries < 20 * QUERIES; tries += LANES) {
    std::vector<float> v((size_t)(LANES * dim));
    double best[LANES];
    for (int j = 0; j < LANES; j++) {
      make_query(kind, &v[(size_t)(j * dim)]);
    }
    oracle(v.data(), best);
    for (int j = 0; j < LANES; j++) {
      if (by_policy ||
          (kind == HIT ? best[j] > THRESHOLD + SAME : best[j] < THRESHOLD - SAME)) {
        q.add(&v[(size_t)(j * dim)], best[j]);
      }
    }
  }
}

/* --- a database file */

struct Database {
  sqlite3 *db;
  sqlite3_stmt *ask;
};

static void must(sqlite3 *db, int rc) {
  if (rc != SQLITE_OK) {
    die("SQLite", sqlite3_errmsg(db));
  }
}

static void run(sqlite3 *db, const char *sql) {
  must(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static std::string file_name(const char *name, const char *suffix = "") {
  return std::string(dir) + "/" + name + suffix;
}

static void remove_files(const char *name) {
  for (const char *suffix : {"", "-wal", "-shm"}) {
    unlink(file_name(name, suffix).c_str());
  }
}

static Database open_database(const char *name, const char *library, const char *entry) {
  Database d = {};
  if (sqlite3_open(file_name(name).c_str(), &d.db) != SQLITE_OK) {
    die(name, "cannot be opened");
  }
  sqlite3_enable_load_extension(d.db, 1);
  must(d.db, sqlite3_load_extension(d.db, library, entry, NULL));
  run(d.db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
  return d;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
  sqlite3_stmt *stmt = NULL;
  must(db, sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL));
  return stmt;
}

static void close_database(Database *d) {
  sqlite3_finalize(d->ask);
  must(d->db, sqlite3_close(d->db));
  *d = {};
}

static void keep_all_pages(Database *d) {
  run(d->db, "PRAGMA cache_size=-4000000");
}

/* What a lookup answers; `read` reads its row. */
static Answer ask_database(Database *d, const float *query, Answer (*read)(sqlite3_stmt *)) {
  sqlite3_bind_blob(d->ask, 1, query, dim * (int)sizeof *query, SQLITE_STATIC);
  Answer a = {-1};
  if (sqlite3_step(d->ask) == SQLITE_ROW) {
    a = read(d->ask);
  }
  must(d->db, sqlite3_reset(d->ask));
  return a;
}

static double file_bytes(const char *name) {
  struct stat s;
  return stat(file_name(name).c_str(), &s) == 0 ? (double)s.st_size : 0;
}

/* What the import of all rows took, per row and in CPU time. */
struct Import {
  double rows, commit, wall;
};

/* Inserts every row in one transaction; `bind` binds row i. */
static Import import_rows(sqlite3 *db, const char *sql, void (*bind)(sqlite3_stmt *, size_t)) {
  sqlite3_stmt *stmt = prepare(db, sql);
  double wall = wall_time(), start = cpu_time(), n = (double)data->n;
  run(db, "BEGIN");
  for (size_t i = 0; i < data->n; i++) {
    bind(stmt, i);
    sqlite3_step(stmt);
    must(db, sqlite3_reset(stmt));
  }
  double inserted = cpu_time();
  run(db, "COMMIT");
  Import result = {(inserted - start) / n, (cpu_time() - inserted) / n, (wall_time() - wall) / n};
  sqlite3_finalize(stmt);
  return result;
}

/* --- ours, through SQL: the build that is measured, and the one before */

struct Ours {
  const char *file;
  const char *const *library;
  Database db, small; /* with room for all pages, with SQLite's own cache */
};
static Ours ours = {"ours.db", &extension, {}, {}}, before = {"before.db", &earlier, {}, {}};

static Database open_ours(const Ours *o) {
  return open_database(o->file, *o->library, "sqlite3_llmcost_init");
}

static void prepare_ours(Database *d) {
  d->ask = prepare(d->db, "SELECT response, similarity, rowid FROM c WHERE query MATCH ?");
}

/* A response begins with the number of its row, or of its intent where answers repeat: then the row is told by its id. */
static Answer read_ours(sqlite3_stmt *row) {
  if (by_policy) {
    return {sqlite3_column_int64(row, 2) - 1};
  }
  const char *response = (const char *)sqlite3_column_text(row, 0);
  return {sqlite3_column_double(row, 1) >= THRESHOLD ? atoll(response) : -1};
}

static Answer ask_ours(const float *query) {
  return ask_database(&ours.db, query, read_ours);
}

static Answer ask_ours_small(const float *query) {
  return ask_database(&ours.small, query, read_ours);
}

static Answer ask_before(const float *query) {
  return ask_database(&before.db, query, read_ours);
}

static void bind_ours(sqlite3_stmt *stmt, size_t i) {
  char text[64];
  int n = snprintf(text, sizeof text, "%zu is the answer",
                   by_policy ? (size_t)data->intents[i] : i);
  sqlite3_bind_blob(stmt, 1, row_of(i), dim * (int)sizeof(float), SQLITE_STATIC);
  sqlite3_bind_text(stmt, 2, text, n, SQLITE_TRANSIENT);
  n = snprintf(text, sizeof text, "what would be the answer to question %zu", i);
  by_policy ? sqlite3_bind_text(stmt, 3, text, n, SQLITE_TRANSIENT) : SQLITE_OK;
}

static Import fill_ours(const Ours *o) {
  remove_files(o->file);
  Database d = open_ours(o);
  keep_all_pages(&d);
  run(d.db, by_policy
                ? "CREATE VIRTUAL TABLE c USING semantic_cache(embedder='static', confirm='off')"
                : "CREATE VIRTUAL TABLE c USING semantic_cache(embedder='none', dim=384, "
                  "threshold=0.95)");
  Import result = import_rows(
      d.db, "INSERT INTO c(embedding, response, query) VALUES (?1, ?2, ?3)", bind_ours);
  close_database(&d);
  return result;
}

/* Forgets what the operating system keeps of the file. */
static void drop_pages(const char *name) {
  int fd = open(file_name(name).c_str(), O_RDONLY);
  if (fd >= 0) {
    fdatasync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
  }
}

/* Seconds from sqlite3_open to the first answer. */
static double open_and_ask(Ours *o) {
  malloc_trim(0); /* memory is to be had from the system, as in a new process */
  double start = wall_time();
  o->db = open_ours(o);
  prepare_ours(&o->db);
  Answer a = ask_database(&o->db, queries[HIT].at(0), read_ours);
  double seconds = wall_time() - start;
  if (a.row < 0 && !by_policy) {
    die("ours", "no answer after opening");
  }
  return seconds;
}

/* --- sqlite-vec */

static Database peer, peer_small;

static Database open_peer() {
  return open_database("peer.db", vec0, "sqlite3_vec_init");
}

static void prepare_peer(Database *d) {
  char sql[128];
  snprintf(sql, sizeof sql, "SELECT rowid, distance FROM v WHERE embedding MATCH ?1 AND k = %d",
           by_policy ? NEIGHBOURS : 1);
  d->ask = prepare(d->db, sql);
}

/* (The neighbours are what it is asked for where their answers decide; the nearest is a hit then.) */
static Answer read_peer(sqlite3_stmt *row) {
  if (by_policy) {
    sqlite3_int64 nearest = sqlite3_column_int64(row, 0);
    while (sqlite3_step(row) == SQLITE_ROW) {
    }
    return {nearest};
  }
  return {1 - sqlite3_column_double(row, 1) >= THRESHOLD ? sqlite3_column_int64(row, 0) : -1};
}

static Answer ask_peer(const float *query) {
  return ask_database(&peer, query, read_peer);
}

static Answer ask_peer_small(const float *query) {
  return ask_database(&peer_small, query, read_peer);
}

static void bind_peer(sqlite3_stmt *stmt, size_t i) {
  sqlite3_bind_int64(stmt, 1, (sqlite3_int64)i);
  sqlite3_bind_blob(stmt, 2, row_of(i), dim * (int)sizeof(float), SQLITE_STATIC);
}

static Import fill_peer() {
  remove_files("peer.db");
  Database d = open_peer();
  keep_all_pages(&d);
  char sql[128];
  snprintf(sql, sizeof sql,
           "CREATE VIRTUAL TABLE v USING vec0(embedding float[%d] distance_metric=cosine)", dim);
  run(d.db, sql);
  Import result = import_rows(d.db, "INSERT INTO v(rowid, embedding) VALUES (?1, ?2)", bind_peer);
  close_database(&d);
  return result;
}

/* --- our engine alone, on the vectors in memory */

static VecIndex *engine;

static int lend(void *, int64_t id, const void **vector) {
  *vector = row_of((size_t)id);
  return VEC_OK;
}
static const VecSource source = {lend, NULL};

static Answer ask_engine(const float *query) {
  VecHit hit = {};
  int n = 0;
  vec_index_best(engine, query, THRESHOLD, 0, &source, &hit, &n, NULL);
  return {n > 0 ? hit.id : -1};
}

/* CPU seconds per row. */
static double build_engine() {
  double start = cpu_time();
  vec_index_new(dim, &engine);
  for (size_t i = 0; i < data->n; i++) {
    vec_index_put(engine, (int64_t)i, row_of(i), VEC_NEVER);
  }
  vec_index_settle(engine, &source);
  return (cpu_time() - start) / (double)data->n;
}

/* --- brute force */

static Answer ask_brute(const float *query) {
  float best = -2;
  long long row = -1;
  for (size_t i = 0; i < data->n; i++) {
    float c = dot(row_of(i), query);
    if (c > best) {
      best = c;
      row = (long long)i;
    }
  }
  return {best >= (float)THRESHOLD ? row : -1};
}

/* --- hnswlib */

static hnswlib::InnerProductSpace space(384); /* clustered and isotropic only */
static hnswlib::HierarchicalNSW<float> *graph;

static Answer ask_graph(const float *query) {
  auto found = graph->searchKnn(query, 1);
  bool is_hit = !found.empty() && 1 - (double)found.top().first >= THRESHOLD;
  return {is_hit ? (long long)found.top().second : -1};
}

/* CPU seconds per row, of now or of when it was built. */
static double build_graph(const char *kind, size_t ef_construction) {
  char name[64];
  snprintf(name, sizeof name, "%s-%zu-%zu.hnsw", kind, data->n, ef_construction);
  double seconds = 0;
  FILE *f = fopen(file_name(name, ".cpu").c_str(), "r");
  if (f && fscanf(f, "%lf", &seconds) == 1) {
    fclose(f);
    graph = new hnswlib::HierarchicalNSW<float>(&space, file_name(name), false, data->n);
    return seconds;
  }
  double start = cpu_time();
  graph = new hnswlib::HierarchicalNSW<float>(&space, data->n, 16, ef_construction);
  for (size_t i = 0; i < data->n; i++) {
    graph->addPoint(row_of(i), i);
  }
  seconds = (cpu_time() - start) / (double)data->n;
  graph->saveIndex(file_name(name));
  f = fopen(file_name(name, ".cpu").c_str(), "w");
  if (!f || fprintf(f, "%.9f\n", seconds) < 0 || fclose(f) != 0) {
    die(name, "cannot be written");
  }
  return seconds;
}

/* --- measuring */

static bool is_right(Kind kind, size_t i, Answer a) {
  const Queries &q = queries[kind];
  return kind == MISS ? a.row < 0
                      : a.row >= 0 && cosine(row_of((size_t)a.row), q.at(i)) >= q.best[i] - SAME;
}

static void take_turn(Method *m, Kind kind) {
  const Queries &q = queries[kind];
  double start = cpu_time(), now = start;
  do {
    size_t i = m->next[kind]++ % q.n;
    double before = cpu_time();
    Answer a = m->ask(q.at(i));
    now = cpu_time();
    m->times[kind].push_back(now - before);
    m->right[kind] += is_right(kind, i, a);
  } while (now - start < SLOT);
}

/* The share of hit queries that are answered right. */
static double recall(Answer (*ask)(const float *)) {
  size_t right = 0, n = queries[HIT].n;
  for (size_t i = 0; i < n; i++) {
    right += is_right(HIT, i, ask(queries[HIT].at(i)));
  }
  return (double)right / (double)n;
}

/* Raises ef until 99 in 100 hits are found. Returns what to call it. */
static std::string tune_graph(size_t ef_construction) {
  char name[160];
  double found = 0;
  std::string tried;
  for (size_t ef = 16; ef <= 1024 && found < 0.99; ef *= 2) {
    graph->setEf(ef);
    found = recall(ask_graph);
    snprintf(name, sizeof name, "%s%zu: %.4f", tried.empty() ? "" : ", ", ef, found);
    tried += name;
  }
  printf("hnswlib's recall on hits by ef: %s.\n\n", tried.c_str());
  snprintf(name, sizeof name, "hnswlib M=16 efC=%zu ef=%zu", ef_construction, graph->ef_);
  return name;
}

static double quantile(std::vector<double> v, double at) {
  std::sort(v.begin(), v.end());
  return v[(size_t)((double)(v.size() - 1) * at)];
}

static std::string microseconds(double seconds) {
  char text[32];
  double us = seconds * 1e6;
  snprintf(text, sizeof text, us < 100 ? "%.1f" : "%.0f", us);
  return text;
}

/* How many times as long as m the peer takes. */
static void print_ratio(const Method &m, const Method &base) {
  double hit = quantile(base.times[HIT], 0.5) / quantile(m.times[HIT], 0.5);
  double miss = quantile(base.times[MISS], 0.5) / quantile(m.times[MISS], 0.5);
  printf(hit < 20 ? " %.1f / %.1f |" : " %.0f / %.0f |", hit, miss);
}

static void print_row(const Method &m, const Method &large, const Method &small) {
  printf("| %s |", m.name.c_str());
  for (int k = 0; k < KINDS; k++) {
    printf(" %s | %s |", microseconds(quantile(m.times[k], 0.5)).c_str(),
           microseconds(quantile(m.times[k], 0.99)).c_str());
  }
  size_t hits = m.times[HIT].size(), misses = m.times[MISS].size();
  m.decides ? printf(" %.4f | %zu |", (double)m.right[HIT] / (double)hits, misses - m.right[MISS])
            : printf(" – | – |");
  printf(" %zu / %zu |", hits, misses);
  print_ratio(m, large);
  print_ratio(m, small);
  puts("");
}

static void print_lookups(const std::vector<Method> &methods) {
  puts("| method | hit p50 µs | hit p99 | miss p50 µs | miss p99 | recall | false hits | lookups |"
       " × sqlite-vec (hit / miss) | × it with 2 MB |\n|---|---|---|---|---|---|---|---|---|---|");
  for (const Method &m : methods) {
    print_row(m, methods[PEER], methods[PEER_SMALL]);
  }
  puts("");
}

static void print_import(const char *name, Import i, double bytes) {
  printf("| %s | %.1f | %.1f | %.1f | %.0f |\n", name, i.rows * 1e6, i.commit * 1e6, i.wall * 1e6,
         bytes / (double)data->n);
}

static void print_load(const char *when) {
  double load[3] = {};
  getloadavg(load, 3);
  printf("Load average %s %.2f. ", when, load[0]);
}

static void measure_lookups(std::vector<Method> *methods) {
  for (Method &m : *methods) {
    m.ask(queries[HIT].at(0));
  }
  for (int round = 0; round < rounds; round++) {
    for (Method &m : *methods) {
      take_turn(&m, HIT);
      take_turn(&m, MISS);
    }
  }
  print_lookups(*methods);
}

/* Openings of one file, their times and what it then takes of memory, in bytes. */
struct Opening {
  double cold, memory;
  std::vector<double> warm;
};

static void measure_cold(Ours *o, Opening *x) {
  drop_pages(o->file);
  x->cold = open_and_ask(o);
  close_database(&o->db);
}

static void measure_warm(Ours *o, Opening *x) {
  malloc_trim(0);
  double resident = resident_bytes();
  x->warm.push_back(open_and_ask(o));
  malloc_trim(0);
  x->memory = resident_bytes() - resident;
  close_database(&o->db);
}

static void print_opening(const char *name, const Opening &x) {
  auto range = std::minmax_element(x.warm.begin(), x.warm.end());
  printf("%s, opening the file to its first answer: %.0f ms (%.0f to %.0f in %d), %.0f ms with nothing of it in"
         " the system's page cache (wall). Memory: %.0f bytes an entry.\n\n",
         name, quantile(x.warm, 0.5) * 1e3, *range.first * 1e3, *range.second * 1e3, OPENINGS,
         x.cold * 1e3, x.memory / (double)data->n);
}

static void measure_opening() {
  Opening x = {}, y = {};
  measure_cold(&ours, &x);
  earlier ? measure_cold(&before, &y) : (void)0;
  for (int i = 0; i < OPENINGS; i++) {
    measure_warm(&ours, &x);
    earlier ? measure_warm(&before, &y) : (void)0;
  }
  print_opening("Ours", x);
  earlier ? print_opening("The build before", y) : (void)0;
}

/* The connections that answer, and the pages that the questions need. */
static void open_all() {
  for (Ours *o : {&ours, &before}) {
    if (*o->library) {
      o->db = open_ours(o);
      keep_all_pages(&o->db);
      prepare_ours(&o->db);
    }
  }
  ours.small = open_ours(&ours);
  prepare_ours(&ours.small);
  peer = open_peer();
  keep_all_pages(&peer);
  prepare_peer(&peer);
  peer_small = open_peer();
  prepare_peer(&peer_small);
  recall(ask_ours);
  earlier ? recall(ask_before) : 0;
}

/* Hits are what is served, misses what is not. */
static void sort_queries() {
  Queries sorted[KINDS];
  for (const Queries &q : queries) {
    for (size_t i = 0; i < q.n; i++) {
      Kind kind = ask_ours(q.at(i)).row >= 0 ? HIT : MISS;
      sorted[kind].add(q.at(i), q.best[i]);
    }
  }
  for (int k = 0; k < KINDS; k++) {
    queries[k] = sorted[k];
  }
  printf("%zu of the questions are served, %zu are not.\n\n", queries[HIT].n, queries[MISS].n);
  if (queries[HIT].n == 0 || queries[MISS].n == 0) {
    die("queries", "all of one kind");
  }
}

static std::vector<Method> all_methods() {
  std::vector<Method> methods = {{"**ours, SQL**", ask_ours},
                                 {"sqlite-vec 0.1.9, SQL", ask_peer, !by_policy},
                                 {"ours, SQL, 2 MB of page cache", ask_ours_small},
                                 {"sqlite-vec 0.1.9, SQL, 2 MB of page cache", ask_peer_small, !by_policy}};
  if (earlier) {
    methods.push_back({"the build before, SQL", ask_before, !by_policy});
  }
  if (!by_policy) {
    methods.push_back({"our engine alone, in process", ask_engine});
    methods.push_back({"fp32 brute force, AVX2, in process", ask_brute});
  }
  return methods;
}

static void print_imports(const Import imports[3], const double bytes[3]) {
  puts("| import in one transaction, per row | inserts, CPU µs | commit, CPU µs | in all, wall µs |"
       " bytes of file |\n|---|---|---|---|---|");
  print_import("ours", imports[0], bytes[0]);
  if (earlier) {
    print_import("the build before", imports[1], bytes[1]);
  }
  print_import("sqlite-vec 0.1.9", imports[2], bytes[2]);
}

static void measure(const char *kind, bool with_graph) {
  Import imports[3] = {fill_ours(&ours)};
  if (earlier) {
    imports[1] = fill_ours(&before);
  }
  measure_opening();
  imports[2] = fill_peer();
  double bytes[3] = {file_bytes(ours.file), file_bytes(before.file), file_bytes("peer.db")};
  double per_row = by_policy ? 0 : build_engine(), graph_per_row = 0;
  open_all();
  if (by_policy) {
    sort_queries();
  }
  std::vector<Method> methods = all_methods();
  if (with_graph) {
    size_t ef_construction = data->n >= 1000000 ? 64 : 128;
    graph_per_row = build_graph(kind, ef_construction);
    methods.push_back({tune_graph(ef_construction) + ", in process", ask_graph});
  }
  measure_lookups(&methods);
  print_imports(imports, bytes);
  if (!by_policy) {
    printf("\nBuilding the index alone, CPU per row: ours %.2f µs", per_row * 1e6);
  }
  if (with_graph) {
    printf(", hnswlib %.0f µs (%.0f ×)", graph_per_row * 1e6, graph_per_row / per_row);
  }
  puts(by_policy ? "" : ".\n");
}

int main(int argc, char **argv) {
  if (argc != 6 && argc != 7) {
    die("usage", "vector EXTENSION VEC0 DIR clustered|isotropic|policy N [ROUNDS]");
  }
  extension = argv[1], vec0 = argv[2], dir = argv[3], earlier = getenv("BEFORE");
  earlier = earlier && *earlier ? earlier : NULL;
  const char *kind = argv[4], *hnsw = getenv("HNSW");
  by_policy = strcmp(kind, "policy") == 0;
  dim = by_policy ? 256 : 384;
  setvbuf(stdout, NULL, _IOLBF, 0);
  data = data_make(strcmp(kind, "isotropic") == 0 ? DATA_ISOTROPIC : DATA_CLUSTERED, dim,
                   strtoull(argv[5], NULL, 10), 7);
  if (!data) {
    die("data", "no memory");
  }
  rounds = data->n >= 1000000 ? 15 : data->n >= 100000 ? 40 : 100;
  rounds = argc > 6 ? (int)strtol(argv[6], NULL, 10) : rounds;
  by_policy ? printf("#### %zu × %d, clustered, the default policy\n\n", data->n, dim)
            : printf("#### %zu × %d, %s, threshold %.2f\n\n", data->n, dim, kind, THRESHOLD);
  print_load("before");
  make_queries(HIT);
  make_queries(MISS);
  printf("%zu hit and %zu miss queries.\n\n", queries[HIT].n, queries[MISS].n);
  measure(kind, !by_policy && (!hnsw || strcmp(hnsw, "0") != 0));
  print_load("after");
  puts("\n");
  for (Database *d : {&ours.db, &ours.small, &before.db, &peer, &peer_small}) {
    close_database(d);
  }
  for (const char *name : {ours.file, before.file, "peer.db"}) {
    remove_files(name);
  }
  return 0;
}
