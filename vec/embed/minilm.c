/*
** all-MiniLM-L6-v2 in int8. See minilm.h for the contract, minilm_kernels.h for the loops, and
** vec/embed/recipe/minilm_convert.py for how the file is made.
**
** The computation is that of the ONNX file's graph, as ONNX Runtime runs it: word, type and position
** embeddings, six layers of attention (12 heads of 32) and feed-forward (1536, GELU with erf), each
** followed by a residual sum and a layer norm. The four matrix products of a layer (query, key and
** value are one) take their input quantized on the spot: one scale and zero point for all tokens of
** the text (DynamicQuantizeLinear), weights with one scale per column (MatMulInteger). The vector is
** the mean over all tokens, [CLS] and [SEP] included, made a unit vector.
**
** Rounding matters here. A value that falls on the other side of a quantization step changes later
** steps, and by the last layer two computations that differ in one rounding are two draws of the
** quantization noise: ONNX Runtime 1.20 with and without its graph optimizations agrees with itself
** to a cosine of 0.9996 on average and 0.990 at worst. So the loops follow the order of operations of
** the optimized graph (its default) on x86-64 with AVX2, to the bit: sums of the layer norm one value
** after the other, mean square less squared mean; products of attention fused; its erf and exp. The
** outcome is equal vectors, on every processor.
**
** A text of more than 254 wordpieces is cut off there: 256 tokens is what sentence-transformers sets
** for this model, whose positions go to 512 but were trained on 128. An unknown word is [UNK].
**
** The file (little-endian, everything else in the order of layout_read, each part aligned to 64):
**
**   0  "LCMINILM"   8  u32 version   12  u32 0x01020304   16  u64 bytes of the file
**   24 u32 wordpieces, bytes of their table, hidden, layers, heads, inner, tokens, [UNK], [CLS], [SEP]
**   64 f32 scale, u32 zero point of the word embeddings; the same of the position embeddings
**   80 sha256 of the ONNX file, 32 bytes   …   last 8 bytes: checksum of all before them
**
** Nothing in it is an offset or a count that isn't known beforehand, other than the size of the
** vocabulary; the parts' places follow from the sizes and have to end where the file ends. So a
** damaged file is refused, by the checksum at the latest. One that is cut short by somebody while it
** is mapped raises SIGBUS, like every mapped file. Weights are read only, and shared among processes.
**
** The work space (5 MB, touched as far as a text is long) belongs to the model: one thread at a time.
*/
#include "vec/embed/minilm.h"

#include "vec/embed/minilm_kernels.h"
#include "vec/embed/wordpiece.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION = 1, LAYERS = 6, HEADER = 128, ALIGN = 64, CHECKSUM = 8, ORDER_MARK = 0x01020304 };

/* The first eight bytes of the ONNX file's sha256. */
static const unsigned char source[8] = {0xaf, 0xdb, 0x6f, 0x1a, 0x0e, 0x45, 0xb7, 0x15};

typedef struct Header {
  char magic[8];
  uint32_t version, order;
  uint64_t bytes;
  uint32_t pieces, table_bytes, hidden, layers, heads, inner, tokens, unknown, first, last;
  float word_scale;
  uint32_t word_zero;
  float position_scale;
  uint32_t position_zero;
  unsigned char sha256[32];
  unsigned char unused[HEADER - 112];
} Header;

_Static_assert(sizeof(Header) == HEADER, "the header has no holes");

typedef struct Norm {
  const float *weight, *bias;
} Norm;

typedef struct Layer {
  Matrix qkv, attention, inner, outer;
  Norm after_attention, after_outer;
} Layer;

typedef struct Space { /* all of MINILM_TOKENS rows */
  float *hidden, *wide, *dense, *scratch;
  Quantized q;
} Space;

struct MiniLm {
  const unsigned char *map;
  size_t size;
  Header header;
  Vocabulary vocabulary;
  const MinilmKernels *kernels;
  const unsigned char *words, *positions;
  const float *type;
  Norm norm;
  Layer layers[LAYERS];
  void *memory;
  Space space;
};

const char *minilm_version(void) {
  return "minilm-l6-v2-int8-afdb6f1a";
}

/* --- the file */

typedef struct Cursor {
  const unsigned char *map;
  size_t at, end;
  int failed;
} Cursor;

/* The next part, of that many bytes; NULL if it goes beyond the end. */
static const void *take(Cursor *c, size_t bytes) {
  size_t at = (c->at + ALIGN - 1) / ALIGN * ALIGN;
  if (c->failed || at > c->end || bytes > c->end - at) {
    c->failed = 1;
    return NULL;
  }
  c->at = at + bytes;
  return c->map + at;
}

static void take_norm(Cursor *c, Norm *norm) {
  norm->weight = take(c, MINILM_HIDDEN * sizeof(float));
  norm->bias = take(c, MINILM_HIDDEN * sizeof(float));
}

static void take_matrix(Cursor *c, Matrix *m, size_t rows, size_t columns) {
  m->rows = rows;
  m->columns = columns;
  m->codes = take(c, rows * columns);
  m->scale = take(c, columns * sizeof(float));
  m->bias = take(c, columns * sizeof(float));
  m->sum = take(c, columns * sizeof(int32_t));
}

/* Finds the parts. Returns 0 unless they end exactly where the checksum starts. */
static int layout_read(MiniLm *m, const unsigned char **table) {
  Cursor c = {.map = m->map, .at = HEADER, .end = m->size - CHECKSUM};
  *table = take(&c, m->header.table_bytes);
  m->words = take(&c, (size_t)m->header.pieces * MINILM_HIDDEN);
  m->positions = take(&c, (size_t)MINILM_TOKENS * MINILM_HIDDEN);
  m->type = take(&c, MINILM_HIDDEN * sizeof(float));
  take_norm(&c, &m->norm);
  for (int i = 0; i < LAYERS; i++) {
    Layer *l = &m->layers[i];
    take_matrix(&c, &l->qkv, MINILM_HIDDEN, 3 * MINILM_HIDDEN);
    take_matrix(&c, &l->attention, MINILM_HIDDEN, MINILM_HIDDEN);
    take_norm(&c, &l->after_attention);
    take_matrix(&c, &l->inner, MINILM_HIDDEN, MINILM_INNER);
    take_matrix(&c, &l->outer, MINILM_INNER, MINILM_HIDDEN);
    take_norm(&c, &l->after_outer);
  }
  return !c.failed && c.at == c.end;
}

/* FNV-1a by words of 64 bits, four side by side; bytes is a multiple of 32. */
static uint64_t checksum(const unsigned char *p, size_t bytes) {
  const uint64_t prime = 0x100000001B3ULL;
  uint64_t h[4] = {1, 2, 3, 4}, word;
  for (size_t i = 0; i + 32 <= bytes; i += 32) {
    for (size_t j = 0; j < 4; j++) {
      memcpy(&word, p + i + 8 * j, sizeof word);
      h[j] = (h[j] ^ word) * prime;
    }
  }
  return (((h[0] * prime ^ h[1]) * prime ^ h[2]) * prime ^ h[3]) * prime;
}

/* What is wrong with the header, or NULL. */
static const char *header_fault(const Header *h, size_t size) {
  if (memcmp(h->magic, "LCMINILM", 8) != 0) {
    return "not a MiniLM file of llmcost";
  } else if (h->order != ORDER_MARK) {
    return "made for the other byte order";
  } else if (h->version != VERSION || memcmp(h->sha256, source, sizeof source) != 0) {
    return "of another version: convert the model again";
  } else if (h->hidden != MINILM_HIDDEN || h->layers != LAYERS || h->heads != MINILM_HEADS ||
             h->inner != MINILM_INNER || h->tokens != MINILM_TOKENS || h->pieces > 65535 ||
             h->unknown >= h->pieces || h->first >= h->pieces || h->last >= h->pieces ||
             h->word_zero > 255 || h->position_zero > 255) {
    return "damaged (sizes)";
  } else if (h->bytes != size) {
    return "damaged (cut off)";
  }
  return NULL;
}

/* What came of an attempt to look at a file: there is none to look at, or it could not be looked at. */
static int rc_of_errno(int code) {
  return code == ENOMEM                      ? VEC_NOMEM
         : code == ENOENT || code == ENOTDIR ? VEC_ABSENT
         : code == EMFILE || code == ENFILE  ? VEC_IO
         : code == EIO || code == EINTR      ? VEC_IO
                                             : VEC_ERROR;
}

/* Maps the file. Returns NULL, or what went wrong; *rc says of what kind that is. (Opening a FIFO would wait
** for somebody who writes.) */
static const char *map_file(const char *path, MiniLm *m, int *rc) {
  const char *fault = NULL;
  struct stat st;
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  *rc = VEC_ERROR;
  if (fd < 0 || fstat(fd, &st) != 0) {
    fault = strerror(errno);
    *rc = rc_of_errno(errno);
  } else if (!S_ISREG(st.st_mode) || st.st_size < HEADER + CHECKSUM) {
    fault = "not a MiniLM file of llmcost";
  } else {
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
      fault = strerror(errno);
      *rc = rc_of_errno(errno);
    } else {
      m->map = map;
      m->size = (size_t)st.st_size;
    }
  }
  if (fd >= 0) {
    close(fd);
  }
  return fault;
}

/* Reads and checks what is mapped. Returns NULL, or what is wrong; *rc is set to VEC_NOMEM where
** memory is what lacks. */
static const char *read_model(MiniLm *m, int *rc) {
  const unsigned char *table;
  uint64_t expected;
  size_t used;
  memcpy(&m->header, m->map, sizeof m->header);
  const char *fault = header_fault(&m->header, m->size);
  if (fault) {
    return fault;
  }
  memcpy(&expected, m->map + m->size - CHECKSUM, CHECKSUM);
  if (!layout_read(m, &table) || checksum(m->map, m->size - CHECKSUM) != expected) {
    return "damaged (checksum)";
  }
  *rc = vocabulary_build(&m->vocabulary, table, m->header.table_bytes, m->header.pieces, &used);
  if (*rc != VEC_OK) {
    return *rc == VEC_NOMEM ? "out of memory" : "damaged (vocabulary)";
  }
  return NULL;
}

/* --- the work space */

static int space_allocate(MiniLm *m) {
  const size_t n = MINILM_TOKENS, row = MINILM_HIDDEN;
  size_t floats = n * (row + MINILM_INNER + row) + ATTENTION_SCRATCH;
  size_t groups = n * MINILM_INNER / MATRIX_GROUP;
  float *at = aligned_alloc(ALIGN, floats * sizeof *at + groups * sizeof(Group));
  if (!at) {
    return VEC_NOMEM;
  }
  m->memory = at;
  m->space.hidden = at;
  m->space.wide = m->space.hidden + n * row;
  m->space.dense = m->space.wide + n * MINILM_INNER;
  m->space.scratch = m->space.dense + n * row;
  m->space.q.groups = (Group *)(void *)(m->space.scratch + ATTENTION_SCRATCH);
  return VEC_OK;
}

int minilm_open(const char *path, MiniLm **model, char *why, size_t why_size) {
  int rc;
  *model = NULL;
  MiniLm *m = calloc(1, sizeof *m);
  if (!m) {
    snprintf(why, why_size, "out of memory");
    return VEC_NOMEM;
  }
  const char *fault = map_file(path, m, &rc);
  if (!fault) {
    rc = VEC_CORRUPT;
    fault = read_model(m, &rc);
  }
  if (!fault && space_allocate(m) != VEC_OK) {
    fault = "out of memory";
    rc = VEC_NOMEM;
  }
  if (fault) {
    snprintf(why, why_size, "%s: %s", path, fault);
    minilm_close(m);
    return rc;
  }
  m->kernels = minilm_kernels(vec_cpu());
  *model = m;
  return VEC_OK;
}

void minilm_close(MiniLm *model) {
  if (model) {
    vocabulary_free(&model->vocabulary);
    free(model->memory);
    if (model->map) {
      munmap((void *)(uintptr_t)model->map, model->size);
    }
    free(model);
  }
}

/* --- the network */

/* Rounds to the nearest, ties to even, as the graph does. */
static int round_even(float x) {
  return (int)lrintf(x);
}

/* DynamicQuantizeLinear over all n values. */
static void quantize(MiniLm *m, const float *x, size_t n) {
  Quantized *q = &m->space.q;
  float low, high;
  m->kernels->range(x, n, &low, &high);
  q->scale = (high - low) / 255;
  if (!(q->scale > 0) || !isfinite(q->scale)) {
    q->scale = 1;
  }
  float zero = -low / q->scale;
  q->zero = zero > 255 ? 255 : zero > 0 ? round_even(zero) : 0;
  m->kernels->quantize(x, n, q);
}

static void dense(MiniLm *m, const Matrix *w, const float *x, size_t n, float *out) {
  quantize(m, x, n * w->rows);
  m->kernels->matmul(w, &m->space.q, n, out);
}

static void add_and_norm(MiniLm *m, const Norm *norm, size_t n) {
  m->kernels->norm(m->space.hidden, m->space.dense, n, norm->weight, norm->bias);
}

static void run_layer(MiniLm *m, const Layer *l, size_t n) {
  Space *s = &m->space;
  dense(m, &l->qkv, s->hidden, n, s->wide);
  for (size_t head = 0; head < MINILM_HEADS; head++) {
    m->kernels->attend(s->wide + head * MINILM_HEAD, n, s->scratch, s->dense + head * MINILM_HEAD);
  }
  dense(m, &l->attention, s->dense, n, s->dense);
  add_and_norm(m, &l->after_attention, n);
  dense(m, &l->inner, s->hidden, n, s->wide);
  m->kernels->gelu(s->wide, n * MINILM_INNER);
  dense(m, &l->outer, s->wide, n, s->dense);
  add_and_norm(m, &l->after_outer, n);
}

/* Puts the embeddings of n tokens where the first layer takes them. */
static void look_up(MiniLm *m, const uint32_t *tokens, size_t n) {
  const Header *h = &m->header;
  for (size_t t = 0; t < n; t++) {
    const unsigned char *word = m->words + (size_t)tokens[t] * MINILM_HIDDEN;
    const unsigned char *position = m->positions + t * MINILM_HIDDEN;
    float *x = m->space.hidden + t * MINILM_HIDDEN, *add = m->space.dense + t * MINILM_HIDDEN;
    for (size_t d = 0; d < MINILM_HIDDEN; d++) {
      x[d] = (float)(word[d] - (int)h->word_zero) * h->word_scale + m->type[d];
      add[d] = (float)(position[d] - (int)h->position_zero) * h->position_scale;
    }
  }
  add_and_norm(m, &m->norm, n);
}

/* The tokens of a text between [CLS] and [SEP]; returns their number, 2 for an empty text. */
static size_t tokenize(const MiniLm *m, const char *text, size_t n, uint32_t tokens[]) {
  uint32_t ids[WORDPIECE_MAX_CHARS];
  size_t count = 0;
  int pieces;
  Wordpiece words;
  wordpiece_start(&words, &m->vocabulary, text, n);
  tokens[count++] = m->header.first;
  while (count < MINILM_TOKENS - 1 && (pieces = wordpiece_next(&words, ids)) != WORDPIECE_END) {
    if (pieces == 0) {
      ids[0] = m->header.unknown;
      pieces = 1;
    }
    for (int i = 0; i < pieces && count < MINILM_TOKENS - 1; i++) {
      tokens[count++] = ids[i];
    }
  }
  tokens[count++] = m->header.last;
  return count;
}

/* The direction of the mean of n hidden vectors. Returns 0 if it has none. */
static int pool(const MiniLm *m, size_t n, float out[MINILM_DIM]) {
  double sum[MINILM_DIM] = {0}, squares = 0;
  for (size_t t = 0; t < n; t++) {
    for (size_t d = 0; d < MINILM_DIM; d++) {
      sum[d] += (double)m->space.hidden[t * MINILM_HIDDEN + d];
    }
  }
  for (size_t d = 0; d < MINILM_DIM; d++) {
    squares += sum[d] * sum[d];
  }
  if (!(squares > 0) || !isfinite(squares)) {
    return 0;
  }
  for (size_t d = 0; d < MINILM_DIM; d++) {
    out[d] = (float)(sum[d] / sqrt(squares));
  }
  return 1;
}

int minilm_embed(MiniLm *model, const char *text, size_t n, float out[MINILM_DIM]) {
  uint32_t tokens[MINILM_TOKENS];
  size_t count = tokenize(model, text, n, tokens);
  if (count <= 2) {
    return VEC_EMPTY;
  }
  look_up(model, tokens, count);
  for (int i = 0; i < LAYERS; i++) {
    run_layer(model, &model->layers[i], count);
  }
  return pool(model, count, out) ? VEC_OK : VEC_EMPTY;
}
