/*
** llm_lint([text [, options]]): what in a prompt costs money and says nothing (work/prompts/linted.h); without a
** text, or with NULL and options, in the system prompts that the ledger's calls began with. A row for each finding.
*/
#include "tables/kit/table.h"
#include "tables/tables.h"
#include "work/prompts/linted.h"

#include <math.h>

typedef struct Cursor {
  TableCursor base;
  LintedList all;
  size_t prompt, at;
} Cursor;

static void clear(TableCursor *base) {
  Cursor *c = (Cursor *)base;
  linted_free(&c->all);
  c->prompt = c->at = 0;
}

/* Over prompts without a finding. */
static void skip(Cursor *c) {
  while (c->prompt < c->all.n && c->at >= c->all.at[c->prompt].lint.n) {
    c->prompt++;
    c->at = 0;
  }
}

static int query(TableCursor *base, const TableQuery *q, Err *err) {
  Cursor *c = (Cursor *)base;
  size_t n = 0, n_options = 0;
  int has_options = q->args[1] && sqlite3_value_type(q->args[1]) != SQLITE_NULL;
  const char *options = has_options ? arg_bytes(q->args[1], &n_options, err) : NULL;
  const char *text = err->rc == RC_OK && q->args[0] ? arg_bytes(q->args[0], &n, err) : NULL;
  if (err->rc != RC_OK || (q->args[0] && !text && !has_options)) {
    return err->rc; /* of NULL alone there is nothing to tell: a column may hold it */
  }
  if (linted_read(table_of(base)->conn, text, n, options, n_options, &c->all, err) == RC_OK) {
    skip(c);
  }
  return err->rc;
}

static int next(TableCursor *base, Err *err) {
  Cursor *c = (Cursor *)base;
  c->at++;
  skip(c);
  return err->rc;
}

static int is_done(const TableCursor *base) {
  const Cursor *c = (const Cursor *)base;
  return c->prompt >= c->all.n;
}

/* What to do, by what was found. */
static const char *suggestion(const LintFinding *f) {
  static const char *const of_kind[] = {
      [LINT_UNSTABLE_ORDER] = "the same as last time in another order: sort it before it is sent, "
                              "nothing from here on is read from the "
                              "provider's cache",
      [LINT_BELOW_FLOOR] = "tokens are missing to the least prefix that the provider keeps: put "
                           "what never changes (tools, "
                           "examples) into it, if it is needed anyway",
      [LINT_DUPLICATE] = "said before in the same words: leave it out",
      [LINT_NEAR_DUPLICATE] = "said before in almost the same words: leave one of them out",
      [LINT_FORMAT_PROSE] = "give the form of the answer as the option `schema`: it is enforced "
                            "then, and need not be said",
      [LINT_FILLER] = "leave it out: it changes no answer",
      [LINT_PRETTY_JSON] = "send JSON without blanks: llm_compress(text, '{\"methods\":\"json\"}')",
      [LINT_BLANKS] =
          "leave out blanks that mean nothing: llm_compress(text, '{\"methods\":\"space\"}')",
      [LINT_NO_LENGTH_LIMIT] =
          "say how long an answer may be (\"at most three sentences\"), or set max_tokens: what is "
          "answered costs more than what is asked"};
  static const char *const of_moving[] = {
      [MOVING_CLOCK] = "put the time into the user's message: nothing behind it is read from the "
                       "provider's cache",
      [MOVING_DAY] = "put the date into the user's message: what is behind it is written into the "
                     "provider's cache anew each day",
      [MOVING_ID] = "put the id into the user's message, or leave it out: nothing behind it is "
                    "read from the provider's cache",
      [MOVING_COUNT] = "put the count into the user's message, or leave it out: nothing behind it "
                       "is read from the provider's cache",
      [MOVING_PLACE] = "put what is filled in into the user's message: nothing behind it is read "
                       "from the provider's cache",
      [MOVING_SEEN] =
          "your calls came with many others in its place: put it into the user's message, or "
          "behind what stays; nothing behind it is read from the provider's cache"};
  static const char at_end[] = "put it into the user's message: a mark of the provider's cache "
                               "behind this prompt has it in front, so "
                               "what it marks is written anew and never read";
  return f->kind != LINT_VOLATILE_PREFIX ? of_kind[f->kind]
         : f->at_end                     ? at_end
                                         : of_moving[f->moving];
}

/* The bytes of a finding's earlier one that are quoted, whole characters. */
static int quoted(const char *text, size_t n) {
  enum { MOST = 120 };
  size_t k = n < MOST ? n : MOST;
  while (k > 0 && k < n && ((unsigned char)text[k] & 0xC0) == 0x80) {
    k--;
  }
  return (int)k;
}

/* Suggestions with what was found in them. */
static void result_suggestion(const Linted *one, const LintFinding *f, sqlite3_context *ctx) {
  const char *other = one->text + f->other;
  char *made = NULL;
  if (f->kind == LINT_CONTRADICTION) {
    made = sqlite3_mprintf("no answer can follow this and byte %lld: \"%.*s\". Keep one of them",
                           (long long)f->other, quoted(other, f->n_other), other);
  } else if (f->kind == LINT_EXAMPLE_REPEATS) {
    made = sqlite3_mprintf(
        "shows what the example at byte %lld shows: leave it out, or show another case. \"%.*s\"",
        (long long)f->other, quoted(other, f->n_other), other);
  } else if (f->kind == LINT_FEW_SHOT) {
    made = sqlite3_mprintf("%lld examples are %lld %% of the prompt: try it without them, or with "
                           "fewer, and compare the answers",
                           f->examples, one->lint.tokens ? 100 * f->tokens / one->lint.tokens : 0);
  } else {
    sqlite3_result_text(ctx, suggestion(f), -1, SQLITE_STATIC);
    return;
  }
  if (made) {
    sqlite3_result_text(ctx, made, -1, sqlite3_free);
  } else {
    sqlite3_result_error_nomem(ctx);
  }
}

/* `high`: what moves, or changes its order, in front of a thousand tokens or more; `medium`: in front of some, what
** can't be followed, answers that were long without a limit, or what is a twentieth of the text or more. What moves and
** costs nothing (one call a day, a model whose cache is no cheaper) is `low`. */
static const char *severity(const Lint *lint, const LintFinding *f, double usd_day) {
  enum { MANY = 1000, PART = 20 };
  if (f->kind == LINT_VOLATILE_PREFIX || f->kind == LINT_UNSTABLE_ORDER) {
    int is_daily = f->kind == LINT_VOLATILE_PREFIX && f->moving == MOVING_DAY;
    return !f->tokens || is_daily || usd_day == 0 ? "low" : f->tokens >= MANY ? "high" : "medium";
  }
  if (f->kind == LINT_CONTRADICTION || f->kind == LINT_NO_LENGTH_LIMIT) {
    return f->kind == LINT_CONTRADICTION || f->tokens ? "medium" : "low";
  }
  return f->kind != LINT_BELOW_FLOOR && f->tokens * PART >= lint->tokens ? "medium" : "low";
}

enum {
  KIND,
  SEVERITY,
  TOKENS,
  USD_DAY,
  START,
  LENGTH,
  FOUND,
  SUGGESTION,
  CHANGED,
  MOVED,
  CALLS,
  MODEL,
  SYSTEM_HASH
};

static void result_text(sqlite3_context *ctx, const char *text) {
  sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
}

static int is_whole(const LintFinding *f) {
  return f->kind == LINT_BELOW_FLOOR || f->kind == LINT_PRETTY_JSON || f->kind == LINT_BLANKS ||
         f->kind == LINT_FEW_SHOT || f->kind == LINT_NO_LENGTH_LIMIT;
}

static void finding_column(const Cursor *c, sqlite3_context *ctx, int i) {
  const Linted *one = &c->all.at[c->prompt];
  const LintFinding *f = &one->lint.at[c->at];
  if (i == KIND) {
    result_text(ctx, lint_kind_name(f->kind));
  } else if (i == SEVERITY) {
    result_text(ctx, severity(&one->lint, f, one->usd_day[c->at]));
  } else if (i == TOKENS) {
    sqlite3_result_int64(ctx, f->tokens);
  } else if (i == USD_DAY && !isnan(one->usd_day[c->at])) {
    sqlite3_result_double(ctx, one->usd_day[c->at]);
  } else if (i == START) {
    sqlite3_result_int64(ctx, (sqlite3_int64)f->from);
  } else if (i == LENGTH) {
    sqlite3_result_int64(ctx, (sqlite3_int64)f->n);
  } else if (i == FOUND && !is_whole(f)) {
    sqlite3_result_text64(ctx, one->text + f->from, f->n, SQLITE_TRANSIENT, SQLITE_UTF8);
  } else if (i == SUGGESTION) {
    result_suggestion(one, f, ctx);
  } else if (i == CHANGED && f->changed) {
    sqlite3_result_text64(ctx, f->changed, f->n_changed, SQLITE_TRANSIENT, SQLITE_UTF8);
  } else if (i == MOVED && f->n_moved) {
    sqlite3_result_text64(ctx, one->text + f->moved, f->n_moved, SQLITE_TRANSIENT, SQLITE_UTF8);
  }
}

static void column(TableCursor *base, sqlite3_context *ctx, int i) {
  const Cursor *c = (const Cursor *)base;
  const Linted *one = &c->all.at[c->prompt];
  if (i == CALLS && one->calls >= 0) {
    sqlite3_result_int64(ctx, one->calls);
  } else if (i == MODEL && one->model) {
    result_text(ctx, one->model);
  } else if (i == SYSTEM_HASH && one->system_hash) {
    result_text(ctx, one->system_hash);
  } else if (i < CALLS) {
    finding_column(c, ctx, i);
  }
}

const TableKind lint_table = {
    .columns =
        "kind TEXT, severity TEXT, tokens INTEGER, usd_day REAL, start INTEGER, length INTEGER, "
        "found TEXT,"
        " suggestion TEXT, changed TEXT, moved TEXT, calls INTEGER, model TEXT, system_hash TEXT",
    .args = {"text", "options"},
    .rows = 10,
    .cost = 1e5,
    .is_guarded = 1,
    .table_size = sizeof(Table),
    .cursor_size = sizeof(Cursor),
    .query = query,
    .next = next,
    .is_done = is_done,
    .column = column,
    .clear = clear,
};
