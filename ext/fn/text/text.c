/*
** llm_normalize: a text as the cache key sees it. llm_model_name: a model's plain name. llm_usd: nano-dollars as a text in dollars. llm_image: bytes as a part of a
** message. llm_help: the manual that is compiled in.
*/
#include "fn/fn.h"

#include "base/buf.h"
#include "base/base64.h"
#include "base/text/decimal.h"
#include "base/utf8.h"
#include "base/text/text.h"
#include "base/sqlite/args.h"
#include "core/manual/help.h"
#include "core/names/model_name.h"
#include "core/request/parts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void fn_llm_normalize(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  (void)argc;
  size_t n, bad_at = 0;
  const char *text = arg_bytes(argv[0], &n, err);
  Buf b;
  buf_init(&b, LIMIT_REQUEST_BYTES * 4);
  int rc = RC_OK;
  if (text && !utf8_is_valid(text, n, &bad_at)) {
    err_set(err, RC_ERROR, ERR_BAD_UTF8, "not valid UTF-8 (byte %zu)", bad_at);
  } else if (text && (rc = text_normalize(text, n, &b)) == RC_TOOBIG) {
    err_set(err, rc, ERR_TOO_BIG, "a text of %zu bytes", n);
  } else if (rc != RC_OK) {
    err_nomem(err);
  }
  if (err->rc == RC_OK) {
    n = b.n;
    sqlite3_result_text64(ctx, buf_take(&b), n, free, SQLITE_UTF8);
  }
  buf_free(&b);
}

void fn_llm_model_name(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  char plain[LIMIT_MODEL_NAME];
  size_t n;
  const char *name = arg_bytes(argv[0], &n, err); /* (a NUL ends it, as in the sums) */
  (void)argc;
  if (name) {
    model_name_plain(name, plain, sizeof plain);
    sqlite3_result_text(ctx, plain, -1, SQLITE_TRANSIENT);
  }
}

/* Exactly, and always with nine digits behind the point. A REAL is taken where it is whole and no other whole number rounds
** to it: what total() and sum() give. */
void fn_llm_usd(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  enum { NANO = 1000000000 };
  static const double most = 9007199254740991.0; /* 2^53 - 1 */
  (void)argc;
  int type = sqlite3_value_type(argv[0]);
  int is_whole =
      type == SQLITE_FLOAT && decimal_is_whole(sqlite3_value_double(argv[0]), -most, most);
  if (type != SQLITE_INTEGER && !is_whole) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
            "expected nano-dollars, a whole number%s (cost_nusd; what is called …_usd is in "
            "dollars already)",
            type == SQLITE_FLOAT ? " below 2^53" : "");
    return;
  }
  long long nusd = sqlite3_value_int64(argv[0]);
  unsigned long long n = nusd < 0 ? 0 - (unsigned long long)nusd : (unsigned long long)nusd;
  result_owned_text(ctx, sqlite3_mprintf("%s%llu.%09llu", nusd < 0 ? "-" : "", n / NANO, n % NANO));
}

/* The type of the bytes: as given, else as they begin; NULL and *err. */
static const char *media_type(int argc, sqlite3_value **argv, const void *bytes, size_t n,
                              Err *err) {
  const char *given = argc > 1 && sqlite3_value_type(argv[1]) != SQLITE_NULL
                          ? arg_text(argv[1], "the type", err)
                          : NULL;
  const char *type = given ? given : err->rc == RC_OK ? media_type_of(bytes, n) : NULL;
  if (given && !media_type_is_valid(given)) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "'%.40s' is no type such as image/png", given);
  } else if (!type && err->rc == RC_OK) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
            "these bytes are no PNG, JPEG, GIF, WebP or PDF: give their type, such as 'image/png'");
  }
  return err->rc == RC_OK ? type : NULL;
}

void fn_llm_image(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  if (sqlite3_value_type(argv[0]) != SQLITE_BLOB || sqlite3_value_bytes(argv[0]) == 0) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
            "expected a BLOB: the bytes of an image or a PDF (readfile('a.png') in the shell)");
    return;
  }
  const void *bytes = sqlite3_value_blob(argv[0]);
  size_t n = (size_t)sqlite3_value_bytes(argv[0]);
  const char *type = bytes ? media_type(argc, argv, bytes, n, err) : (err_nomem(err), NULL);
  char *data = type ? base64_encode(bytes, n) : NULL;
  if (data) {
    static const char image[] =
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:%s;base64,%s\"}}",
                      file[] = "{\"type\":\"file\",\"file\":{\"filename\":\"file%s\",\"file_data\":"
                               "\"data:%s;base64,%s\"}}";
    const char *ending = strcasecmp(type, "application/pdf") == 0 ? ".pdf" : "";
    result_owned_text(ctx, strncasecmp(type, "image/", 6) == 0
                               ? sqlite3_mprintf(image, type, data)
                               : sqlite3_mprintf(file, ending, type, data));
    sqlite3_result_subtype(ctx, 'J');
  } else if (err->rc == RC_OK) {
    err_nomem(err);
  }
  free(data);
}

/* All pages together have a few hundred KB. */
enum { MOST_HELP = 4 << 20 };

void fn_llm_help(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  size_t n = 0;
  const char *topic = argc > 0 ? arg_bytes(argv[0], &n, err) : "";
  Buf out;
  buf_init(&out, MOST_HELP);
  if (err->rc == RC_OK && help_write(sql_manual, topic, n, &out) != RC_OK) {
    err_nomem(err);
  }
  if (err->rc == RC_OK) {
    n = out.n > 0 ? out.n - 1 : 0; /* without the last line's end: the shell makes its own */
    sqlite3_result_text64(ctx, buf_take(&out), n, free, SQLITE_UTF8);
  }
  buf_free(&out);
}
