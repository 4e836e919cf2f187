/*
** What a month of requests is and costs: as it was said, else as the ledger's last 30 days were (of one that ended long ago: up to its newest call), at prices as they are now. Neither is
** guessed: a number that nobody said is an error that names the option.
*/
#ifndef LLMCOST_WORK_ECONOMICS_H
#define LLMCOST_WORK_ECONOMICS_H

#include "base/limits.h"
#include "conn/conn.h"

enum { ECONOMICS_WORDS = 256, ECONOMICS_WHY = 400 };

/* Numbers are means of a request; NAN, and "": not said. */
typedef struct TrafficAsk {
  char model[LIMIT_MODEL_NAME], provider[64], list[64], tag[LIMIT_MODEL_NAME];
  double requests; /* a month */
  double input_tokens, output_tokens;
  double usd_each;
  const char *usd_option; /* the option that says usd_each, for messages */
} TrafficAsk;

typedef struct Traffic {
  char model[LIMIT_MODEL_NAME]; /* "": not known */
  double requests;
  double input_tokens, output_tokens; /* NAN: not known, and not needed */
  double nusd_each;
  char requests_from[ECONOMICS_WORDS], price_from[ECONOMICS_WORDS]; /* in words */
} Traffic;

/* RC_OK or *err. */
int economics_traffic(Conn *conn, const TrafficAsk *ask, Traffic *traffic, Err *err);

/* Whose price is asked for. */
typedef struct PriceOf {
  const char *model, *provider, *list; /* "": as the name tells; of all lists */
  const char *hint;                    /* behind the error that it is not known */
} PriceOf;

/* What a request of so many tokens costs now, in nano-dollars. (Means are no whole numbers: between two it is on the line between
** their prices.) RC_OK; an error where nobody says the price. */
int economics_price(Conn *conn, const PriceOf *of, double input_tokens, double output_tokens,
                    double *nusd, Err *err);

/* RC_OK; an error that names the option and says what else to do where a number is NAN. */
int economics_need(double number, const char *option, const char *else_do, Err *err);

#endif
