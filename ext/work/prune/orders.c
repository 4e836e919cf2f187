/*
** See orders.h for the contract.
**
** Orders are told from remarks by words of negation and force, by phrases that have neither, and by who is spoken of: "I don't
** know" orders nothing. A user's orders are looked for with a wide net: a message that stays in vain costs its tokens. What is caught by it
** and does not begin as an order does is in doubt: turns_kept.c keeps as many of these as there is room for.
**
** Of a summary a sentence stays if it has nothing that its source has not. In any language, numbers, addresses and names must stand in
** the source (grounds.h). What tells how it was ("The parcel was not delivered") needs a third of its words from there. Any other needs
** two thirds of them from one sentence. What orders, begins as a command does, or tells of an order, needs three quarters from one that
** orders something too, of which it has half, with a negation in both or in neither.
**
** What looks like a report and has its words from the source ("Refunds were not paid") is taken for one, true or not: who gives a
** summary may be wrong.
*/
#include "work/prune/orders.h"

#include "base/buf.h"
#include "core/split/terms.h"
#include "core/split/units.h"
#include "work/prune/grounds.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int is_word(const char *p, const char *word, const char *end) {
  size_t n = strlen(word);
  return p + n <= end && strncasecmp(p, word, n) == 0 &&
         (p + n == end || strchr(" ,;:.!?'*_)\n\t", p[n]));
}

/* 1 if somebody speaks of himself: that orders nothing. */
static int is_remark(const char *p, size_t n) {
  static const char *const selves[] = {
      "ça",  "Ça", "cela", "das", "dies", "esto", "eso",  "questo", "isso", "i",    "i'm",
      "we",  "my", "our",  "it",  "he",   "she",  "they", "there",  "that", "this", "ich",
      "wir", "je", "nous", "yo",  "io",   "eu",   "es",   "er",     "sie",  "il",   "elle"};
  const char *end = p + n;
  int is = 0;
  for (size_t i = 0; i < sizeof selves / sizeof selves[0] && !is; i++) {
    is = is_word(p, selves[i], end);
  }
  return is;
}

/* 1 if one of the phrases (in small letters) stands in n bytes, from a word's beginning on; `at_front`: begins them. */
static int has_phrase(const char *const *phrases, const char *p, size_t n, int at_front) {
  size_t most = at_front && n > 1 ? 1 : n;
  for (size_t i = 0; i < most; i++) {
    if (i > 0 && isalnum((unsigned char)p[i]) && isalnum((unsigned char)p[i - 1])) {
      continue;
    }
    char first = (char)tolower((unsigned char)p[i]);
    for (int k = 0; phrases[k]; k++) {
      size_t length = phrases[k][0] == first ? strlen(phrases[k]) : n + 1;
      if (i + length <= n && strncasecmp(p + i, phrases[k], length) == 0) {
        return 1;
      }
    }
  }
  return 0;
}

/* 1 if a sentence holds for what comes: by words of negation and force, or by phrases that have neither. */
static int is_order(const char *p, size_t n, unsigned flags) {
  static const char *const polite[] = {"never mind",  "no problem",   "no worries",
                                       "no thank",    "not at all",   "don't worry",
                                       "don’t worry", "do not worry", NULL};
  static const char *const front[] = {"from now on",
                                      "stop ",
                                      "keep ",
                                      "max ",
                                      "max. ",
                                      "maximal ",
                                      "make sure",
                                      "please keep",
                                      "please stop",
                                      "refrain from",
                                      "avoid ",
                                      "ab sofort",
                                      "ab jetzt",
                                      "von nun an",
                                      "dorénavant",
                                      "désormais",
                                      "à partir de maintenant",
                                      "a partir de ahora",
                                      "d'ora in poi",
                                      NULL};
  static const char *const within[] = {
      "forbidden",  "off limits",     "off-limits",  "prohibited", "every reply",
      "each reply", "every answer",   "each answer", "verboten",   "interdit",
      "prohibido",  "ないでください", "絶対に",      "必ず",       "常に",
      "不要",       "禁止",           "务必",        NULL};
  int asks = n > 0 && p[n - 1] == '?';
  return !asks && !has_phrase(polite, p, n, 1) &&
         (has_phrase(front, p, n, 1) || has_phrase(within, p, n, 0) ||
          (flags & UNIT_ORDER && !is_remark(p, n)));
}

/* ---- what a user orders: a wide net */

/* Where words of a list stand in a sentence, as wholes. */
static int has_word(const char *const *words, const char *p, size_t n) {
  int has = 0;
  for (size_t i = 0; i < n && !has; i++) {
    int is_begin = i == 0 || strchr(" ,;:.!?'\"(*_\n\t", p[i - 1]);
    for (int k = 0; words[k] && is_begin && !has; k++) {
      has = is_word(p + i, words[k], p + n);
    }
  }
  return has;
}

/* "never" and "don't" where the lists of words (terms.h) have no negation. */
static const char *const nevers[] = {
    "nooit",   "aldri",  "aldrig",   "nigdy",      "nikdy",  "nikada",    "никогда",
    "Никогда", "ніколи", "Ніколи",   "нельзя",     "Нельзя", "asla",      "soha",
    "koskaan", "älä",    "Älä",      "älkää",      "Älkää",  "niciodată", "ποτέ",
    "Ποτέ",    "μην",    "Μην",      "jangan",     "đừng",   "Đừng",      "मत",
    "אל",      "לעולם",  "mag niet", "mogen niet", NULL};
static const char *const nots[] = {"niet", "geen", "ikke", "inte", "ingen", "inga",
                                   "nie",  "не",   "Не",   "لا",   NULL};

static size_t count_words(const char *p, size_t n) {
  size_t words = 0;
  for (size_t i = 0; i < n; i++) {
    words += p[i] != ' ' && (i == 0 || p[i - 1] == ' ');
  }
  return words;
}

/* 1 for an order of a language whose negations are told here alone: "Schrijf nooit naar de klant", "Bel me niet". */
static int is_foreign_order(const char *p, size_t n) {
  static const char *const selves[] = {"ik",  "wij",  "we",  "het", "mijn", "jeg",  "vi", "det",
                                       "min", "mitt", "jag", "mit", "я",    "Я",    "мы", "Мы",
                                       "это", "Это",  "ja",  "my",  "to",   "minä", NULL};
  static const char *const known[] = {"Никогда не ", "nooit van gehoord", NULL};
  static const char *const wanted[] = {"wil",    "willen", "vil",  "ønsker", "vill",
                                       "önskar", "chcę",   "хочу", "хотим",  NULL};
  enum { FEW = 5 };
  int is_self = 0;
  for (int i = 0; selves[i]; i++) {
    is_self |= is_word(p, selves[i], p + n);
  }
  int is_short = count_words(p, n) <= FEW;
  return (has_word(nevers, p, n) && (!is_self || has_phrase(known, p, n, 1))) ||
         (has_word(nots, p, n) && is_self && has_word(wanted, p, n)) ||
         (has_word(nots, p, n) && is_short && !is_self);
}

/* Asking first, whose word is waited for, what is left alone, how much at most: without a word of force. */
static const char *const holds[] = {"per reply",
                                    "per answer",
                                    "per message",
                                    "per response",
                                    "pro antwort",
                                    "par réponse",
                                    "por respuesta",
                                    "per risposta",
                                    "out of scope",
                                    "out of bounds",
                                    "from now on",
                                    "answers in ",
                                    "replies in ",
                                    "important to me that",
                                    "before it goes",
                                    "before anything",
                                    "before they go",
                                    "erst fragen",
                                    "vorher nachfragen",
                                    "vorher fragen",
                                    "vorher bescheid",
                                    "prévenez-moi",
                                    "préviens-moi",
                                    "avvisami",
                                    "mi avvisi",
                                    "avísame",
                                    "avíseme",
                                    "avise-me",
                                    " must ",
                                    " mustn't",
                                    " muss ",
                                    " müssen ",
                                    " darf ",
                                    " dürfen ",
                                    " soll ",
                                    " sollen ",
                                    "마세요",
                                    "마십시오",
                                    "하지 마",
                                    "지 말",
                                    "न करें",
                                    "मत ",
                                    "wait for my",
                                    "wait for me",
                                    "wait for the ok",
                                    "wait until",
                                    "my ok",
                                    "my approval",
                                    "my consent",
                                    "my permission",
                                    "my go-ahead",
                                    "my go ahead",
                                    "my sign-off",
                                    "my say-so",
                                    "my confirmation",
                                    "approval",
                                    "sign-off",
                                    "check with me",
                                    "check with us",
                                    "confirm with me",
                                    "clear it with",
                                    "run it by me",
                                    "run it past me",
                                    "ask me",
                                    "ask us",
                                    "tell me before",
                                    "let me know before",
                                    "before you ",
                                    "before any",
                                    "before each",
                                    "before every",
                                    "before sending",
                                    "before deleting",
                                    "before calling",
                                    "hands off",
                                    "through me",
                                    "through us",
                                    "past me",
                                    "past us",
                                    "i approve",
                                    "to approve",
                                    "from here on",
                                    "keep off",
                                    "stay away",
                                    "stay out of",
                                    "leave it alone",
                                    "leave them alone",
                                    "alone.",
                                    "untouched",
                                    "as it is.",
                                    "as they are.",
                                    "off the table",
                                    "hold off",
                                    "stick to",
                                    "no need to",
                                    "not to ",
                                    "rather you",
                                    "rather not",
                                    "would prefer",
                                    "'d prefer",
                                    "i prefer",
                                    "we prefer",
                                    "i'd like you to",
                                    "in future",
                                    "frag mich",
                                    "frage mich",
                                    "fragen sie mich",
                                    "frag uns",
                                    "sag mir vorher",
                                    "sagen sie mir vorher",
                                    "warte auf",
                                    "warten sie auf",
                                    "meine zustimmung",
                                    "mein ok",
                                    "meine freigabe",
                                    "rücksprache",
                                    "in ruhe",
                                    "lass die finger",
                                    "finger weg",
                                    "demande-moi",
                                    "demandez-moi",
                                    "demande moi",
                                    "attends mon",
                                    "attendez mon",
                                    "mon accord",
                                    "mon feu vert",
                                    "mon ok",
                                    "laisse ",
                                    "pregúntame",
                                    "pregúnteme",
                                    "preguntame",
                                    "consúltame",
                                    "consúlteme",
                                    "espera mi",
                                    "espere mi",
                                    "mi visto bueno",
                                    "mi aprobación",
                                    "mi permiso",
                                    "chiedimi",
                                    "mi chieda",
                                    "aspetta il mio",
                                    "il mio ok",
                                    "il mio consenso",
                                    "pergunte-me",
                                    "pergunta-me",
                                    "me pergunte",
                                    "minha aprovação",
                                    "vraag me",
                                    "vraag mij",
                                    "vraag het me",
                                    "spør meg",
                                    "spørg mig",
                                    "fråga mig",
                                    "zapytaj mnie",
                                    "спроси меня",
                                    "Спроси меня",
                                    "спросите меня",
                                    "Спросите меня",
                                    "先问我",
                                    "问我",
                                    "私に確認",
                                    "確認してから",
                                    NULL};
static const char *const ways[] = {
    "spare ",     "exclude ",      "skip ",         "leave ",       "ignore ",     "omit ",
    "limit ",     "restrict ",     "use ",          "answer in",    "answer with", "reply in",
    "reply with", "respond in",    "respond with",  "write in",     "speak ",      "talk to me",
    "call me ",   "address me",    "format ",       "treat ",       "assume ",     "require ",
    "spare me",   "get my ",       "remember ",     "be brief",     "be concise",  "be short",
    "stay ",      "schließ",       "lass ",         "lassen sie",   "benutze ",    "verwende ",
    "antworte ",  "antworten sie", "schreib ",      "réponds ",     "répondez ",   "utilise ",
    "utilisez ",  "responde ",     "responda ",     "usa ",         "use ",        "rispondi ",
    "please use", "please leave",  "please answer", "please reply", "please skip", "please wait",
    NULL};

/* 1 for "up to 3", "under 50 words". */
static int has_bound(const char *p, size_t n) {
  static const char *const bounds[] = {
      "up to ",  "under ",    "below ",   "within ", "less than ", "fewer than ", "unter ",
      "bis zu ", "maximaal ", "jusqu'à ", "hasta ",  "fino a ",    NULL};
  static const char *const numbers[] = {"one", "two", "three", "four", "five", "six", "ten", NULL};
  int has = 0;
  for (int b = 0; bounds[b]; b++) {
    size_t k = strlen(bounds[b]);
    for (size_t i = 0; i + k < n && !has; i++) {
      has = strncasecmp(p + i, bounds[b], k) == 0 && (i == 0 || p[i - 1] == ' ') &&
            (isdigit((unsigned char)p[i + k]) || has_phrase(numbers, p + i + k, n - i - k, 1));
    }
  }
  return has;
}

/* 1 where somebody speaks of himself, with a negation, and lays something down all the same: what he wants, allows, does as a rule.
** "I don't know" and "It doesn't work" do not. */
static int is_wish(const char *p, size_t n) {
  static const char *const wishes[] = {
      "welcome",    "erwünscht", "bienvenus",  "bienvenu", "want",    "wants",     "allow",
      "allowed",    "permitted", "rather",     "wish",     "like",    "accept",    "tolerate",
      "acceptable", "okay",      "ok",         "need",     "agree",   "authorize", "authorise",
      "consent",    "expect",    "will",       "wollen",   "möchte",  "möchten",   "wünsche",
      "wünschen",   "erlaubt",   "erlaube",    "brauche",  "dulde",   "veux",      "voulons",
      "voudrais",   "souhaite",  "souhaitons", "autorise", "permis",  "autorisé",  "quiero",
      "queremos",   "deseo",     "permitido",  "permito",  "permite", "voglio",    "vogliamo",
      "desidero",   "permesso",  "quero",      "desejo",   "wil",     "willen",    "vil",
      "ønsker",     "vill",      "önskar",     "chcę",     "хочу",    "хотим",     NULL};
  static const char *const rules[] = {"wir ",      "nous n'",    "nous ne ", "nosotros no ",
                                      "noi non ",  "nós não ",   "i don't ", "we don't ",
                                      "i do not ", "we do not ", "i don’t ", "we don’t ",
                                      "i never ",  "we never ",  NULL};
  static const char *const states[] = {
      "wissen",    "haben",    "hatten",    "sind",     "waren",    "können",     "konnten",
      "finden",    "sehen",    "verstehen", "wurden",   "avons",    "savons",     "sommes",
      "étions",    "pouvons",  "voyons",    "trouvons", "arrivons", "comprenons", "sabemos",
      "tenemos",   "podemos",  "hemos",     "sappiamo", "abbiamo",  "possiamo",   "siamo",
      "temos",     "estamos",  "know",      "think",    "have",     "see",        "understand",
      "remember",  "believe",  "mind",      "get",      "find",     "recall",     "care",
      "feel",      "hear",     "suppose",   "really",   "quite",    "even",       "remembered",
      "got",       "received", "had",       "saw",      "heard",    "knew",       "recognise",
      "recognize", "follow",   NULL};
  size_t k = 0;
  for (int i = 0; rules[i] && !k; i++) {
    size_t length = strlen(rules[i]);
    k = n > length && strncasecmp(p, rules[i], length) == 0 ? length : 0;
  }
  int is_state = 0;
  for (int i = 0; states[i] && k; i++) {
    is_state |= is_word(p + k, states[i], p + n);
  }
  return !is_state && (k > 0 || has_word(wishes, p, n));
}

/* 1 for a request in the form of a question: "Could you please not call me?" */
static int is_request(const char *p, size_t n, unsigned flags) {
  static const char *const fronts[] = {
      "can you",    "could you",   "would you", "will you",    "kannst du",   "könntest du",
      "können sie", "könnten sie", "peux-tu",   "pourrais-tu", "pouvez-vous", "pourriez-vous",
      "puedes",     "podrías",     "puede",     "puoi",        NULL};
  return flags & UNIT_ORDER && has_phrase(fronts, p, n, 1);
}

static int is_standing(const char *p, size_t n, unsigned flags) {
  static const char *const polite[] = {"no problem", "no worries", "not at all", NULL};
  static const char *const unknown[] = {
      "no funciona", "no me funciona", "non funziona", "não funciona",
      "no lo sé",    "no sé",          "non lo so",    "non so",
      "não sei",     "no idea",        "keine ahnung", "aucune idée",
      NULL};
  if (has_phrase(unknown, p, n, 1)) {
    return 0;
  }
  if (n > 0 && p[n - 1] == '?') {
    return is_request(p, n, flags);
  }
  return is_order(p, n, flags) || has_phrase(holds, p, n, 0) || has_phrase(ways, p, n, 1) ||
         (has_bound(p, n) && !is_remark(p, n)) || is_foreign_order(p, n) ||
         (flags & UNIT_ORDER && is_wish(p, n) && !has_phrase(polite, p, n, 0));
}

/* ---- how sure that is */

/* Words of negation, of bounds and of waiting, by language. */
static const char *const forces[] = {"not",
                                     "never",
                                     "nooit",
                                     "niet",
                                     "geen",
                                     "alleen",
                                     "uitsluitend",
                                     "maximaal",
                                     "hoogstens",
                                     "wacht",
                                     "eerst",
                                     "altijd",
                                     "zonder",
                                     "nigdy",
                                     "nie",
                                     "żadnych",
                                     "żaden",
                                     "żadne",
                                     "tylko",
                                     "wyłącznie",
                                     "najwyżej",
                                     "maksymalnie",
                                     "poczekaj",
                                     "czekaj",
                                     "najpierw",
                                     "zawsze",
                                     "zakaz",
                                     "bez",
                                     "wstrzymaj",
                                     "никогда",
                                     "не",
                                     "нельзя",
                                     "никаких",
                                     "только",
                                     "исключительно",
                                     "максимум",
                                     "подожди",
                                     "жди",
                                     "сначала",
                                     "всегда",
                                     "запрещено",
                                     "без",
                                     "Никогда",
                                     "Не",
                                     "Нельзя",
                                     "Никаких",
                                     "Только",
                                     "Исключительно",
                                     "Максимум",
                                     "Подожди",
                                     "Жди",
                                     "Сначала",
                                     "Всегда",
                                     "Запрещено",
                                     "Без",
                                     "ніколи",
                                     "жодних",
                                     "тільки",
                                     "лише",
                                     "зачекай",
                                     "спочатку",
                                     "завжди",
                                     "заборонено",
                                     "Ніколи",
                                     "Жодних",
                                     "Тільки",
                                     "Лише",
                                     "Зачекай",
                                     "Спочатку",
                                     "Завжди",
                                     "Заборонено",
                                     "asla",
                                     "sakın",
                                     "hiçbir",
                                     "sadece",
                                     "yalnızca",
                                     "bekle",
                                     "önce",
                                     "daima",
                                     "yasak",
                                     "olmadan",
                                     "arama",
                                     "yapma",
                                     "gönderme",
                                     "yazma",
                                     "silme",
                                     "đừng",
                                     "không",
                                     "chỉ",
                                     "đợi",
                                     "hỏi",
                                     "luôn",
                                     "cấm",
                                     "Đừng",
                                     "Không",
                                     "Chỉ",
                                     "Đợi",
                                     "Hỏi",
                                     "Luôn",
                                     "Cấm",
                                     "jangan",
                                     "dilarang",
                                     "hanya",
                                     "maksimal",
                                     "tunggu",
                                     "tanya",
                                     "selalu",
                                     "tanpa",
                                     "aldrig",
                                     "aldri",
                                     "inte",
                                     "ikke",
                                     "inga",
                                     "ingen",
                                     "bara",
                                     "endast",
                                     "kun",
                                     "högst",
                                     "høyst",
                                     "højst",
                                     "max",
                                     "maks",
                                     "vänta",
                                     "vent",
                                     "fråga",
                                     "spør",
                                     "spørg",
                                     "alltid",
                                     "altid",
                                     "förbjudet",
                                     "forbudt",
                                     "utan",
                                     "uten",
                                     "uden",
                                     "älä",
                                     "älkää",
                                     "ei",
                                     "vain",
                                     "enintään",
                                     "odota",
                                     "kysy",
                                     "aina",
                                     "ilman",
                                     "kielletty",
                                     "Älä",
                                     "Älkää",
                                     "nikdy",
                                     "žádné",
                                     "žádný",
                                     "jen",
                                     "pouze",
                                     "nejvýše",
                                     "maximálně",
                                     "počkej",
                                     "nejdřív",
                                     "vždy",
                                     "zákaz",
                                     "nevolej",
                                     "neposílej",
                                     "nepiš",
                                     "Žádné",
                                     "soha",
                                     "ne",
                                     "csak",
                                     "legfeljebb",
                                     "várj",
                                     "előbb",
                                     "mindig",
                                     "tilos",
                                     "nélkül",
                                     "ποτέ",
                                     "μην",
                                     "μόνο",
                                     "περίμενε",
                                     "ρώτα",
                                     "πάντα",
                                     "απαγορεύεται",
                                     "χωρίς",
                                     "Ποτέ",
                                     "Μην",
                                     "Μόνο",
                                     "Περίμενε",
                                     "Ρώτα",
                                     "Πάντα",
                                     "Απαγορεύεται",
                                     "Χωρίς",
                                     "niciodată",
                                     "doar",
                                     "așteaptă",
                                     "întreabă",
                                     "mereu",
                                     "interzis",
                                     "fără",
                                     "لا",
                                     "ممنوع",
                                     "فقط",
                                     "انتظر",
                                     "اسأل",
                                     "بدون",
                                     "حتى",
                                     "אל",
                                     "לעולם",
                                     "אסור",
                                     "רק",
                                     "חכה",
                                     "שאל",
                                     "תשאל",
                                     "תמיד",
                                     "בלי",
                                     "मत",
                                     "नहीं",
                                     "न",
                                     "केवल",
                                     "सिर्फ़",
                                     "सिर्फ",
                                     "हमेशा",
                                     "बिना",
                                     "रुको",
                                     "मना",
                                     "kein",
                                     "keine",
                                     "keinen",
                                     "nichts",
                                     "verbiete",
                                     "verzichte",
                                     "nur",
                                     "höchstens",
                                     "maximal",
                                     "erst",
                                     "immer",
                                     "ohne",
                                     "warte",
                                     "jamais",
                                     "uniquement",
                                     "seulement",
                                     "maximum",
                                     "attends",
                                     "attendez",
                                     "toujours",
                                     "sans",
                                     "aucun",
                                     "aucune",
                                     "nunca",
                                     "nada",
                                     "sin",
                                     "ningún",
                                     "ninguna",
                                     "solo",
                                     "sólo",
                                     "únicamente",
                                     "máximo",
                                     "espera",
                                     "espere",
                                     "siempre",
                                     "como",
                                     "mai",
                                     "niente",
                                     "nessun",
                                     "nessuna",
                                     "senza",
                                     "soltanto",
                                     "massimo",
                                     "aspetta",
                                     "sempre",
                                     "vietato",
                                     "sem",
                                     "nenhum",
                                     "nenhuma",
                                     "só",
                                     "somente",
                                     "apenas",
                                     "proibido",
                                     "hold",
                                     "pause",
                                     "cease",
                                     "halt",
                                     "cap",
                                     "capped",
                                     "important",
                                     "must",
                                     "wait",
                                     "only",
                                     "minimum",
                                     "confidential",
                                     "secret",
                                     "agreed",
                                     "rule",
                                     "budget",
                                     "policy",
                                     "nothing",
                                     NULL};

/* The same within words, or in more than one. */
static const char *const force_phrases[] = {"ห้าม",
                                            "อย่า",
                                            "เท่านั้น",
                                            "ไม่เกิน",
                                            "รอจน",
                                            "ก่อน",
                                            "เสมอ",
                                            "禁止",
                                            "だけ",
                                            "のみ",
                                            "まで",
                                            "ダメ",
                                            "だめ",
                                            "ないで",
                                            "なし",
                                            "先に",
                                            "許可",
                                            "るな",
                                            "以内",
                                            "以下",
                                            "してはいけ",
                                            "别",
                                            "請勿",
                                            "请勿",
                                            "切勿",
                                            "不许",
                                            "不得",
                                            "只用",
                                            "仅",
                                            "最多",
                                            "不超过",
                                            "先问",
                                            "必须",
                                            "始终",
                                            "未经",
                                            "不打折",
                                            "不能",
                                            "금지",
                                            "하지 마",
                                            "이내",
                                            "최대",
                                            "먼저",
                                            "항상",
                                            "반드시",
                                            "까지",
                                            "안 됩니다",
                                            "없이",
                                            "없음",
                                            "على الأكثر",
                                            "بحد أقصى",
                                            "دائم",
                                            "בשום אופן",
                                            "לכל היותר",
                                            "अधिकतम",
                                            "पहले",
                                            "en fazla",
                                            "her zaman",
                                            "tối đa",
                                            "tidak lebih",
                                            "to πολύ",
                                            "το πολύ",
                                            "cel mult",
                                            "не более",
                                            "ни в коем",
                                            "Ни в коем",
                                            "auf weiteres",
                                            "vor jedem",
                                            "il ne faut",
                                            "elle ne doit",
                                            "il ne doit",
                                            "d'abord",
                                            "jusqu'à",
                                            "in nessun caso",
                                            "hasta ",
                                            "fino a ",
                                            "até ",
                                            "como máximo",
                                            "prior to",
                                            "check in with",
                                            "run everything",
                                            "by me.",
                                            "till ",
                                            "until ",
                                            "≤",
                                            "<=",
                                            "we agreed",
                                            "i told you",
                                            "our policy",
                                            "our rule",
                                            "a rule",
                                            "a must",
                                            "appreciate it if",
                                            "in doubt ask",
                                            "sieze",
                                            "duze",
                                            "unterlasse",
                                            "vermeide",
                                            "vorher",
                                            "stets ",
                                            "unter uns",
                                            "halte dich",
                                            "es wird nicht",
                                            "es sei denn",
                                            "plus d",
                                            "avant de",
                                            "évite",
                                            "vouvoie",
                                            "tutoie",
                                            "arrête",
                                            "entre nous",
                                            " ni ",
                                            "interdiction",
                                            "à partir d",
                                            "antes de",
                                            "primero",
                                            "evita",
                                            "deja de",
                                            "entre nosotros",
                                            "a partir de hoy",
                                            "tutéame",
                                            "prima ",
                                            "smetti",
                                            "em hipótese",
                                            "primeiro",
                                            "evite",
                                            "pare de",
                                            "hooguit",
                                            "vermijd",
                                            "verboden",
                                            "vanaf nu",
                                            "Żadnych",
                                            "zapytaj",
                                            "unikaj",
                                            "przestań",
                                            "od teraz",
                                            "Спроси",
                                            "спроси",
                                            "Избегай",
                                            "избегай",
                                            "Прекрати",
                                            "прекрати",
                                            "Отныне",
                                            "отныне",
                                            "Hiçbir",
                                            " kadar",
                                            "Önce",
                                            "istemiyorum",
                                            "確認して",
                                            "いつも",
                                            "ないこと",
                                            "なくていい",
                                            "ずに",
                                            "今後",
                                            "等到",
                                            "每次",
                                            "从现在起",
                                            "로만",
                                            "만 사용",
                                            "이하",
                                            "물어보",
                                            "اسألني",
                                            "إياك",
                                            "يجب",
                                            "לא ל",
                                            "से ज़्यादा",
                                            "रुको",
                                            "Το πολύ",
                                            "întreabă",
                                            "Întreabă",
                                            "undvik",
                                            "bare ",
                                            "allergic",
                                            "from today",
                                            "going forward",
                                            "henceforth",
                                            "for the rest of",
                                            "in this chat",
                                            "whenever i",
                                            "when i say",
                                            "if i say",
                                            "zero tolerance",
                                            "suspend",
                                            "steer clear",
                                            "can't eat",
                                            "i hate",
                                            "i can't stand",
                                            "source for every",
                                            "essential",
                                            "caution",
                                            "careful",
                                            "await my",
                                            "all replies",
                                            "route everything",
                                            "cc ",
                                            "copy ",
                                            "stays confidential",
                                            "in mind",
                                            NULL};

/* A message that may hold an order, by its words. (Who speaks of himself mostly gives none, but where he speaks of "you".) */
static int is_in_doubt(const char *p, size_t n, unsigned flags) {
  static const char *const remarks[] = {
      "ik",  "wij", "het", "mijn", "jeg", "vi",      "det",
      "min", "jag", "mit", "я",    "Я",   "мы",      "Мы",
      "это", "Это", "ja",  "minä", "no,", "not yet", "ok, never mind",
      NULL};
  static const char *const asides[] = {"and don't",  "and do not", "and never", "but don't",
                                       "but do not", "but never",  "and don’t", " ok?",
                                       ", okay?",    "don't call", NULL};
  static const char *const nothing[] = {"never mind", "no problem", "no worries",
                                        "no thank",   "not at all", NULL};
  static const char *const laid_down[] = {
      " you ",   "call",    "rule",    "policy", "only",      "il ne faut", "il faut",
      "ne doit", "es darf", "es soll", "a must", "important", "essential",  NULL};
  int is_self = is_remark(p, n), asks = n > 0 && p[n - 1] == '?';
  for (int i = 0; remarks[i] && !is_self; i++) {
    is_self = is_word(p, remarks[i], p + n);
  }
  static const char *const forbids[] = {"i forbid", "verbiete", "interdis", "prohíbo", "prohibo",
                                        "vieto ",   "proíbo",   "запрещаю", NULL};
  if (has_phrase(nothing, p, n, 1)) {
    return 0;
  }
  if (!asks && has_phrase(forbids, p, n, 0)) {
    return 1;
  }
  if (asks || is_self) {
    return flags & UNIT_ORDER &&
           (has_phrase(asides, p, n, 0) || (!asks && has_phrase(laid_down, p, n, 0)));
  }
  return has_word(forces, p, n) || has_phrase(force_phrases, p, n, 0);
}

/* "Please never …", "and wait for …": bytes of what leads in. */
static size_t lead(const char *p, size_t n) {
  static const char *const leads[] = {"please ",
                                      "and ",
                                      "but ",
                                      "so ",
                                      "also ",
                                      "then ",
                                      "ok, ",
                                      "okay, ",
                                      "remember: ",
                                      "important: ",
                                      "note: ",
                                      "rule: ",
                                      "bitte ",
                                      "por favor, ",
                                      "por favor ",
                                      "per favore, ",
                                      "per favore ",
                                      "s'il te plaît, ",
                                      "s'il vous plaît, ",
                                      "you ",
                                      NULL};
  size_t at = 0;
  for (int i = 0; leads[i]; i++) {
    size_t k = strlen(leads[i]);
    if (at + k < n && strncasecmp(p + at, leads[i], k) == 0) {
      at += k;
      i = -1;
    }
  }
  return at;
}

static const char *const sure_fronts[] = {"never ",
                                          "do not ",
                                          "don't ",
                                          "don’t ",
                                          "always ",
                                          "only ",
                                          "from now on",
                                          "at most ",
                                          "ask ",
                                          "wait for",
                                          "stop ",
                                          "make sure",
                                          "must ",
                                          "may not ",
                                          "shall not ",
                                          "should not ",
                                          "should never ",
                                          "keep ",
                                          "avoid ",
                                          "refrain from",
                                          "under no circumstances",
                                          "in no case",
                                          "until ",
                                          "before ",
                                          "unless ",
                                          "without ",
                                          "hold off",
                                          "hands off",
                                          "stick to",
                                          "no more than",
                                          "nie ",
                                          "niemals ",
                                          "nur ",
                                          "immer ",
                                          "auf keinen fall",
                                          "unter keinen umständen",
                                          "ab jetzt",
                                          "ab sofort",
                                          "höchstens ",
                                          "maximal ",
                                          "frag",
                                          "warte ",
                                          "jamais ",
                                          "toujours ",
                                          "désormais",
                                          "dorénavant",
                                          "à partir de maintenant",
                                          "ne ",
                                          "n'",
                                          "demande",
                                          "nunca ",
                                          "siempre ",
                                          "a partir de ahora",
                                          "mai ",
                                          "sempre ",
                                          "d'ora in poi",
                                          "nooit ",
                                          "aldri ",
                                          "aldrig ",
                                          "nigdy ",
                                          "никогда ",
                                          "Никогда ",
                                          NULL};
static const char *const sure_within[] = {
    " must not ", " must never ",   "you must ",     " may not ",   "never ever", "not allowed",
    "forbidden",  "off limits",     "off-limits",    "prohibited",  "without my", "without asking",
    "ask me",     "ask first",      "check with me", "before you ", "until i ",   "unless i ",
    "verboten",   "interdit",       "prohibido",     "vietato",     "禁止",       "必须",
    "絶対に",     "ないでください", "per reply",     "per answer",  NULL};

/* What begins as an order does, or says whose word is waited for. */
static int is_sure(const char *p, size_t n) {
  size_t at = lead(p, n);
  return has_phrase(sure_fronts, p + at, n - at, 1) ||
         (!is_remark(p, n) && has_phrase(sure_within, p, n, 0));
}

OrderForce orders_force(const char *text, size_t n, Err *err) {
  TextUnits u = {.n = 0};
  OrderForce most = ORDER_NONE;
  if (units_find(text, n, &u, err) == RC_OK) {
    for (size_t i = 0; i < u.n && most < ORDER_SURE; i++) {
      const char *p = text + u.at[i].from;
      size_t bytes = u.at[i].n;
      int stands = is_standing(p, bytes, u.at[i].flags);
      OrderForce one = stands && is_sure(p, bytes)                      ? ORDER_SURE
                       : stands || is_in_doubt(p, bytes, u.at[i].flags) ? ORDER_IN_DOUBT
                                                                        : ORDER_NONE;
      most = one > most ? one : most;
    }
  }
  units_free(&u);
  return most;
}

/* ---- what a summary's sentence is */

static const char *const told[] = {
    " was ",     " were ",   " had ",       " has ",     " have ",     " did ",      " does ",
    "didn't",    "doesn't",  "wasn't",      "weren't",   "hasn't",     "haven't",    "couldn't",
    "isn't",     "aren't",   " could not ", " is not ",  " are not",   " cannot ",   "can't",
    " said ",    " told ",   " gave ",      " found ",   " wrote ",    " sent ",     " got ",
    " never ",   " made ",   " paid ",      " bought ",  " is still ", " are still", " went ",
    " wurde",    " war ",    " waren ",     " hatte",    " hat ",      " haben ",    " fragte",
    " ist noch", " a été ",  " était ",     " avait ",   " ont été ",  " ont ",      " est parti",
    " fue ",     " fueron ", " había ",     " preguntó", " ha sido ",  " pidió ",    " estaba ",
    " è stat",   " aveva ",  " ha chiesto", " foi ",     " foram ",    " perguntou", " estava ",
    NULL};

/* What is laid down for the time to come, whoever says it. */
static const char *const force_of_all[] = {" has to ",
                                           " have to ",
                                           " was to ",
                                           " were to ",
                                           " said to ",
                                           "said not to",
                                           "asked never",
                                           "asked always",
                                           "asked to always",
                                           "asked to never",
                                           "told to ",
                                           "every time",
                                           "asked that",
                                           "requested that",
                                           "demanded",
                                           "asked not to",
                                           "told not to",
                                           "asked to be",
                                           "revoke",
                                           "authoris",
                                           "authoriz",
                                           "consent",
                                           "permission",
                                           "granted",
                                           "must ",
                                           " shall ",
                                           " may not ",
                                           "always ",
                                           "forbid",
                                           "forbad",
                                           "prohib",
                                           " banned",
                                           " bans ",
                                           "off limits",
                                           "off-limits",
                                           "off the table",
                                           "out of bounds",
                                           "off-bounds",
                                           "no-go",
                                           "agreed that",
                                           "prefer",
                                           " required",
                                           "requires ",
                                           "mandatory",
                                           " insist",
                                           "instructed",
                                           "ordered that",
                                           " allowed",
                                           "permitted",
                                           "only ",
                                           "limit is ",
                                           "limit of ",
                                           "limited to ",
                                           "at most ",
                                           "at least ",
                                           "no more than",
                                           "up to ",
                                           "maximum",
                                           "approval",
                                           "hold off",
                                           "refrain",
                                           "from now on",
                                           "going forward",
                                           "from here on",
                                           "in future",
                                           " is to be ",
                                           " are to be ",
                                           " not to be ",
                                           " may be ",
                                           "without asking",
                                           "without approval",
                                           "without permis",
                                           "lifted",
                                           "waived",
                                           "no longer",
                                           "requested no ",
                                           "asked for no ",
                                           "wants no ",
                                           "exactly ",
                                           "supposed to",
                                           "verboten",
                                           "untersag",
                                           "verbat",
                                           " dürfen ",
                                           " darf ",
                                           " soll ",
                                           " sollen ",
                                           " muss ",
                                           " müssen ",
                                           " nur ",
                                           "interdi",
                                           "défend",
                                           " doit ",
                                           " doivent ",
                                           "vieta",
                                           " proíb",
                                           " debe ",
                                           " deben ",
                                           " deve ",
                                           " devono ",
                                           "nie wieder",
                                           "запрещ",
                                           "нельзя",
                                           "禁止",
                                           "必须",
                                           "不得",
                                           "不要",
                                           NULL};
/* The same, but not in what tells how it was ("asked whether it would arrive"). */
static const char *const force_of_now[] = {" will ",  " should ", " need ",   " needs ",
                                           " is to ", " are to ", " has to ", " have to ",
                                           " wants ", NULL};

static size_t first_word(const char *p, size_t n) {
  size_t k = 0;
  while (k < n && !strchr(" ,;:.!?\n\t", p[k])) {
    k++;
  }
  return k;
}

/* 1 for "-ed" and what else tells how it was. */
static int is_told(const char *p, size_t n) {
  int is = has_phrase(told, p, n, 0);
  for (size_t i = 4; i < n && !is; i++) {
    is = p[i] == ' ' && p[i - 1] == 'd' && p[i - 2] == 'e' && isalpha((unsigned char)p[i - 3]);
  }
  return is || (n > 4 && strncasecmp(p + n - 3, "ed.", 3) == 0);
}

/* 1 for "Book the", "Reveal your", "Hold off": what begins with neither a noun nor its company. */
static int is_imperative(const char *p, size_t n) {
  static const char *const openers[] = {
      "the",  "a",    "an",    "all",     "every",  "each",   "both",  "some",    "any",  "no",
      "this", "that", "these", "those",   "his",    "her",    "its",   "their",   "my",   "our",
      "your", "in",   "at",    "on",      "by",     "for",    "with",  "from",    "to",   "of",
      "as",   "if",   "when",  "while",   "after",  "before", "since", "because", "and",  "but",
      "or",   "so",   "then",  "there",   "it",     "he",     "she",   "they",    "we",   "i",
      "who",  "what", "where", "whether", "how",    "is",     "was",   "were",    "are",  "has",
      "had",  "not",  "only",  "also",    "during", "until",  "about", "under",   "over", "such",
      "most", "many", "one",   "two",     "three",  NULL};
  static const char *const objects[] = {
      "the ",  "a ",    "an ",  "all ",   "any ",  "every ", "each ",  "no ",
      "your ", "his ",  "her ", "their ", "its ",  "my ",    "our ",   "me ",
      "him ",  "them ", "us ",  "it ",    "this ", "that ",  "these ", "those ",
      "off ",  "up ",   "out ", "down ",  "away ", "back ",  NULL};
  static const char *const verbs[] = {
      "avoid",   "refrain", "cease",    "abstain", "tell",   "say",     "give",    "send",
      "ignore",  "forget",  "remember", "delete",  "reveal", "treat",   "be",      "do",
      "please",  "kindly",  "let",      "make",    "write",  "speak",   "confirm", "contact",
      "forward", "inform",  "include",  "remove",  "refuse", "respond", "never",   "assume",
      "create",  "follow",  "don't",    "don’t",   "you",    NULL};
  for (int i = 0; verbs[i]; i++) {
    if (is_word(p, verbs[i], p + n)) {
      return 1;
    }
  }
  size_t k = first_word(p, n);
  int is = k > 1 && k + 1 < n && p[k] == ' ' && has_phrase(objects, p + k + 1, n - k - 1, 1);
  int is_past = k > 3 && strncasecmp(p + k - 2, "ed", 2) == 0;
  for (size_t i = 0; openers[i] && is; i++) {
    is = !is_word(p, openers[i], p + n);
  }
  return is && !is_past && (k < 4 || strncasecmp(p + k - 3, "ing", 3) != 0);
}

/* "Antworten sind auf Deutsch zu geben." */
static int is_to_be_done(const char *p, size_t n) {
  static const char *const is[] = {" ist ", " sind ", "bleibt ", "bleiben ", NULL};
  static const char *const to[] = {" zu ", NULL};
  size_t end = n;
  while (end > 0 && strchr(".! ", p[end - 1])) {
    end--;
  }
  size_t from = end;
  while (from > 0 && p[from - 1] != ' ') {
    from--;
  }
  return end > from + 2 && p[end - 1] == 'n' && from >= 4 && has_phrase(to, p + from - 4, 4, 1) &&
         has_phrase(is, p, from, 0);
}

/* 1 for what tells somebody to do something, without a word of force: by its verb in front, or by what it says of the time to come. */
static int is_command(const char *p, size_t n) {
  static const char *const verbs[] = {
      "accept",    "act",      "add",      "agree",   "answer",  "approve", "assume",   "be",
      "block",     "book",     "buy",      "call",    "cancel",  "charge",  "check",    "close",
      "confirm",   "contact",  "continue", "copy",    "create",  "delete",  "deny",     "deploy",
      "disable",   "do",       "download", "email",   "enable",  "end",     "escalate", "execute",
      "follow",    "forget",   "forward",  "give",    "grant",   "hold",    "ignore",   "include",
      "inform",    "install",  "keep",     "leave",   "let",     "limit",   "make",     "mention",
      "merge",     "move",     "notify",   "offer",   "open",    "order",   "pay",      "please",
      "post",      "proceed",  "promise",  "provide", "publish", "push",    "refund",   "refuse",
      "reject",    "remember", "remove",   "reply",   "require", "respond", "return",   "reveal",
      "run",       "say",      "schedule", "send",    "set",     "share",   "show",     "skip",
      "speak",     "start",    "stay",     "stop",    "switch",  "talk",    "tell",     "transfer",
      "translate", "treat",    "try",      "upload",  "use",     "wait",    "wire",     "write",
      "you"};
  const char *end = p + n;
  int is = has_phrase(force_of_now, p, n, 0) && !is_told(p, n);
  for (size_t i = 0; i < sizeof verbs / sizeof verbs[0] && !is; i++) {
    is = is_word(p, verbs[i], end) && !is_told(p, n);
  }
  return is;
}

/* What stands in front of a sentence and says whose it is: its bytes; 0: nothing. *is_order: what follows is said to be the system's. */
static size_t skip_speaker(const char *p, size_t n, int *is_order) {
  static const char *const who[] = {
      "user", "assistant", "result", "human",     "customer",      "ai",          "tool",
      "bot",  "agent",     "system", "developer", "system prompt", "instruction", "instructions"};
  enum { ORDERING = 9 };
  size_t front = 0;
  *is_order = 0;
  while (front < n && strchr("*#>_[<- ", p[front])) {
    front++;
  }
  for (size_t i = 0; i < sizeof who / sizeof who[0]; i++) {
    size_t k = front + strlen(who[i]), at = k;
    if (k >= n || strncasecmp(p + front, who[i], k - front) != 0) {
      continue;
    }
    while (at < n && strchr("*_]> ", p[at])) {
      at++;
    }
    if (at < n && (p[at] == ':' || (front > 0 && at > k && p[k] != ' '))) {
      *is_order = i >= ORDERING;
      at += p[at] == ':';
      while (at < n && strchr("*_ ", p[at])) {
        at++;
      }
      return at;
    }
  }
  return 0;
}

/* 1 if a sentence of the source orders something, or somebody's wish is in it. */
static int lays_down(const char *text, const TextUnit *x) {
  int is_system;
  size_t skip = skip_speaker(text + x->from, x->n, &is_system);
  const char *p = text + x->from + skip;
  size_t n = x->n - skip;
  return x->flags & UNIT_ORDER || is_order(p, n, x->flags) || is_command(p, n) ||
         is_imperative(p, n) || is_to_be_done(p, n) || has_phrase(force_of_all, p, n, 0);
}

/* 1 for what says how something was or is, and lays nothing down. */
static int is_report(const char *p, size_t n) {
  static const char *const force[] = {
      "must",       "should",  "shall",   " may not",  "always",    "ask ",    "asked ",
      "from now",   " want",   " need",   " have to",  " has to",   "require", "instruct",
      "prefer",     " only ",  "forbid",  "forbidden", "off limit", "insist",  "prohibit",
      " never to ", "allowed", "do not ", "don't ",    "never be",  NULL};
  static const char *const front[] = {"never ", "only ", NULL};
  return is_told(p, n) && !has_phrase(force, p, n, 0) && !has_phrase(front, p, n, 1);
}

typedef enum SentenceKind { REPORT, STATE, ORDER } SentenceKind;

static SentenceKind kind_of(const char *p, size_t n, unsigned flags) {
  int is_laid_down = flags & UNIT_ORDER || is_order(p, n, flags) || is_command(p, n);
  if (is_imperative(p, n) || is_to_be_done(p, n) || has_phrase(force_of_all, p, n, 0) ||
      (is_laid_down && !is_report(p, n))) {
    return ORDER;
  }
  return is_told(p, n) ? REPORT : STATE;
}

enum { MOST_ORDERS = 160, MOST_WORDS = 2048, SLOTS = 4 * MOST_WORDS };

/* A word of a summary's order. */
typedef struct OrderWord {
  uint64_t stem;
  size_t seen;       /* the sentence of the source that had it last, from 1 */
  short order, next; /* whose; the next with the same stem, from 1 */
} OrderWord;

typedef struct OrderCheck {
  size_t unit[MOST_ORDERS]; /* of the summary */
  SentenceKind kind[MOST_ORDERS];
  int n_words[MOST_ORDERS], shared[MOST_ORDERS], is_said[MOST_ORDERS];
  unsigned bounds[MOST_ORDERS];
  int n;
  OrderWord words[MOST_WORDS];
  int n_all;
  short by_stem[SLOTS]; /* from 1 */
} OrderCheck;

static short *slot_of(OrderCheck *c, uint64_t stem) {
  size_t at = stem % SLOTS;
  while (c->by_stem[at] && c->words[c->by_stem[at] - 1].stem != stem) {
    at = (at + 1) % SLOTS;
  }
  return &c->by_stem[at];
}

/* 1 for a word that says what is ordered, not that something is. */
static int is_telling(const Term *t) {
  return (!(t->flags & (TERM_STOP | TERM_SIGN)) || t->flags & TERM_NUMBER) &&
         !(t->flags & (TERM_NEGATION | TERM_ORDER));
}

/* What of an order turns it into another one: its negation, its bounds, what it allows. */
static unsigned bounds_of(const char *p, size_t n) {
  static const char *const all[][12] = {
      {"only ", " only", "nur ", "solo ", "seulement", "uniquement", NULL},
      {"at most", "up to ", "no more than", "maximum", "höchstens", "au plus", NULL},
      {"at least", "minimum", "mindestens", "au moins", NULL},
      {"exactly", "genau ", "exactement", NULL},
      {"without asking", "without approval", "without permission", "without my", NULL},
      {" may be ", " can be ", " allowed", "permitted", "lifted", "waived", "no longer",
       "withdrawn", NULL},
      {"avoid", "refrain", "cease", "abstain", "stop ", "requested no ", "asked for no ", NULL}};
  unsigned bounds = 0;
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    bounds |= has_phrase(all[i], p, n, 0) ? 2u << i : 0;
  }
  return bounds;
}

/* Enters a sentence of the summary: n bytes. */
static void add_order(OrderCheck *c, size_t unit, SentenceKind kind, const char *p, size_t n) {
  TermWalk w;
  Term t;
  int order = c->n++;
  c->unit[order] = unit;
  c->kind[order] = kind;
  c->bounds[order] = bounds_of(p, n);
  terms_begin(&w, p, 0, n);
  while (terms_next(&w, &t)) {
    c->bounds[order] |= (t.flags & TERM_NEGATION) != 0;
    if (is_telling(&t) && c->n_all < MOST_WORDS) {
      short *slot = slot_of(c, t.stem);
      c->words[c->n_all] = (OrderWord){.stem = t.stem, .order = (short)order, .next = *slot};
      *slot = (short)++c->n_all;
      c->n_words[order]++;
    }
  }
}

/* Compares all of them with the `number`-th sentence of the source (from 1). */
static void compare(OrderCheck *c, size_t number, const char *text, const TextUnit *x) {
  TermWalk w;
  Term t;
  unsigned bounds = bounds_of(text + x->from, x->n);
  int n_words = 0;
  memset(c->shared, 0, sizeof c->shared);
  terms_begin(&w, text, x->from, x->from + x->n);
  while (terms_next(&w, &t)) {
    bounds |= (t.flags & TERM_NEGATION) != 0;
    n_words += is_telling(&t);
    for (short i = *slot_of(c, t.stem); i; i = c->words[i - 1].next) {
      OrderWord *word = &c->words[i - 1];
      c->shared[word->order] += word->seen != number;
      word->seen = number;
    }
  }
  int orders = lays_down(text, x);
  for (int i = 0; i < c->n; i++) {
    int has_words = c->shared[i] > 0 && 3 * c->shared[i] >= 2 * c->n_words[i];
    int is_same = orders && 4 * c->shared[i] >= 3 * c->n_words[i] && 2 * c->shared[i] >= n_words &&
                  bounds == c->bounds[i];
    c->is_said[i] |= has_words && (c->kind[i] == STATE || is_same);
  }
}

/* A summary that is looked at. */
typedef struct Mending {
  const char *text;      /* the summary's */
  TextUnits units;       /* owned */
  unsigned char *is_cut; /* owned: of each unit */
  size_t *skip;          /* owned: bytes at each unit's front that go */
  Grounds grounds;       /* owned: the source's */
  int names;             /* a capital makes a name */
} Mending;

/* 1 if a sentence that tells how it was has a third of its words from the source. */
static int is_grounded(const Mending *m, const char *p, size_t n) {
  int n_words, n_found;
  grounds_count(&m->grounds, p, n, &n_words, &n_found);
  return 3 * n_found >= n_words;
}

/* Cuts what has numbers, names or words that are the source's not; enters what is to be compared with its sentences. */
static void judge_unit(Mending *m, OrderCheck *c, size_t i) {
  const TextUnit *x = &m->units.at[i];
  int is_system = 0;
  m->skip[i] = skip_speaker(m->text + x->from, x->n, &is_system);
  const char *p = m->text + x->from + m->skip[i];
  size_t n = x->n - m->skip[i];
  SentenceKind kind = kind_of(p, n, x->flags);
  int is_new = is_system || x->flags & (UNIT_TAG_OPEN | UNIT_TAG_CLOSE) ||
               !grounds_has_facts(&m->grounds, p, n, m->names);
  m->is_cut[i] = is_new || kind != REPORT || !is_grounded(m, p, n);
  if (!is_new && kind != REPORT && c->n < MOST_ORDERS) {
    add_order(c, i, kind, p, n);
  }
}

/* Marks the sentences of a summary that order something new, or say what is not in the source. */
static int mark_new(Mending *m, const char *source, size_t n_source, Err *err) {
  OrderCheck *c = calloc(1, sizeof *c);
  TextUnits of = {.n = 0};
  if (!c) {
    return err_nomem(err);
  }
  for (size_t i = 0; i < m->units.n; i++) {
    judge_unit(m, c, i);
  }
  if (c->n && units_find(source, n_source, &of, err) == RC_OK) {
    for (size_t i = 0; i < of.n; i++) {
      compare(c, i + 1, source, &of.at[i]);
    }
    for (int i = 0; i < c->n; i++) {
      m->is_cut[c->unit[i]] = (unsigned char)!c->is_said[i];
    }
  }
  units_free(&of);
  free(c);
  return err->rc;
}

/* The units that are not cut, with what stands between them. */
static char *join_units(const Mending *m, size_t *n_out, Err *err) {
  Buf b;
  size_t last = 0; /* the end of the unit before */
  buf_init(&b, LIMIT_REQUEST_BYTES);
  for (size_t i = 0; i < m->units.n; i++) {
    const TextUnit *x = &m->units.at[i];
    if (!m->is_cut[i]) {
      buf_add(&b, m->text + last, b.n ? x->from - last : 0);
      buf_add(&b, m->text + x->from + m->skip[i], x->n - m->skip[i]);
    }
    last = x->from + x->n;
  }
  *n_out = b.n;
  char *out = buf_take(&b);
  if (!out) {
    err_nomem(err);
  }
  return out;
}

char *orders_mend(const char *summary, size_t n, const char *source, size_t n_source, size_t *n_out,
                  size_t *n_cut, Err *err) {
  Mending m = {.text = summary, .names = !grounds_has_capital_nouns(summary, n)};
  char *out = NULL;
  *n_cut = *n_out = 0;
  if (units_find(summary, n, &m.units, err) == RC_OK) {
    m.is_cut = calloc(m.units.n + 1, 1);
    m.skip = calloc(m.units.n + 1, sizeof *m.skip);
  }
  if (!m.is_cut || !m.skip) {
    err_nomem(err);
  } else if (grounds_read(source, n_source, &m.grounds, err) == RC_OK &&
             mark_new(&m, source, n_source, err) == RC_OK) {
    out = join_units(&m, n_out, err);
  }
  for (size_t i = 0; m.is_cut && i < m.units.n; i++) {
    *n_cut += m.is_cut[i] && !(m.units.at[i].flags & UNIT_LABEL); /* no heading, no marker */
  }
  grounds_free(&m.grounds);
  free(m.is_cut);
  free(m.skip);
  units_free(&m.units);
  return out;
}
