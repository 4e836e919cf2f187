/*
** prompt.c: what was sent, as tokens; and the providers' prompt caches.
**
** A request is walked in the order the providers cache it: tools, schema, system, messages. Two
** hashes run along: "hash" over roles and texts of the messages (the reference in an answer), and
** "roll" over every token from the model's name on (the identity of a prefix).
**
** OpenAI: every prefix of 1024, 1152, 1280, ... tokens that was seen before counts as cached; the
** longest one wins. Anthropic: a block with cache_control ends a prefix; it's read when that
** prefix, or the end of one of the 20 blocks before it, was written before; the rest up to the last
** such block is written, 5 minutes or 1 hour as the block says. Nothing expires but by a reset. No
** shortest length is asked of Anthropic prefixes, unless the scenario cache-floor or POST
** /standin/cache with floor asks for it.
**
** A request is looked up when it is answered, so that of many that come at once all but the first find
** what that one has written: kinder than a provider is. POST /standin/cache makes it true to life:
** with readable_ms, a prefix is found by requests that come so long after the first answer with it
** has ended, or later, and what comes before pays again; with miss, that share of requests finds
** nothing, whatever is there: which ones, their own tokens and the seed decide, not their order; with
** apart, batches have a cache of their own. POST /standin/cache with later_ms lets prefixes be forgotten when their life is
** over (of OpenAI's five minutes), and the cache's clock go on.
**
** Costs in tokens: 3 per message (and for the system prompt), 85 per image or file, tools and
** schemas as their JSON text.
*/
#include "standin.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_TOKENS 3
#define IMAGE_TOKENS 85
#define LOOK_BACK 20
#define CACHE_KEYS_MAX 4000000 /* then the cache starts again, to bound memory */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct map cache; /* a prefix -> the moment from which it is found */
static struct map
    ends; /* where prefixes are forgotten: a prefix -> the moment from which it is not found any more */
static int expires;
static int64_t later_ms; /* so much later it is for the cache */
static int64_t readable_ms =
    -1; /* after the answer; -1 = at once, by requests that came before, too */
static double miss_share;
static uint64_t miss_seed;
static int64_t floor_tokens; /* of Anthropic's prefixes */
static int apart; /* batches neither read what other requests wrote, nor the other way round */

/* Counts one token of the given bytes. */
static void step(struct prompt *p, const char *token, size_t len) {
  p->roll = hash_bytes(token, len, p->roll);
  p->tokens++;
  if (p->tokens < CACHE_MIN || p->tokens % CACHE_STEP != 0) {
    return;
  }
  if (p->marks == p->marks_cap) {
    p->marks_cap = p->marks_cap ? p->marks_cap * 2 : 16;
    p->mark = need(realloc(p->mark, p->marks_cap * sizeof *p->mark));
  }
  p->mark[p->marks++] = p->roll;
}

/* Counts n tokens of the same bytes. */
static void steps(struct prompt *p, const char *token, int n) {
  while (n-- > 0) {
    step(p, token, strlen(token));
  }
}

/* Counts a text that is no part of the messages (tools, schemas). */
static void add_side(struct prompt *p, const char *s) {
  const char *end = s + strlen(s), *token;
  size_t len;
  while ((token = token_next(&s, end, &len))) {
    step(p, token, len);
  }
}

/* The same, for a JSON value. */
static void add_side_json(struct prompt *p, const cJSON *j) {
  struct buf b = {0};
  if (!j) {
    return;
  }
  buf_json(&b, j);
  add_side(p, b.p);
  buf_free(&b);
}

/* Counts a text of a message. */
static void add_text(struct prompt *p, const char *s, int user) {
  if (!s) {
    return;
  }
  p->hash = hash_bytes(s, strlen(s), p->hash);
  if (user) {
    if (p->user.n) {
      buf_str(&p->user, "\n");
    }
    buf_str(&p->user, s);
  }
  add_side(p, s);
}

/* Counts a JSON value that's part of a message. */
static void add_json(struct prompt *p, const cJSON *j) {
  struct buf b = {0};
  if (!j) {
    return;
  }
  buf_json(&b, j);
  add_text(p, b.p, 0);
  buf_free(&b);
}

/* Begins a message. Returns 1 for a user's. */
static int add_role(struct prompt *p, const char *role) {
  if (strcmp(role, "developer") == 0) {
    role = "system";
  }
  p->hash = hash_bytes(role, strlen(role) + 1, p->hash);
  steps(p, role, MESSAGE_TOKENS);
  int user = strcmp(role, "user") == 0;
  if (user) {
    p->user.n = 0;
  }
  return user;
}

/* OpenAI content: a string, or parts. */
static void openai_content(struct prompt *p, const cJSON *content, int user) {
  const cJSON *part;
  if (cJSON_IsString(content)) {
    add_text(p, content->valuestring, user);
    return;
  }
  cJSON_ArrayForEach(part, content) {
    const char *type = json_text(part, "type");
    if (type && (strcmp(type, "text") == 0 || strcmp(type, "refusal") == 0)) {
      add_text(p, json_text(part, type), user);
    } else {
      add_json(p, part);
      steps(p, "image", IMAGE_TOKENS);
    }
  }
}

/* Walks an OpenAI request that was found well-formed. p is zeroed. */
void prompt_openai(struct prompt *p, const cJSON *req, const char *model) {
  const cJSON *m;
  const cJSON *format = json_get(req, "response_format");
  p->roll = hash_bytes(model, strlen(model), 1);
  add_side_json(p, json_get(req, "tools"));
  add_side_json(p, json_get(json_get(format, "json_schema"), "schema"));
  cJSON_ArrayForEach(m, json_get(req, "messages")) {
    int user = add_role(p, json_text(m, "role"));
    openai_content(p, json_get(m, "content"), user);
    add_json(p, json_get(m, "tool_calls"));
  }
}

/* Notes the end of a block, and what its cache_control asks for. */
static void add_edge(struct prompt *p, const cJSON *block) {
  const cJSON *control = json_get(block, "cache_control");
  const char *ttl = json_text(control, "ttl");
  if (p->edges == p->edges_cap) {
    p->edges_cap = p->edges_cap ? p->edges_cap * 2 : 8;
    p->edge = need(realloc(p->edge, p->edges_cap * sizeof *p->edge));
  }
  struct edge *e = &p->edge[p->edges++];
  e->roll = p->roll;
  e->tokens = p->tokens;
  e->ttl = !cJSON_IsObject(control) ? 0 : ttl && strcmp(ttl, "1h") == 0 ? 60 : 5;
}

/* Anthropic content: a string, or blocks; a tool's result holds the same again. */
static void anthropic_content(struct prompt *p, const cJSON *content, int user) {
  const cJSON *block;
  if (cJSON_IsString(content)) {
    add_text(p, content->valuestring, user);
    add_edge(p, NULL);
    return;
  }
  cJSON_ArrayForEach(block, content) {
    const char *type = json_text(block, "type") ? json_text(block, "type") : "";
    if (strcmp(type, "text") == 0 || strcmp(type, "thinking") == 0) {
      add_text(p, json_text(block, type), user);
    } else if (strcmp(type, "tool_result") == 0) {
      anthropic_content(p, json_get(block, "content"), user);
    } else if (strcmp(type, "tool_use") == 0) {
      add_json(p, json_get(block, "input"));
    } else {
      add_json(p, json_get(block, "source"));
      steps(p, "image", IMAGE_TOKENS);
    }
    add_edge(p, block);
  }
}

/* Walks an Anthropic request that was found well-formed. p is zeroed. */
void prompt_anthropic(struct prompt *p, const cJSON *req, const char *model) {
  const cJSON *m, *tool;
  const cJSON *config = json_get(req, "output_config");
  const cJSON *system = json_get(req, "system");
  p->roll = hash_bytes(model, strlen(model), 2);
  cJSON_ArrayForEach(tool, json_get(req, "tools")) {
    add_side(p, json_text(tool, "name") ? json_text(tool, "name") : "");
    add_side(p, json_text(tool, "description") ? json_text(tool, "description") : "");
    add_side_json(p, json_get(tool, "input_schema"));
    add_edge(p, tool);
  }
  add_side_json(p, json_get(json_get(config, "format"), "schema"));
  if (system) {
    add_role(p, "system");
    anthropic_content(p, system, 0);
  }
  cJSON_ArrayForEach(m, json_get(req, "messages")) {
    int user = add_role(p, json_text(m, "role"));
    anthropic_content(p, json_get(m, "content"), user);
  }
  if (cJSON_IsObject(json_get(req, "cache_control"))) {
    add_edge(p, req);
  }
}

/* Frees what a prompt owns. */
void prompt_free(struct prompt *p) {
  free(p->mark);
  free(p->edge);
  buf_free(&p->user);
  memset(p, 0, sizeof *p);
}

/* What the prefix is kept by: batches may have a cache of their own. Caller holds the lock. */
static uint64_t key_of(const struct prompt *p, uint64_t prefix) {
  return apart && p->batch ? hash_bytes(&prefix, sizeof prefix, 10) : prefix;
}

/* 1 when a request that came at that time finds the prefix. Caller holds the lock. */
static int found(const struct prompt *p, uint64_t prefix) {
  uint64_t key = key_of(p, prefix);
  int64_t since = map_get(&cache, key);
  int is_over = expires && map_get(&ends, key) <= now_ms() + later_ms;
  return since != 0 && !is_over && (readable_ms < 0 || since <= p->arrived);
}

/* A prefix was written or read: it is found from now on, or later, and for so many minutes. Caller holds the lock. */
static void note(const struct prompt *p, uint64_t prefix, int minutes) {
  uint64_t key = key_of(p, prefix);
  int64_t end = now_ms() + later_ms + 60000 * (int64_t)minutes, was = map_get(&ends, key);
  if (expires && end > was) {
    map_add(&ends, key, end - was);
  }
  if (!map_get(&cache, key)) {
    map_add(&cache, key, readable_ms < 0 ? 1 : now_ms() + readable_ms);
  }
}

/* 1 when this request is one of those that find nothing. Caller holds the lock. */
static int misses(const struct prompt *p) {
  return miss_share > 0 &&
         (double)(hash_bytes(&p->roll, sizeof p->roll, miss_seed) >> 11) < miss_share * 0x1p53;
}

/* Longest known prefix in CACHE_STEPs, then all prefixes become known. Caller holds the lock. */
static void use_openai(struct prompt *p, struct usage *u) {
  int blind = misses(p);
  for (size_t i = 0; i < p->marks; i++) {
    if (!blind && found(p, p->mark[i])) {
      u->cached = CACHE_MIN + (int64_t)i * CACHE_STEP;
    }
  }
  for (size_t i = 0; i < p->marks; i++) {
    note(p, p->mark[i], 5);
  }
}

/* Where the longest readable prefix ends, in tokens. Caller holds the lock. */
static int64_t readable(const struct prompt *p, int64_t floor) {
  int64_t best = 0;
  for (size_t i = 0; i < p->edges; i++) {
    if (!p->edge[i].ttl || p->edge[i].tokens < floor) {
      continue;
    }
    for (size_t back = 0; back <= LOOK_BACK && back <= i; back++) {
      const struct edge *e = &p->edge[i - back];
      if (e->tokens > best && found(p, e->roll)) {
        best = e->tokens;
        note(p, e->roll, p->edge[i].ttl); /* what is read lives on */
      }
    }
  }
  return best;
}

/* Reads up to the longest known prefix, writes up to the last cache_control. Caller holds the
** lock. */
static void use_anthropic(struct prompt *p, int64_t floor, struct usage *u) {
  int64_t at = u->cached = misses(p) ? 0 : readable(p, floor);
  for (size_t i = 0; i < p->edges; i++) {
    const struct edge *e = &p->edge[i];
    if (!e->ttl || e->tokens < floor) {
      continue;
    }
    note(p, e->roll, e->ttl);
    if (e->tokens <= at) {
      continue;
    }
    *(e->ttl == 60 ? &u->write_1h : &u->write_5m) += e->tokens - at;
    at = e->tokens;
  }
}

/* How prefixes become readable (see above), from now on; -1, 0, any, 0: as at first. */
void cache_set(int64_t after_ms, double miss, uint64_t seed, int64_t floor, int batches_apart) {
  pthread_mutex_lock(&lock);
  readable_ms = after_ms;
  miss_share = miss;
  miss_seed = seed;
  floor_tokens = floor;
  apart = batches_apart;
  pthread_mutex_unlock(&lock);
}

/* From now on prefixes are forgotten when their life is over, and it is so much later than it was. */
void cache_later(int64_t ms) {
  pthread_mutex_lock(&lock);
  expires = 1;
  later_ms += ms;
  pthread_mutex_unlock(&lock);
}

/* Splits the prompt's tokens into fresh, cached and written, and remembers its prefixes. */
void cache_use(struct prompt *p, enum api api, int64_t floor, struct usage *u) {
  u->cached = u->write_5m = u->write_1h = 0;
  p->arrived =
      p->arrived ? p->arrived : now_ms(); /* (a line of a batch comes when it is answered) */
  if (p->marks || p->edges) {
    pthread_mutex_lock(&lock);
    if (cache.used > CACHE_KEYS_MAX) {
      map_free(&cache);
    }
    if (api == API_OPENAI) {
      use_openai(p, u);
    } else {
      use_anthropic(p, floor > floor_tokens ? floor : floor_tokens, u);
    }
    pthread_mutex_unlock(&lock);
  }
  u->fresh = p->tokens - u->cached - u->write_5m - u->write_1h;
}

/* Forgets all prefixes, and how they become readable. */
void cache_reset(void) {
  pthread_mutex_lock(&lock);
  map_free(&cache);
  map_free(&ends);
  expires = 0;
  later_ms = 0;
  readable_ms = -1;
  miss_share = 0;
  floor_tokens = 0;
  apart = 0;
  pthread_mutex_unlock(&lock);
}
