/*
** Why spending changed: the difference between two sides, two periods or two releases, split over its drivers so that
** they add up to it, with nothing left over.
**
** Spending is a chain of factors, in three storeys:
**
**   spend          = users × requests of each × share that no cache answered × billed attempts of those × cost of an attempt
**   cost of one    = over kinds of tokens: how many × the price of one
**   price of one   = over models: share of the tokens × list price × what prefix caching × the service × a discount make of it
**
** A factor x of V = … · x · … moves V by L(V1, V0) · ln(x1 / x0), where L(a, b) = (a - b) / ln(a / b) is the logarithmic mean:
** the logarithmic mean Divisia index in its additive form (Ang, "The LMDI approach to decomposition analysis", Energy
** Policy 33, 2005). A sum v = Σ w moves by what each w does; that is carried up a storey by the factor L(V1, V0) / L(v1, v0).
** So what users explain does not depend on how finely the rest is split.
**
** Zeros are the limits of it (Ang and Liu, "Handling zero values in the logarithmic mean Divisia index decomposition
** approach", Energy Policy 35, 2007): a factor that is zero on one side gets all of its product; of several in a row the
** first; a kind of tokens that is new is more tokens; a model that is new, or gone, is the mix.
**
** What a side does not say is a factor that is left out, and its share goes to the next one: without users the driver is
** `requests`, without requests (an invoice) it is the tokens themselves.
**
** Money is in nano-dollars. Pure.
*/
#ifndef LLMCOST_DRIFT_H
#define LLMCOST_DRIFT_H

/* X(id, word, unit of before and after): in the order of the chain. What is "per attempt" is a total where attempts are not
** known. */
#define DRIFT_DRIVERS(X)                                                                           \
  X(USERS, "users", "users")                                                                       \
  X(REQUESTS_PER_USER, "requests per user", "requests per user")                                   \
  X(REQUESTS, "requests", "requests")                                                              \
  X(HIT_RATE, "hit rate", "share of requests")                                                     \
  X(ATTEMPTS, "attempts", "billed attempts per request")                                           \
  X(SYSTEM, "system prompt", "tokens per attempt")                                                 \
  X(HISTORY, "history", "tokens per attempt")                                                      \
  X(USER, "user tokens", "tokens per attempt")                                                     \
  X(INPUT, "input tokens", "tokens per attempt")                                                   \
  X(OUTPUT, "output tokens", "tokens per attempt")                                                 \
  X(REASONING, "reasoning", "tokens per attempt")                                                  \
  X(BLENDED, "tokens", "tokens per attempt")                                                       \
  X(FEES, "fees and others", "dollars per attempt")                                                \
  X(MIX, "model mix", "share of the tokens")                                                       \
  X(LIST_PRICE, "list price", "dollars per million tokens")                                        \
  X(PREFIX, "prefix caching", "share of the plain price")                                          \
  X(SERVICE, "batch and service", "share of the standard price")                                   \
  X(DISCOUNT, "discount", "share of the list price")

typedef enum DriftDriver {
#define DRIFT_ID(id, word, unit) DRIFT_##id,
  DRIFT_DRIVERS(DRIFT_ID)
#undef DRIFT_ID
      DRIFT_COUNT
} DriftDriver;

const char *drift_word(DriftDriver driver);
const char *drift_unit(DriftDriver driver, int says);

/* Kinds of what is billed. BLENDED: tokens whose cost is known only together. FEES: what is no token, counted by the
** attempts that have some. */
typedef enum DriftKind {
  KIND_OF_SYSTEM,
  KIND_OF_HISTORY,
  KIND_OF_USER,
  KIND_OF_INPUT, /* not told apart */
  KIND_OF_OUTPUT,
  KIND_OF_REASONING,
  KIND_OF_BLEND,
  KIND_OF_FEES,
  DRIFT_KINDS
} DriftKind;

/* What the tokens cost, step by step: each is the one before it times a factor. */
typedef enum DriftStep {
  STEP_PLAIN,  /* at list prices, of the standard service, nothing cached */
  STEP_PREFIX, /* with what the prefix cache read and wrote */
  STEP_LISTED, /* at the list prices of the service that it was */
  STEP_PAID,   /* what it cost */
  DRIFT_STEPS
} DriftStep;

typedef struct DriftCell {
  double tokens;
  double nusd[DRIFT_STEPS];
} DriftCell;

typedef DriftCell DriftModel[DRIFT_KINDS];

enum {
  DRIFT_REASONS =
      24, /* why an attempt was made: the first is "", the answer's first try; the last takes what is more */
  DRIFT_MODELS = 1000 /* the last takes what is more */
};

/* What a side does not say: bits. */
enum { DRIFT_NO_USERS = 1, DRIFT_NO_REQUESTS = 2, DRIFT_NO_PARTS = 4 };

/* One of two sides. Models and reasons have the same places on both. */
typedef struct DriftSide {
  long long nusd;                 /* exact: what all cells come to as paid */
  double users, requests, hits;   /* requests: hits and all that were asked */
  double named;                   /* requests that name a user */
  double input, parted;           /* input tokens; of these, in calls that tell their parts apart */
  double attempts[DRIFT_REASONS]; /* that cost something, or were answered for nothing; by reason */
  DriftModel *models;             /* DRIFT_MODELS at most; owned by the caller */
  int says;                       /* DRIFT_NO_… of it */
} DriftSide;

typedef struct DriftRow {
  DriftDriver driver;
  int reason;           /* of ATTEMPTS: its place; else -1 */
  int model;            /* of MIX, LIST_PRICE, …: the one that moves most of it; else -1 */
  long long nusd;       /* signed */
  double before, after; /* the factor, in its unit; NAN where there is none, or nobody counts it */
} DriftRow;

enum { DRIFT_ROWS = DRIFT_COUNT + DRIFT_REASONS };

typedef struct Drift {
  long long before, after;   /* nano-dollars; of one request where it is asked per request */
  DriftRow rows[DRIFT_ROWS]; /* largest first */
  int n;
  int says; /* what is left out of the chain: DRIFT_NO_… */
} Drift;

/* The logarithmic mean of two numbers that are not negative: L(a, a) = a, L(a, 0) = 0. */
double drift_log_mean(double a, double b);

/* Splits b's spending less a's. Per request: of one request, where both have some. Rows of drivers that are the same on both sides are
** 0. Rows sum to after - before. Returns 1, or 0 without memory. */
int drift_split(const DriftSide *a, const DriftSide *b, int n_models, int per_request,
                Drift *drift);

#endif
