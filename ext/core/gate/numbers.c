/*
** Numbers. See numbers.h for the contract.
**
** A number is digits, with separators between them. Of two kinds of separators the last one is the decimal point; one that
** parts groups of three more than once parts thousands; one alone in front of three digits may be either (1,000 is a
** thousand to most, 1.000 to Germans and others): both readings are kept, the likelier first.
*/
#include "core/gate/numbers.h"

#include <math.h>
#include <string.h>

enum {
  MOST_DIGITS = 300, /* of which a double holds the front */
  MOST_GROUPS = 24   /* of more it is no number, and its parts are read one by one */
};

typedef struct Groups {
  int n;           /* groups of digits */
  size_t first;    /* digits of the first */
  int are_threes;  /* all behind the first have three */
  int last_three;  /* the last has three */
  char seps[2];    /* the first separator, and the last */
  int n_kinds;     /* 1, or 2 where they differ */
  int is_mixed;    /* a separator before the last is not like the first */
  size_t decimals; /* digits of the last */
} Groups;

static int is_digit(const char *text, size_t n, size_t i) {
  return i < n && text[i] >= '0' && text[i] <= '9';
}

size_t number_blank(const char *text, size_t n, size_t i) {
  static const char *const blanks[] = {"\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x89"};
  if (i < n && text[i] == ' ') {
    return 1;
  }
  for (size_t k = 0; k < sizeof blanks / sizeof *blanks; k++) {
    size_t bytes = strlen(blanks[k]);
    if (n - i >= bytes && i < n && memcmp(text + i, blanks[k], bytes) == 0) {
      return bytes;
    }
  }
  return 0;
}

static size_t digits_end(const char *text, size_t n, size_t i) {
  while (is_digit(text, n, i)) {
    i++;
  }
  return i;
}

/* A blank between groups of three, as in 1 000 000: its bytes, or 0. */
static size_t thousands_blank(const char *text, size_t n, size_t i) {
  size_t blank = number_blank(text, n, i);
  return blank && digits_end(text, n, i + blank) - (i + blank) == 3 ? blank : 0;
}

/* The separator at byte i with a digit behind it: its bytes, and what it is. */
static size_t separator(const char *text, size_t n, size_t i, const Groups *g, char *sep) {
  static const char apostrophe[] = "\xE2\x80\x99";
  size_t bytes = 0;
  if (i >= n) {
    return 0;
  }
  *sep = text[i];
  if (text[i] == ',' || text[i] == '.' || text[i] == '_' || text[i] == '\'') {
    bytes = 1;
  } else if (n - i > 3 && memcmp(text + i, apostrophe, 3) == 0) {
    *sep = '\'';
    bytes = 3;
  } else if (g->first <= 3 && (g->n == 1 || g->seps[0] == ' ') && g->are_threes) {
    bytes = thousands_blank(text, n, i);
    *sep = ' ';
  }
  return bytes && is_digit(text, n, i + bytes) ? bytes : 0;
}

/* Finds the groups; returns what is behind them. */
static size_t read_groups(const char *text, size_t n, size_t i, Groups *g) {
  size_t end = digits_end(text, n, i), bytes;
  char sep;
  *g = (Groups){.n = 1, .first = end - i, .are_threes = 1};
  while (g->n <= MOST_GROUPS && (bytes = separator(text, n, end, g, &sep)) > 0) {
    size_t from = end + bytes, to = digits_end(text, n, from);
    if (g->n > 1) {
      g->is_mixed |= g->seps[1] != g->seps[0];
      g->are_threes &= g->last_three;
    }
    g->seps[g->n > 1] = sep;
    g->seps[1] = sep;
    g->decimals = to - from;
    g->last_three = g->decimals == 3;
    g->n++;
    end = to;
  }
  g->n_kinds = g->n > 1 && g->seps[0] != g->seps[1] ? 2 : 1;
  return end;
}

/* The digits from i to end, the last `decimals` of them behind the point. */
static double value_of(const char *text, size_t i, size_t end, size_t decimals) {
  double value = 0;
  int digits = 0;
  for (; i < end; i++) {
    if (text[i] >= '0' && text[i] <= '9' && digits++ < MOST_DIGITS) {
      value = value * 10 + (text[i] - '0');
    }
  }
  return decimals ? value / pow(10, decimals > MOST_DIGITS ? MOST_DIGITS : (double)decimals)
                  : value;
}

static void decide(const char *text, const Groups *g, Number *number) {
  size_t i = number->begin, end = number->end;
  int may_be_thousands = g->first <= 3 && g->last_three && text[i] != '0';
  char sep = g->seps[0];
  number->other = (double)NAN;
  number->is_plain = 1;
  if (g->n == 1) {
    number->value = value_of(text, i, end, 0);
  } else if (sep == ' ' || sep == '\'' || sep == '_') { /* thousands, and perhaps decimals */
    number->value = value_of(text, i, end, g->n_kinds == 2 ? g->decimals : 0);
  } else if (g->n == 2) {
    double thousands = value_of(text, i, end, 0), decimal = value_of(text, i, end, g->decimals);
    number->value = may_be_thousands && sep == ',' ? thousands : decimal;
    number->other = !may_be_thousands ? (double)NAN : sep == ',' ? decimal : thousands;
  } else if (g->n_kinds == 2 && !g->is_mixed && g->are_threes) {
    number->value = value_of(text, i, end, g->decimals);
  } else {
    number->value = value_of(text, i, end, 0);
    number->is_plain = g->n_kinds == 1 && g->are_threes && g->last_three && g->n <= MOST_GROUPS;
  }
}

int number_begins(const char *text, size_t n, size_t i) {
  unsigned char before = i > 0 ? (unsigned char)text[i - 1] : ' ';
  int is_apart = !is_digit(text, n, i - 1) && before != '.' && before < 0x80 &&
                 !((before | 0x20) >= 'a' && (before | 0x20) <= 'z');
  return is_digit(text, n, i) ||
         (i < n && text[i] == '.' && is_digit(text, n, i + 1) && (i == 0 || is_apart));
}

size_t number_read(const char *text, size_t n, size_t i, Number *number) {
  Groups g;
  int goes_on = i > 1 && (text[i - 1] == '.' || text[i - 1] == ',') && is_digit(text, n, i - 2);
  number->begin = i;
  number->end = goes_on ? digits_end(text, n, i) : read_groups(text, n, i, &g);
  if (goes_on) { /* behind the first part of what is no number: 05.03.2024 */
    g = (Groups){.n = 1};
  }
  if (text[i] == '.') { /* .50 */
    number->end = digits_end(text, n, i + 1);
    g = (Groups){.n = 2, .decimals = number->end - i - 1};
  }
  decide(text, &g, number);
  if (!number->is_plain) { /* its first part alone */
    number->end = digits_end(text, n, i);
    number->value = value_of(text, i, number->end, 0);
  }
  size_t end = number->end + number_blank(text, n, number->end);
  number->is_percent = end < n && text[end] == '%';
  return number->end;
}

int number_next(const char *text, size_t n, size_t *at, Number *number) {
  while (*at < n && !number_begins(text, n, *at)) {
    (*at)++;
  }
  if (*at < n) {
    *at = number_read(text, n, *at, number);
    return 1;
  }
  return 0;
}

typedef struct Word {
  const char *words; /* '|' before, between and behind */
  int value;
} Word;

static const Word WORDS[] = {
    {"|zero|null|zéro|cero|", 0},
    {"|one|once|first|eins|ein|eine|einen|einem|einer|un|une|uno|una|um|uma|january|januar|jänner|"
     "janvier|enero|gennaio|janeiro|jan|",
     1},
    {"|two|twice|second|zwei|deux|dos|due|dois|duas|both|pair|february|februar|février|febrero|"
     "febbraio|fevereiro|feb|",
     2},
    {"|three|thrice|third|drei|trois|tres|tre|três|march|märz|mars|marzo|março|mar|", 3},
    {"|four|fourth|vier|quatre|cuatro|quattro|quatro|april|avril|abril|aprile|apr|", 4},
    {"|five|fifth|fünf|cinq|cinco|cinque|may|mai|mayo|maggio|maio|", 5},
    {"|six|sixth|sechs|seis|sei|june|juni|juin|junio|giugno|junho|jun|", 6},
    {"|seven|seventh|sieben|sept|siete|sette|sete|july|juli|juillet|julio|luglio|julho|jul|", 7},
    {"|eight|eighth|acht|huit|ocho|otto|oito|august|août|agosto|aug|", 8},
    {"|nine|ninth|neun|neuf|nueve|nove|september|septembre|septiembre|settembre|setembro|sep|", 9},
    {"|ten|tenth|zehn|dix|diez|dieci|dez|october|oktober|octobre|octubre|ottobre|outubro|oct|okt|",
     10},
    {"|eleven|elf|onze|undici|november|novembre|noviembre|novembro|nov|", 11},
    {"|twelve|dozen|zwölf|dutzend|douze|doce|dodici|doze|december|dezember|décembre|diciembre|"
     "dicembre|dezembro|dec|dez|",
     12},
    {"|thirteen|dreizehn|treize|trece|tredici|treze|", 13},
    {"|fourteen|vierzehn|quatorze|catorce|quattordici|", 14},
    {"|fifteen|fünfzehn|quinze|quince|quindici|", 15},
    {"|sixteen|sechzehn|seize|sedici|", 16},
    {"|seventeen|siebzehn|", 17},
    {"|eighteen|achtzehn|", 18},
    {"|nineteen|neunzehn|", 19},
    {"|twenty|zwanzig|vingt|veinte|venti|vinte|", 20},
    {"|thirty|dreißig|trente|treinta|trenta|trinta|", 30},
    {"|forty|vierzig|quarante|cuarenta|quaranta|quarenta|", 40},
    {"|fifty|half|fünfzig|cinquante|cincuenta|cinquanta|cinquenta|", 50},
    {"|sixty|sechzig|soixante|sesenta|sessanta|sessenta|", 60},
    {"|seventy|siebzig|setenta|settanta|", 70},
    {"|eighty|achtzig|ochenta|ottanta|oitenta|", 80},
    {"|ninety|neunzig|noventa|novanta|", 90},
    {"|hundred|hundert|cent|cien|ciento|cento|cem|", 100},
    {"|thousand|tausend|mille|mil|", 1000},
};

int number_word(const char *word, size_t n) {
  enum { LONGEST = 14 };
  char sought[LONGEST + 2] = "|";
  if (n < 2 || n >= LONGEST) {
    return -1;
  }
  memcpy(sought + 1, word, n);
  sought[n + 1] = '|';
  for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
    if (memmem(WORDS[i].words, strlen(WORDS[i].words), sought, n + 2)) {
      return WORDS[i].value;
    }
  }
  return -1;
}
