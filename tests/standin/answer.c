/*
** answer.c: the words of an answer. A support desk's: a table of intents, each with words that
** point to it and a fixed sentence or two. The intent with the most matched letters wins (the
** earlier row when equal); a question that matches none gets a neutral sentence with its first
** words. Every answer ends with "(ref XXXXXXXX)", 8 hex digits of the prompt's hash, so two prompts
** never get the same answer.
**
** A prompt can say what it wants to hear: a line "@MODEL: words" is what that model answers, "@say:
** words" what all others do. So the answers of a test can be right, wrong and of two minds. What a prompt must not say itself
** (a label of its text) is told beforehand, as a table of last user messages and their answers.
*/
#include "standin.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SCAN_MAX 2000 /* bytes of the question that are searched for words */
#define KEYS 6

struct intent {
  const char *key[KEYS]; /* lower case; each must begin a word */
  const char *text;
};

static const struct intent aIntent[] = {
    {{"return", "send back", "send it back", "exchange"},
     "You can return an unused item within 30 days of delivery. Open Orders, choose the item and "
     "print the prepaid label."},
    {{"refund", "money back", "reimburse"},
     "Refunds go to the original payment method within 5 business days after we receive the item."},
    {{"shipping", "ship", "deliver", "express"},
     "Standard shipping takes 3 to 5 business days; express orders placed before 14:00 arrive the "
     "next business day."},
    {{"track", "where is my order", "where is my package", "parcel", "package"},
     "You can follow your parcel with the tracking link in the dispatch e-mail or under Orders."},
    {{"password", "reset my pass", "forgot", "passcode"},
     "Choose \"Forgot password\" on the sign-in page; the reset link stays valid for 30 minutes."},
    {{"log in", "login", "sign in", "locked out", "account locked"},
     "After five failed attempts an account is locked for 15 minutes. Try again later or reset "
     "your "
     "password."},
    {{"two-factor", "2fa", "authenticator", "verification code", "otp"},
     "If you lost your second factor, use one of your recovery codes; without them we verify your "
     "identity by e-mail."},
    {{"invoice", "receipt", "billing document"},
     "All invoices are under Settings, Billing, Invoices, as PDF, and are sent to the billing "
     "contact each month."},
    {{"upgrade", "higher plan", "pro plan", "premium"},
     "You can upgrade at any time under Settings, Plan; you pay only the difference for the rest "
     "of "
     "the period."},
    {{"downgrade", "cheaper plan", "lower plan"},
     "A downgrade takes effect at the end of the current billing period, so nothing is lost until "
     "then."},
    {{"cancel", "unsubscribe", "terminate", "end my subscription"},
     "You can cancel under Settings, Plan, Cancel; access continues until the end of the paid "
     "period."},
    {{"api key", "api token", "access token", "rotate", "secret key"},
     "Create and revoke API keys under Settings, Developers. A key is shown once, so store it "
     "safely."},
    {{"rate limit", "429", "too many requests", "throttl", "quota"},
     "The limit is 600 requests per minute and key. Back off when you see status 429 and honour "
     "the "
     "Retry-After header."},
    {{"export", "download my data", "backup", "csv"},
     "Under Settings, Data, Export you can order a full CSV export; we e-mail a link within an "
     "hour."},
    {{"import", "migrate", "migration", "upload data"},
     "The import wizard takes CSV files of up to 100 MB; map the columns, then check the preview."},
    {{"sso", "single sign-on", "saml", "okta", "identity provider"},
     "Single sign-on with SAML is part of the Enterprise plan; an administrator sets it up under "
     "Security."},
    {{"outage", "is down", "status page", "not available", "unavailable"},
     "Please look at our status page for current incidents; subscribers get updates every 30 "
     "minutes."},
    {{"billed twice", "charged twice", "double charge", "duplicate charge", "two charges"},
     "I'm sorry about the double charge. One of the two is usually a reservation that disappears "
     "in "
     "3 days; otherwise we refund it."},
    {{"address", "moved", "relocat"},
     "You can change the address under Account, Addresses until the order has been dispatched."},
    {{"warranty", "guarantee", "repair"},
     "Our devices carry a two-year warranty. Send us the serial number and a short description of "
     "the fault."},
    {{"damaged", "broken", "defective", "cracked", "faulty"},
     "I'm sorry that it arrived damaged. Send us a photo within 14 days and we ship a replacement "
     "at no cost."},
    {{"missing item", "incomplete", "wrong item", "not in the box"},
     "If something is missing or wrong, tell us the order number and the item, and we send it "
     "right "
     "away."},
    {{"discount", "coupon", "promo", "voucher", "student"},
     "Enter the code at checkout before payment; codes can't be combined or added afterwards."},
    {{"gift card", "gift voucher", "gift"},
     "Gift cards are valid for three years and can be used in parts; check the balance under Gift "
     "cards."},
    {{"delete my account", "gdpr", "privacy", "personal data", "erase", "deletion"},
     "You can ask for deletion under Privacy, Delete account; we erase personal data within 30 "
     "days."},
    {{"mobile app", "iphone", "android", "app store", "the app"},
     "Please update the app to the latest version and restart it; if it still fails, reinstall "
     "it."},
    {{"integration", "integrate", "slack", "zapier", "salesforce"},
     "Integrations are under Settings, Apps; choose one, press Connect and approve the access."},
    {{"webhook", "callback url", "event delivery"},
     "Webhooks are retried for 24 hours with growing pauses; verify the signature header with your "
     "secret."},
    {{"seat", "team member", "invite", "add user", "colleague"},
     "Administrators add seats under Team, Members; each is charged for the days that remain."},
    {{"permission", "role", "admin rights", "access rights"},
     "Roles are Viewer, Editor and Administrator; an administrator changes them under Team, "
     "Roles."},
    {{"vat", "tax", "reverse charge", "tax id"},
     "Enter your VAT number under Billing, Tax; valid EU numbers are invoiced without VAT by "
     "reverse "
     "charge."},
    {{"payment method", "credit card", "card declined", "paypal", "payment failed"},
     "You can change the payment method under Billing; we try a failed payment again after 3 and 5 "
     "days."},
    {{"trial", "free plan", "try it"},
     "The trial runs 14 days with all features and ends by itself; no card is needed."},
    {{"price", "pricing", "how much", "cost"},
     "Plans start at $12 per seat and month, with two months free when you pay yearly."},
    {{"opening hours", "phone number", "contact", "speak to", "human"},
     "Our team answers by chat and e-mail on weekdays from 8:00 to 18:00 CET."},
    {{"notification", "newsletter", "email settings", "e-mail settings"},
     "Choose what we send you under Profile, Notifications; changes apply at once."},
    {{"error", "bug", "crash", "does not work", "doesn't work", "not working"},
     "Please send us the exact error text, the time and what you did before, so that we can trace "
     "it."},
    {{"slow", "performance", "timeout", "latency"},
     "Slow pages are most often a browser extension or a large view; try a private window and a "
     "narrower filter."},
    {{"order status", "my order", "preorder", "in stock", "stock"},
     "The order status is under Orders; items out of stock ship as soon as they reach us, usually "
     "within 10 days."},
    {{"language", "translate", "time zone", "timezone", "currency"},
     "Language, time zone and currency are set under Profile, Regional settings."},
    {{"contract", "terms", "agreement", "dpa"},
     "The current terms and the data processing agreement can be signed under Settings, Legal."},
    {{"feature request", "roadmap", "suggestion", "feedback"},
     "Thank you for the suggestion. We noted it for the product team; the roadmap page shows what "
     "comes next."},
};

/* 1 for a letter or digit of the lower-case question. */
static int word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* 1 when key stands in text at the start of a word. */
static int has_word(const char *text, const char *key) {
  for (const char *at = strstr(text, key); at; at = strstr(at + 1, key)) {
    if (at == text || !word_char(at[-1])) {
      return 1;
    }
  }
  return 0;
}

/* The intent of a lower-case question, or NULL. */
static const struct intent *intent_of(const char *low) {
  const struct intent *best = NULL;
  size_t best_score = 0;
  for (size_t i = 0; i < sizeof aIntent / sizeof aIntent[0]; i++) {
    size_t score = 0;
    for (int k = 0; k < KEYS && aIntent[i].key[k]; k++) {
      if (has_word(low, aIntent[i].key[k])) {
        score += strlen(aIntent[i].key[k]);
      }
    }
    if (score > best_score) {
      best_score = score;
      best = &aIntent[i];
    }
  }
  return best;
}

/* The first words of a question: at most 8 tokens and 80 bytes, on one line. */
static void first_words(struct buf *out, const char *question) {
  size_t n = token_cut(question, strlen(question), 8);
  while (n > 80 || (n && ((unsigned char)question[n] & 0xc0) == 0x80)) {
    n--;
  }
  for (size_t i = 0; i < n; i++) {
    buf_add(out, (unsigned char)question[i] < 0x20 || question[i] == '"' ? " " : question + i, 1);
  }
}

/* The words behind "@name: " at the start of a line, up to its end; NULL where there are none. */
static const char *words_of(const char *question, const char *name, size_t *n) {
  size_t len = strlen(name);
  for (const char *line = question; line; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (line[0] == '@' && strncmp(line + 1, name, len) == 0 &&
        strncmp(line + 1 + len, ": ", 2) == 0) {
      *n = strcspn(line + len + 3, "\n");
      return line + len + 3;
    }
  }
  return NULL;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cJSON *told;               /* an object: question -> answer; NULL = nothing was told */
static const cJSON **told_member; /* its members, by their place */
static struct map told_place;     /* hash of a question -> its place + 1 */

/* Takes the answers of questions, an object of texts; NULL forgets them. */
void answers_tell(cJSON *answers) {
  int64_t n = 0;
  pthread_mutex_lock(&lock);
  cJSON_Delete(told);
  free(told_member);
  map_free(&told_place);
  told = answers;
  told_member =
      answers ? need(malloc(sizeof *told_member * ((size_t)cJSON_GetArraySize(told) + 1))) : NULL;
  for (const cJSON *x = told ? told->child : NULL; x; x = x->next) {
    uint64_t key = hash_bytes(x->string, strlen(x->string), 0);
    told_member[n++] = x;
    if (!map_get(&told_place, key)) {
      map_add(&told_place, key, n);
    }
  }
  pthread_mutex_unlock(&lock);
}

/* Appends the answer that this question was given beforehand. Returns 0 when there is none. */
static int answer_told(struct buf *out, const char *question) {
  pthread_mutex_lock(&lock);
  int64_t place = map_get(&told_place, hash_bytes(question, strlen(question), 0));
  int found = place && strcmp(told_member[place - 1]->string, question) == 0;
  if (found) {
    buf_str(out, told_member[place - 1]->valuestring);
  }
  pthread_mutex_unlock(&lock);
  return found;
}

/* Appends what the question wants to hear from this model. Returns 0 when it doesn't care. */
int answer_wanted(struct buf *out, const char *question, const char *model) {
  size_t n = 0;
  if (answer_told(out, question)) {
    return 1;
  }
  const char *words = words_of(question, model, &n);
  words = words ? words : words_of(question, "say", &n);
  buf_add(out, words ? words : "", n);
  return words != NULL;
}

/* Appends the answer to a question; ref is the hash of the whole prompt. */
void answer_text(struct buf *out, const char *question, uint64_t ref) {
  char low[SCAN_MAX + 1];
  size_t n = strlen(question);
  n = n > SCAN_MAX ? SCAN_MAX : n;
  for (size_t i = 0; i < n; i++) {
    low[i] = question[i] >= 'A' && question[i] <= 'Z' ? (char)(question[i] | 0x20) : question[i];
  }
  low[n] = 0;
  const struct intent *it = intent_of(low);
  if (it) {
    buf_str(out, it->text);
  } else {
    buf_str(out, "Thank you for your message about \"");
    first_words(out, question);
    buf_str(out, "\". A colleague will look into it and reply within one business day.");
  }
  buf_printf(out, " (ref %08x)", (unsigned)(ref & 0xffffffffu));
}
