/*
** Which messages of a user's hold a standing order (orders_force in orders.h), and how sure that is. A wide net: a message that stays in vain
** costs its tokens. What is caught by it and does not begin as an order does is in doubt: turns_kept.c keeps as many of these as there is
** room for.
*/
#include "work/prune/order_words.h"
#include "work/prune/orders.h"

#include "core/split/units.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* ---- what a user orders: a wide net */

/* Where words of a list stand in a sentence, as wholes. */
static int has_word(const char *const *words, const char *p, size_t n) {
  int has = 0;
  for (size_t i = 0; i < n && !has; i++) {
    int is_begin = i == 0 || strchr(" ,;:.!?'\"(*_\n\t", p[i - 1]);
    for (int k = 0; words[k] && is_begin && !has; k++) {
      has = order_is_word(p + i, words[k], p + n);
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
    is_self |= order_is_word(p, selves[i], p + n);
  }
  int is_short = count_words(p, n) <= FEW;
  return (has_word(nevers, p, n) && (!is_self || order_has_phrase(known, p, n, 1))) ||
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
      has =
          strncasecmp(p + i, bounds[b], k) == 0 && (i == 0 || p[i - 1] == ' ') &&
          (isdigit((unsigned char)p[i + k]) || order_has_phrase(numbers, p + i + k, n - i - k, 1));
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
    is_state |= order_is_word(p + k, states[i], p + n);
  }
  return !is_state && (k > 0 || has_word(wishes, p, n));
}

/* 1 for a request in the form of a question: "Could you please not call me?" */
static int is_request(const char *p, size_t n, unsigned flags) {
  static const char *const fronts[] = {
      "can you",    "could you",   "would you", "will you",    "kannst du",   "könntest du",
      "können sie", "könnten sie", "peux-tu",   "pourrais-tu", "pouvez-vous", "pourriez-vous",
      "puedes",     "podrías",     "puede",     "puoi",        NULL};
  return flags & UNIT_ORDER && order_has_phrase(fronts, p, n, 1);
}

static int is_standing(const char *p, size_t n, unsigned flags) {
  static const char *const polite[] = {"no problem", "no worries", "not at all", NULL};
  static const char *const unknown[] = {
      "no funciona", "no me funciona", "non funziona", "não funciona",
      "no lo sé",    "no sé",          "non lo so",    "non so",
      "não sei",     "no idea",        "keine ahnung", "aucune idée",
      NULL};
  if (order_has_phrase(unknown, p, n, 1)) {
    return 0;
  }
  if (n > 0 && p[n - 1] == '?') {
    return is_request(p, n, flags);
  }
  return order_is_told(p, n, flags) || order_has_phrase(holds, p, n, 0) ||
         order_has_phrase(ways, p, n, 1) || (has_bound(p, n) && !order_is_remark(p, n)) ||
         is_foreign_order(p, n) ||
         (flags & UNIT_ORDER && is_wish(p, n) && !order_has_phrase(polite, p, n, 0));
}

/* ---- how sure that is */

/* Words of negation, of bounds and of waiting, by language. */
static const char forces[] =
    " "
    "not never nooit niet geen alleen uitsluitend maximaal hoogstens wacht eerst altijd "
    "zonder nigdy nie żadnych żaden żadne tylko wyłącznie najwyżej maksymalnie poczekaj "
    "czekaj najpierw zawsze zakaz bez wstrzymaj никогда не нельзя никаких только "
    "исключительно максимум подожди жди сначала всегда запрещено без Никогда Не Нельзя "
    "Никаких Только Исключительно Максимум Подожди Жди Сначала Всегда Запрещено Без "
    "ніколи жодних тільки лише зачекай спочатку завжди заборонено Ніколи Жодних Тільки "
    "Лише Зачекай Спочатку Завжди Заборонено asla sakın hiçbir sadece yalnızca bekle önce "
    "daima yasak olmadan arama yapma gönderme yazma silme đừng không chỉ đợi hỏi luôn cấm "
    "Đừng Không Chỉ Đợi Hỏi Luôn Cấm jangan dilarang hanya maksimal tunggu tanya selalu "
    "tanpa aldrig aldri inte ikke inga ingen bara endast kun högst høyst højst max maks "
    "vänta vent fråga spør spørg alltid altid förbjudet forbudt utan uten uden älä älkää "
    "ei vain enintään odota kysy aina ilman kielletty Älä Älkää nikdy žádné žádný jen "
    "pouze nejvýše maximálně počkej nejdřív vždy zákaz nevolej neposílej nepiš Žádné soha "
    "ne csak legfeljebb várj előbb mindig tilos nélkül ποτέ μην μόνο περίμενε ρώτα πάντα "
    "απαγορεύεται χωρίς Ποτέ Μην Μόνο Περίμενε Ρώτα Πάντα Απαγορεύεται Χωρίς niciodată "
    "doar așteaptă întreabă mereu interzis fără لا ممنوع فقط انتظر اسأل بدون حتى אל לעולם "
    "אסור רק חכה שאל תשאל תמיד בלי मत नहीं न केवल सिर्फ़ सिर्फ हमेशा बिना रुको मना kein "
    "keine keinen nichts verbiete verzichte nur höchstens maximal erst immer ohne warte "
    "jamais uniquement seulement maximum attends attendez toujours sans aucun aucune "
    "nunca nada sin ningún ninguna solo sólo únicamente máximo espera espere siempre como "
    "mai niente nessun nessuna senza soltanto massimo aspetta sempre vietato sem nenhum "
    "nenhuma só somente apenas proibido hold pause cease halt cap capped important must "
    "wait only minimum confidential secret agreed rule budget policy nothing ";

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

/* 1 if a word of a sentence is one of a list: words apart by blanks, in small letters. */
static int has_listed(const char *list, const char *p, size_t n) {
  enum { MOST = 40 };
  static const char ends[] = " ,;:.!?'\"*_()\n\t";
  char word[MOST + 3];
  for (size_t from = 0, to; from < n; from = to + 1) {
    for (to = from; to < n && !strchr(ends, p[to]); to++) {
    }
    size_t k = to - from;
    if (k > 0 && k <= MOST) {
      word[0] = word[k + 1] = ' ';
      word[k + 2] = 0;
      for (size_t i = 0; i < k; i++) {
        word[i + 1] =
            (char)(p[from + i] & 0x80 ? p[from + i] : tolower((unsigned char)p[from + i]));
      }
      if (strstr(list, word)) {
        return 1;
      }
    }
  }
  return 0;
}

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
  int is_self = order_is_remark(p, n), asks = n > 0 && p[n - 1] == '?';
  for (int i = 0; remarks[i] && !is_self; i++) {
    is_self = order_is_word(p, remarks[i], p + n);
  }
  static const char *const forbids[] = {"i forbid", "verbiete", "interdis", "prohíbo", "prohibo",
                                        "vieto ",   "proíbo",   "запрещаю", NULL};
  if (order_has_phrase(nothing, p, n, 1)) {
    return 0;
  }
  if (!asks && order_has_phrase(forbids, p, n, 0)) {
    return 1;
  }
  if (asks || is_self) {
    return flags & UNIT_ORDER &&
           (order_has_phrase(asides, p, n, 0) || (!asks && order_has_phrase(laid_down, p, n, 0)));
  }
  return has_listed(forces, p, n) || order_has_phrase(force_phrases, p, n, 0);
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
  return order_has_phrase(sure_fronts, p + at, n - at, 1) ||
         (!order_is_remark(p, n) && order_has_phrase(sure_within, p, n, 0));
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
