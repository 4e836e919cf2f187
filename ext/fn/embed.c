/*
** embed_cosine: vectors as SQL values.
*/
#include "fn/fn.h"

#include "cosine.h"

/* Vectors are float32, little-endian, as sqlite-vec lays them out; NULL in gives NULL out. */
void fn_embed_cosine(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  (void)argc;
  Err err = {0};
  if (sqlite3_value_type(argv[0]) == SQLITE_NULL || sqlite3_value_type(argv[1]) == SQLITE_NULL) {
    return;
  }
  int a = sqlite3_value_bytes(argv[0]), b = sqlite3_value_bytes(argv[1]);
  double cosine = 0;
  if (a != b || a == 0 || a % 4) {
    err_set(&err, RC_ERROR, "bad_argument",
            "expected two float32 vectors of one length, received %d and %d bytes", a, b);
  } else if (!cosine_f32(sqlite3_value_blob(argv[0]), sqlite3_value_blob(argv[1]), (size_t)a / 4,
                         &cosine)) {
    err_set(&err, RC_ERROR, "bad_argument", "a vector is zero or holds NaN or infinity");
  }
  if (err.rc == RC_OK) {
    sqlite3_result_double(ctx, cosine);
  } else {
    result_error(ctx, "embed_cosine", &err);
  }
}
