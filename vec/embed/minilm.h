/*
** all-MiniLM-L6-v2, quantised to int8, as a transformer on one thread.
*/
#ifndef LLMCOST_MINILM_H
#define LLMCOST_MINILM_H

#include "vec/engine/kernels/vec.h"

#include <stddef.h>

#define MINILM_DIM 384

typedef struct MiniLm MiniLm;

/* Maps the converted model file (see vec/embedder). Returns VEC_OK, or a code with the reason in
** `why`: VEC_ABSENT (there is no such file), VEC_IO (it could not be looked at), VEC_NOMEM, else damaged,
** of another version, or no file at all (a FIFO, a folder). The caller owns *model. */
int minilm_open(const char *path, MiniLm **model, char *why, size_t why_size);
void minilm_close(MiniLm *model); /* NULL is allowed */

/* Names the weights: "minilm-l6-v2-int8-<start of the ONNX file's sha256>". Static storage. */
const char *minilm_version(void);

/* The unit vector (mean-pooled, normalised) of n bytes of UTF-8; text beyond the model's longest
** input is cut off. Returns VEC_OK, VEC_EMPTY for a text without a wordpiece, or VEC_NOMEM. One
** thread at a time for one model. */
int minilm_embed(MiniLm *model, const char *text, size_t n, float out[MINILM_DIM]);

#endif
