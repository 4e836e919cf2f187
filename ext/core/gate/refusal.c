/*
** Refusals, abstentions and hedges.
**
** A word list is not enough: "Sorry about the delay, here is your label", a ferryman who says that he can't, a board that is
** unable to change a statute and code that raises RefusalError are good answers (promptfoo issue 9756). So it is asked who
** speaks, where, and of what: the first person, in the first or the last sentence of the prose (prose.h), is unable or
** unwilling, and it is helping, answering or making what was asked for. Apologies alone are none; nor are questions,
** conditions, reported speech, lines of a role, letters, and "I can't do X, but here is Y".
**
** What the prompt asks to be said where there is no answer is no refusal either (rocketride-server pull 2084).
*/
#include "core/gate/checks.h"
#include "core/gate/prose.h"
#include "core/route/fold.h"

#include <string.h>

enum {
  SENTENCE = 600,   /* bytes of a sentence that are looked at */
  NEAR = 56,        /* bytes from "I can't" to the verb of what can't be done */
  REACH = 120,      /* and to what negates it */
  ABSTENTION = 400, /* bytes of an answer that may be an abstention that was asked for */
  INSTRUCTION =
      65536, /* bytes of a prompt, from its front and its end, that are searched for such a wish */
  SHORT = 400,    /* bytes of an answer of which every sentence is looked at */
  LONG_REST = 300 /* bytes of an answer that goes on behind "I can't, but ..." */
};

typedef struct Language {
  const char *cannot; /* first person and negated */
  const char *can;    /* first person; negated by what follows */
  const char *negation;
  const char *apology;
  const char *help;    /* what only an assistant does not do */
  const char *doing;   /* what, with an apology, is a refusal too */
  const char *bare;    /* without "I": at the begin, or behind an apology */
  const char *decline; /* a refusal alone */
  const char *here;    /* the same sentence goes on with help */
  const char *though;  /* or says that it does */
  int is_anywhere;     /* the verb may stand before it, or far behind */
} Language;

static const Language LANGUAGES[] = {
    {.cannot =
         "i can't|i cannot|i can not|i cant|i am unable to|i'm unable to|i am not able to|i'm not "
         "able to|"
         "i won't|i will not|i am not allowed to|i'm not allowed to|i'm not permitted to|"
         "i am not permitted to|i am not going to|i'm not going to|i do not have the ability|"
         "i don't have the ability|i'm not comfortable|i am not comfortable|i don't feel "
         "comfortable|"
         "i am not programmed to|i'm not programmed to|i am not designed to|i'm not designed to|"
         "i can neither|i'm really not able to|i'm currently unable to|i am currently unable to|"
         "i shouldn't|i should not|i really can't|i really cannot|i simply can't|i simply cannot|"
         "i just can't|i unfortunately can't|i unfortunately cannot|i therefore can't|"
         "i therefore cannot|i currently can't|i currently cannot|i would not be able to|"
         "i wouldn't be able to|i do not feel comfortable|i don't think i can|"
         "i do not think i can",
     .bare =
         "can't help|cannot help|can't assist|cannot assist|can't do that|cannot do that|can't "
         "comply|"
         "cannot comply|unable to help|unable to assist|unable to comply|won't help|won't do that",
     .apology = "sorry|apologize|apologise|apologies|unfortunately|afraid|regret|regrettably|as an "
                "ai|as an ai language model|as an ai assistant|"
                "as a language model|as a large language model",
     .help =
         "help you|help with|help there|help on this|help in|help|assist|assisting|helping|comply|"
         "complying|fulfill|fulfil|do that|do this|do so|answer that|answer this|answer your|"
         "answer the question|answer questions|answer|engage in|engage with|participate in|"
         "discuss that|discuss this|your request|this request|that request|such requests|"
         "provide information|provide that|provide this|provide you|provide any|provide guidance|"
         "provide instructions|provide advice|provide assistance|provide medical|provide legal|"
         "provide financial|provide a|provide|providing|generate|create content|creating content|"
         "produce content|this topic|that topic|such content|that kind of|this kind of|support "
         "that|writing|answering|discussing|generating|sharing|doing that|doing this",
     .doing = "do|write|create|share|give|continue|make|tell|produce|translate|summarize|summarise|"
              "access|open|view|see|browse|find|identify|recommend|advise|say|talk|speak|predict|"
              "process|perform|show|teach|explain|describe|draft|compose|develop|design|code|send|"
              "discuss|offer|complete|support|respond|proceed|determine|analyze|analyse|read|"
              "cannot|can't|confirm|endorse|handle|carry out|reveal|disclose",
     .decline =
         "i have to respectfully decline|i must respectfully decline|i will have to decline|"
         "not something i can|isn't something i can|not something i'm able|"
         "isn't something i'm able|not something i am able|i'm just an ai|i am just an ai|"
         "i'm only an ai|i am only an ai|my guidelines prevent|my programming prevents|"
         "against my policy|against my policies|i must decline|i have to decline|i'll have to "
         "decline|i need to decline|i must refuse|"
         "i refuse to help|i refuse to answer|i refuse to assist|i decline to|i respectfully "
         "decline|"
         "goes against my|go against my|against my guidelines|against my programming|"
         "violates my|i'd rather not|i would rather not|i'd prefer not to|"
         "as an ai, i can't|as an ai, i cannot|as an ai language model, i can't|"
         "as an ai language model, i cannot|as an ai language model, i don't|"
         "as an ai language model, i do not|as an ai assistant, i can't|as an ai assistant, i "
         "cannot|"
         "as an ai, i don't|as an ai, i do not|as a language model, i can't|"
         "as a language model, i cannot|as a large language model, i can't|"
         "as a large language model, i cannot|i don't have access to|i do not have access to|"
         "i don't have enough information|i do not have enough information|"
         "i don't have any information|i do not have any information|i don't have information|"
         "i do not have information|i don't know the answer|i do not know the answer|"
         "i have no information|my guidelines don't allow|my guidelines do not allow",
     .here = "but here|but below|but try|here is|here's|here are|however, here|instead, here",
     .though = "but i can|but you can|but let me|but i'd|but i could|however, i can|but we can"},
    {.cannot =
         "ich bin nicht in der lage|bin ich nicht in der lage|ich bin leider nicht in der lage|"
         "ich bin nicht befugt|es ist mir nicht möglich|ist es mir nicht möglich|"
         "ist mir nicht möglich|ist mir leider nicht möglich|es ist mir leider nicht möglich",
     .can = "ich kann|kann ich|ich darf|darf ich|ich werde|werde ich|ich möchte|ich könnte",
     .negation = "nicht|kein~|nichts",
     .apology = "tut mir leid|tut mir sehr leid|leider|entschuldig~|bedauere|bedaure|verzeihung|"
                "bedauerlicherweise|als ki|als ki-modell|als sprachmodell|als ki-sprachmodell",
     .help = "helfen|weiterhelfen|behilflich|unterstützen|beantworten|antworten|nachkommen|"
             "entsprechen|anfrage|bitte nicht erfüllen|weiterhelf~|hilfe leisten|dienen|auskunft",
     .doing =
         "erstellen|schreiben|bereitstellen|liefern|erfüllen|geben|durchführen|übernehmen|machen|"
         "generieren|teilen|tun|sagen|nennen|erklären|übersetzen|zusammenfassen|verfassen|anbieten|"
         "ausführen|bearbeiten|zugreifen|öffnen|finden|beurteilen|fortfahren|diskutieren|nicht",
     .decline = "ich muss ablehnen|muss ich ablehnen|ich lehne ab|ich muss das ablehnen|das muss "
                "ich ablehnen|"
                "muss ich leider ablehnen|ich weigere mich|"
                "verstößt gegen meine|ich habe keinen zugriff|"
                "ich habe keine informationen|ich habe leider keinen zugriff",
     .here = "aber hier|hier ist|hier sind|aber unten",
     .though = "aber ich kann|aber du kannst|aber sie können|ich kann aber|ich kann jedoch",
     .is_anywhere = 1},
    {.cannot =
         "je suis incapable|je ne suis pas en mesure|je ne suis malheureusement pas en mesure|"
         "il m'est impossible|je ne suis pas autorisé~|je ne suis pas capable|je ne peux pas|"
         "je ne peux malheureusement pas|je ne peux pas vous|je ne puis",
     .can = "je ne peux|je ne pourrai|je ne vais|je ne saurais",
     .negation = "pas|rien|aucun~",
     .apology = "désolé~|regrette|malheureusement|m'excuse|excuse~|pardon|navré~|hélas",
     .help =
         "aider|vous aider|t'aider|assister|répondre|satisfaire|accéder à cette|accéder à votre|"
         "donner suite|cette demande|votre demande|faire cela|ce type de",
     .doing =
         "fournir|donner|créer|générer|écrire|rédiger|traiter|effectuer|discuter|partager|faire|"
         "dire|traduire|résumer|expliquer|proposer|continuer|accéder|ouvrir|trouver|réaliser|pas",
     .decline =
         "je préfère ne pas|je dois refuser|je dois décliner|je refuse de répondre|je refuse de|"
         "en tant qu'ia, je ne|en tant que modèle de langage, je ne|"
         "en tant qu'intelligence artificielle, je ne|en tant qu'assistant ia, je ne|"
         "je n'ai pas accès|je n'ai pas d'informations|je n'ai pas d'information|"
         "contraire à mes",
     .here = "mais voici|voici|mais voilà",
     .though = "mais je peux|mais vous pouvez|mais tu peux"},
    {.cannot =
         "no puedo|no me es posible|no estoy en condiciones|no soy capaz|no estoy autorizad~|"
         "no podré|no tengo permiso|no tengo permitido|no me está permitido|no estoy en capacidad",
     .apology = "lo siento|lamento|lamentablemente|disculp~|perdón|perdona|perdone|por desgracia|"
                "desafortunadamente|me temo",
     .help = "ayudar~|asistir~|responder~|cumplir|hacer eso|hacer esto|tu solicitud|su solicitud|"
             "esa solicitud|esta solicitud|tu petición|su petición|esa petición|ese tipo de|"
             "este tipo de",
     .doing =
         "proporcionar~|generar|crear|ofrecer~|brindar~|facilitar~|continuar|realizar|escribir|"
         "dar~|compartir|hacer~|decir~|traducir|resumir|explicar|acceder|abrir|encontrar|hablar|"
         "redactar|no puedo",
     .decline = "debo rechazar|debo declinar|tengo que rechazar|tengo que declinar|me niego a|"
                "como ia, no|como modelo de lenguaje, no|como inteligencia artificial, no|"
                "como asistente de ia, no|no tengo acceso|no tengo información|"
                "no dispongo de información|va en contra de mis",
     .here = "pero aquí|aquí tienes|aquí tiene|aquí está",
     .though = "pero puedo|pero sí puedo|pero puedes|pero puede"},
    {.cannot = "non posso|non sono in grado|non mi è possibile|non riesco|non potrò|"
               "non sono autorizzat~|non mi è consentito|non ho il permesso",
     .apology = "mi dispiace|spiacente|purtroppo|mi scuso|scusa|scusami|scusi|sono desolat~",
     .help =
         "aiutar~|assister~|risponder~|soddisfare|farlo|fare questo|tua richiesta|sua richiesta|"
         "questa richiesta|questo tipo di",
     .doing =
         "fornir~|generar~|creare|scriver~|dare|darti|darle|condivider~|proceder~|continuare|fare|"
         "dire|dirti|tradurre|riassumere|spiegare|offrir~|accedere|aprire|trovare|eseguire|"
         "non posso",
     .decline =
         "devo rifiutare|devo declinare|mi rifiuto di|come ia, non|come modello linguistico, non|"
         "come intelligenza artificiale, non|come assistente ia, non|non ho accesso|"
         "non ho informazioni|va contro le mie",
     .here = "ma ecco|ecco",
     .though = "ma posso|ma puoi|ma può|però posso"},
    {.cannot =
         "não posso|não consigo|não sou capaz|não estou autorizad~|não me é possível|não poderei|"
         "não me é permitido|não tenho permissão|não tenho autorização|não estou apto",
     .apology = "desculp~|lamento|sinto muito|infelizmente|perdão|peço desculpa|peço desculpas",
     .help = "ajudar|ajudá~|auxiliar|auxiliá~|responder|atender|cumprir|fazer isso|seu pedido|"
             "sua solicitação|essa solicitação|esse pedido|este pedido|esse tipo de|este tipo de",
     .doing =
         "fornecer|gerar|criar|oferecer|escrever|prosseguir|continuar|dar|compartilhar|partilhar|"
         "fazer|dizer|traduzir|resumir|explicar|acessar|aceder|abrir|encontrar|realizar|não posso",
     .decline =
         "devo recusar|tenho que recusar|preciso recusar|me recuso a|recuso-me a|como ia, não|"
         "como modelo de linguagem, não|como inteligência artificial, não|"
         "como assistente de ia, não|não tenho acesso|não tenho informações|"
         "vai contra as minhas",
     .here = "mas aqui|aqui está|aqui estão",
     .though = "mas posso|mas você pode|mas podes"},
    {.cannot = "het is mij niet mogelijk|het is me niet mogelijk",
     .can = "ik kan|kan ik|ik mag|mag ik|ik zal|ik ben",
     .negation = "niet|geen|niets",
     .apology = "sorry|spijt me|helaas|excuses|excuseer|als ai|als taalmodel",
     .help = "helpen|van dienst|beantwoorden|assisteren|voldoen|verzoek|in staat",
     .doing = "geven|maken|schrijven|doen|verstrekken|delen|genereren|zeggen|uitvoeren|niet",
     .decline = "ik moet weigeren|ik weiger|ik heb geen toegang",
     .here = "maar hier|hier is|hier zijn",
     .though = "maar ik kan|maar u kunt|maar je kunt",
     .is_anywhere = 1},
    {.cannot = "nie mogę|nie jestem w stanie|nie potrafię|nie będę w stanie|nie wolno mi",
     .apology = "przepraszam|przykro mi|niestety|wybacz|jako ai|jako model językowy",
     .help = "pomóc|pomagać|odpowiedzieć|spełnić|zrealizować|tej prośby|tę prośbę",
     .doing = "podać|napisać|zrobić|udostępnić|wygenerować|udzielić|stworzyć|nie mogę",
     .decline = "muszę odmówić|odmawiam|nie mam dostępu",
     .here = "ale oto|oto",
     .though = "ale mogę|ale możesz"},
    {.cannot = "я не могу|не могу|я не в состоянии|не смогу|я не имею возможности|не имею права|"
               "я не имею права",
     .apology = "извините|извини|простите|прости|к сожалению|сожалею|прошу прощения",
     .help =
         "помочь|помогать|ответить|отвечать|выполнить эт~|выполнить ваш~|ваш запрос|этот запрос|"
         "вашу просьбу|эту просьбу|обсуждать эту тему|обсуждать данную тему|обсуждать это",
     .doing = "предоставить|выполнить|создать|написать|обсуждать|продолжить|сделать|дать|сказать|"
              "перевести|объяснить|рассказать|поделиться|не могу",
     .decline = "вынужден отказать~|я должен отказать~|я отказываюсь|как языковая модель|"
                "у меня нет доступа|у меня нет информации|как ии, я не",
     .here = "но вот|вот",
     .though = "но могу|но я могу|но вы можете|но ты можешь"},
    {.cannot = "我不能|我无法|我無法|我没有办法|我没办法|我不可以|无法为您|无法为你|不能为您|"
               "不能为你|抱歉，无法|抱歉，不能|"
               "抱歉,无法|对不起，无法|無法為您",
     .apology = "抱歉|对不起|對不起|很遗憾|不好意思|遗憾",
     .help = "帮助|帮您|帮你|幫您|協助|协助|回答|满足|您的请求|你的请求|这个请求|该请求",
     .doing = "提供|完成|生成|撰写|继续|讨论|做|写|执行|透露|分享|给出|翻译|处理",
     .decline = "作为ai|作为一个ai|作为人工智能|作为一个人工智能|作为语言模型|我拒绝|我没有访问|"
                "我没有相关信息",
     .here = "但这里|以下是|下面是",
     .though = "但我可以|但是我可以|但您可以|不过我可以"},
    {.cannot = "できません|出来ません|致しかねます|いたしかねます|できかねます|かねます|できない",
     .apology = "申し訳|すみません|ごめんなさい|残念ながら|恐れ入りますが|恐縮ですが",
     .help = "お手伝い|お答え|お応え|ご要望|ご依頼|ご質問",
     .doing = "提供|対応|生成|作成|支援|サポート|回答|実行|お伝え|案内|アクセス|翻訳|説明",
     .decline = "お断りします|お断りいたします|aiとして|言語モデルとして",
     .here = "以下に|代わりに、以下|こちらが",
     .though = "ことはできます|ことならできます",
     .is_anywhere = 1},
};

/* Who says it where the sentence tells of somebody else. */
static const char REPORTED[] =
    "said|says|replied|replies|told|whispered|shouted|muttered|wrote|cried|sighed|he answered|"
    "she answered|they answered|answered the|sagte|sagt|antwortete|erwiderte|meinte|rief|flüsterte|"
    "seufzte|dit-il|dit-elle|a dit|a "
    "répondu|répondit|murmura|dijo|respondió|contestó|murmuró|disse|"
    "rispose|ha detto|respondeu|falou|сказал~|ответил~|他说|她说|说道|と言|と答え|と述べ";
static const char REPORTED_BY_ONESELF[] =
    "i said|i told|i wrote|i replied|as said|you told|you said|"
    "you wrote|that said|ich sagte|gesagt sagt|having said";
/* Sentences in which "I can't" is no answer: conditions, and letters. */
static const char CONDITIONS[] = "if|when|whenever|unless|why|wenn|falls|warum|si|quand|pourquoi|"
                                 "cuando|se|quando|если|когда|почему|如果|もし";
static const char SALUTATIONS[] =
    "dear|sehr geehrte~|liebe|lieber|cher|chère|chers|estimad~|querid~|"
    "gentile|caro|cara|prezad~|car~|уважаем~|дорог~|尊敬的|亲爱的|拝啓";
static const char IDIOMS[] =
    "help but|help it|help myself|help feeling|help thinking|help noticing|help wondering|"
    "help smiling|help laughing|help falling|help loving|enough|tell you how|say how|"
    "wait to|not only|nicht nur|non solo|non seulement|no sólo|não só|provide for my|provide for "
    "them|help wanting|help looking";
/* Labels of lines that the model speaks itself. */
static const char OWN_LABELS[] = "assistant|ai|answer|response|reply|chatbot|bot|antwort|assistent|"
                                 "réponse|respuesta|risposta|resposta|ответ|note|sorry|hinweis";

static int holds(const GateText *s, const char *phrases) {
  size_t end;
  return phrases && prose_find(s, 0, phrases, &end) >= 0;
}

static int begins_with(const GateText *s, const char *phrases) {
  size_t end;
  return prose_find(s, 0, phrases, &end) == 0;
}

/* "Ferryman: I can't": a line of a role, or of a form. */
static int is_of_role(const GateText *s, size_t at) {
  const char *colon = memchr(s->text, ':', at);
  GateText label = {s->text, colon ? (size_t)(colon - s->text) : 0};
  return colon && label.n < 40 && !holds(&label, OWN_LABELS);
}

/* 1 if the sentence, in which "I can't" stands at byte `at`, is said by somebody else or under a condition. */
static int is_not_said(const GateText *s, size_t at) {
  int is_reported = holds(s, REPORTED) && !holds(s, REPORTED_BY_ONESELF);
  int is_question = s->n > 0 && s->text[s->n - 1] == '?';
  return is_reported || is_question || begins_with(s, CONDITIONS) || begins_with(s, SALUTATIONS) ||
         holds(s, IDIOMS) || is_of_role(s, at);
}

/* Where the sentence says that the speaker can't, and *end behind that; -1. */
static long cannot_at(const Language *l, const GateText *s, size_t *end) {
  long at = prose_find(s, 0, l->cannot, end);
  long can = at < 0 && l->can ? prose_find(s, 0, l->can, end) : -1;
  if (can < 0) {
    return at;
  }
  GateText rest = {s->text, s->n < *end + REACH ? s->n : *end + REACH};
  size_t behind;
  return prose_find(&rest, *end, l->negation, &behind) >= 0 ? can : -1;
}

static int goes_on_with_help(const Language *l, const GateText *s, size_t from, size_t rest) {
  size_t end;
  return prose_find(s, from, l->here, &end) >= 0 ||
         (rest > LONG_REST && prose_find(s, from, l->though, &end) >= 0);
}

typedef struct Said {
  GateText sentence, before; /* and the sentence before it, or none */
  size_t rest;               /* bytes of the answer behind it */
} Said;

/* 1 if what the speaker can't, as stands from byte `at` to `end` of the sentence, is what was asked for. */
static int is_of_task(const Language *l, const Said *said, size_t at, size_t end) {
  const GateText *s = &said->sentence;
  size_t from = end < at + 12 ? at : end - 12,
         unused; /* its last words count, too: "unable to help" */
  GateText near = {s->text, l->is_anywhere || s->n < end + NEAR ? s->n : end + NEAR};
  from = l->is_anywhere ? 0 : from;
  if (prose_find(&near, from, l->help, &unused) >= 0) {
    return 1;
  }
  int is_bare = s->n <= end + 2; /* "I'm sorry, but I can't." */
  return (holds(s, l->apology) || holds(&said->before, l->apology)) &&
         (is_bare || prose_find(&near, from, l->doing, &unused) >= 0);
}

/* "Sorry, can't help with that." */
static long bare_at(const Language *l, const GateText *s, size_t *end) {
  long at = l->bare ? prose_find(s, 0, l->bare, end) : -1;
  GateText before = {s->text, at > 0 ? (size_t)at : 0};
  return at == 0 || (at > 0 && at < 30 && holds(&before, l->apology)) ? at : -1;
}

static int refuses_in(const Language *l, const Said *said) {
  const GateText *s = &said->sentence;
  size_t end = 0;
  long at = prose_find(s, 0, l->decline, &end);
  at = at < 0 ? bare_at(l, s, &end) : at;
  int declines = at >= 0;
  if (!declines) {
    at = cannot_at(l, s, &end);
  }
  return at >= 0 && (declines || is_of_task(l, said, (size_t)at, end)) &&
         !is_not_said(s, (size_t)at) && !goes_on_with_help(l, s, end, said->rest);
}

static int refuses(const Said *said) {
  Said s = *said;
  s.sentence.n = s.sentence.n < SENTENCE ? s.sentence.n : SENTENCE;
  s.before.n = s.before.n < SENTENCE ? s.before.n : SENTENCE;
  for (size_t i = 0; i < sizeof LANGUAGES / sizeof *LANGUAGES; i++) {
    if (refuses_in(&LANGUAGES[i], &s)) {
      return 1;
    }
  }
  return 0;
}

/* The sentence of some prose that refuses: the first or the last one; of a short answer any. */
static int find_refusal(const char *text, size_t n, GateText *found) {
  Said said = {{NULL, 0}, {"", 0}, 0};
  size_t at = 0;
  int count = 0;
  while ((count == 0 || at < SHORT) && prose_sentence(text, n, &at, &said.sentence)) {
    said.rest = n - at;
    if ((count++ == 0 || n <= SHORT) && refuses(&said)) {
      *found = said.sentence;
      return 1;
    }
    said.before = said.sentence;
  }
  said = (Said){{NULL, 0}, {"", 0}, 0};
  *found = (GateText){"", 0};
  if (prose_last(text, n, &said.sentence)) {
    *found = said.sentence;
  }
  return found->n > 0 && refuses(&said);
}

/* ---- abstentions that were asked for */

static const char ASKED_IF[] =
    "if|when|unless|otherwise|in case|whenever|where|wenn|falls|sonst|andernfalls|ansonsten|sofern|"
    "si|sinon|sauf si|se|altrimenti|qualora|caso|senão|de lo contrario|en caso|cuando|quando|"
    "если|иначе|如果|若|否则|場合|なければ|ないときは|ない時";
static const char ASKED_TO_SAY[] =
    "answer|say|reply|respond|return|write|output|state|print|give|use|put|tell|admit|antworte~|"
    "schreib~|sag~|gib|gebe|ausgeben|réponds|répondez|répondre|écris|écrivez|dis|dites|dis-le|"
    "dites-le|indique~|responde~|responda~|di|dilo|diga|dígalo|escribe|escriba|indica~|rispondi~|"
    "scrivi~|dillo|dica|escreva|ответь~|напиши~|скажи~|верни~|输出|返回|写|说|回答|答え|出力|書い|"
    "返し";
static const char ASKED_FREELY[] =
    "say so|tell me|let me know|admit|state that|abstain|say that|say you|sag es|sage es|sag das|"
    "dis-le|dites-le|dilo|dígalo|dillo|lo dica|diga que|diga isso|скажи об этом|так и скажи|"
    "说明|说不知道|言って|伝えて|その旨";
static const char KNOWING[] = "don't know|do not know|not sure|unknown|unsure|nicht weißt|nicht "
                              "wissen|weiß nicht|weißt du nicht|"
                              "es nicht weißt|nicht sicher|ne sais pas|ne savez pas|ne sait pas|no "
                              "sabes|no sabe|no lo sabes|no sé|"
                              "non sai|non sa|non lo sai|non so|não sabe|não sabes|não sei|не "
                              "знаешь|не знаете|не знаю|不知道|"
                              "わからない|分からない|わかりません|分かりません";
static const char DOES_NOT_KNOW[] =
    "i don't know|i do not know|i'm not sure|i am not sure|don't know|do not know|weiß ich nicht|"
    "ich weiß es nicht|ich weiß nicht|weiß nicht|je ne sais pas|no lo sé|no sé|non lo so|non so|"
    "não sei|не знаю|我不知道|不知道|わかりません|分かりません";
static const char NOT_THERE[] =
    "can't find|cannot find|couldn't find|could not find|can't answer|cannot answer|can't tell|"
    "cannot tell|can't determine|cannot determine|unable to find|unable to determine|"
    "unable to answer|not able to find|not able to answer|enough information|does not say|"
    "doesn't say|not mentioned|does not mention|doesn't mention|does not contain|doesn't contain|"
    "is not stated|not provided|nicht finden|nicht beantworten|nicht enthalten|nicht erwähnt|"
    "nicht genug informationen|pas trouver|pas répondre|pas mentionné~|no puedo encontrar|"
    "no encuentro|no se menciona|non trovo|non è menzionat~|não encontro|não é mencionad~|"
    "не могу найти|не указан~|не упомина~|找不到|没有提到|見つかりません|記載され";

/* Without blanks and marks at the ends. */
static GateText bare(const char *text, size_t n) {
  static const char marks[] = " \n\t\r\"'`*_.!()[]{}<>";
  while (n > 0 && strchr(marks, *text)) {
    text++;
    n--;
  }
  while (n > 0 && strchr(marks, text[n - 1])) {
    n--;
  }
  return (GateText){text, n};
}

/* 1 if the answer is the words that were asked for, or begins with them and ends soon, without a number. */
static int is_wording(const char *words, size_t n, const GateText *answer) {
  char folded[256];
  GateText w = bare(words, n);
  size_t length = fold_copy(w.text, w.n, folded, sizeof folded);
  if (w.n < 2 || w.n > 80 || length > answer->n) {
    return 0;
  }
  int begins = memcmp(answer->text, folded, length) == 0 && answer->n - length <= 60;
  for (size_t i = length; i < answer->n && begins; i++) {
    begins = answer->text[i] < '0' || answer->text[i] > '9';
  }
  return begins;
}

static int is_capital(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '/';
}

/* The run of words in capitals at p. */
static size_t capitals(const char *p, const char *end) {
  size_t n = 0;
  while (p + n < end &&
         (is_capital(p[n]) || (n > 0 && p[n] == ' ' && p + n + 1 < end && is_capital(p[n + 1])))) {
    n++;
  }
  return n;
}

/* Looks in an instruction (as it was written) for wordings in quotes or capitals that the answer is. */
static int asks_for_wording(const GateText *asked, const GateText *answer) {
  const char *p = asked->text, *end = p + asked->n;
  char before = 0;
  while (p < end) {
    GateText inner;
    size_t quoted = prose_quotation(p, end, before, &inner);
    size_t in_capitals = is_capital(before) ? 0 : capitals(p, end);
    if ((quoted > 0 && is_wording(inner.text, inner.n, answer)) ||
        (in_capitals > 1 && is_wording(p, in_capitals, answer))) {
      return 1;
    }
    before = *p;
    p += in_capitals > 1 ? in_capitals : 1;
  }
  return 0;
}

/* 1 if a sentence asks to say what the answer says; both folded but for `asked`. */
static int asks_for(const GateText *asked, const GateText *folded, const GateText *answer) {
  if (!holds(folded, ASKED_IF) || !holds(folded, ASKED_TO_SAY)) {
    return 0;
  }
  if (asks_for_wording(asked, answer) || (holds(folded, KNOWING) && holds(answer, DOES_NOT_KNOW)) ||
      (holds(folded, ASKED_FREELY) && (holds(answer, NOT_THERE) || holds(answer, DOES_NOT_KNOW)))) {
    return 1;
  }
  const char *p = answer->n > 1 ? memmem(folded->text, folded->n, answer->text, answer->n) : NULL;
  return p != NULL;
}

/* Looks through the instructions of a text. */
static int asks_within(const char *text, size_t n, const GateText *answer, Err *err) {
  GateText sentence;
  size_t at = 0;
  int found = 0;
  while (!found && err->rc == RC_OK && prose_sentence(text, n, &at, &sentence)) {
    Buf folded;
    sentence.n = sentence.n < 2000 ? sentence.n : 2000;
    buf_init(&folded, sentence.n * 4 + 16);
    if (fold_text(sentence.text, sentence.n, &folded) == RC_NOMEM) {
      err_nomem(err);
    } else if (folded.n > 0) {
      found = asks_for(&sentence, &(GateText){folded.data, folded.n}, answer);
    }
    buf_free(&folded);
  }
  return found;
}

static int asks(const GateText *t, const GateText *answer, Err *err) {
  if (t->n <= 2 * (size_t)INSTRUCTION) {
    return asks_within(t->text, t->n, answer, err);
  }
  return asks_within(t->text, INSTRUCTION, answer, err) ||
         asks_within(t->text + t->n - INSTRUCTION, INSTRUCTION, answer, err);
}

int is_asked_abstention(const GateCase *c, Err *err) {
  GateText t = bare(c->answer.text, c->answer.n);
  Buf folded;
  int is = 0;
  if (t.n == 0 || t.n > ABSTENTION) {
    return 0;
  }
  buf_init(&folded, ABSTENTION * 4);
  if (fold_text(t.text, t.n, &folded) == RC_NOMEM) {
    err_nomem(err);
  } else if (folded.n > 0) {
    GateText answer = bare(folded.data, folded.n);
    is = asks(&c->prompt, &answer, err) || asks(&c->system, &answer, err);
  }
  buf_free(&folded);
  return is;
}

/* ---- the gates */

static int read_prose(const GateText *text, Buf *prose, Err *err) {
  buf_init(prose, text->n * 8 + 64);
  return prose_of(text, prose) == RC_OK ? RC_OK : err_nomem(err);
}

int check_refusal(const Gate *gate, const GateCase *c, GateVerdict *out, Err *err) {
  (void)gate;
  Buf prose;
  GateText found;
  if (read_prose(&c->answer, &prose, err) == RC_OK) {
    int is = prose.n > 0 && find_refusal(prose.data, prose.n, &found) &&
             !is_asked_abstention(c, err) && err->rc == RC_OK;
    if (is) {
      verdict_fail(out, 0, "it refuses: %.*s", (int)(found.n < 150 ? found.n : 150), found.text);
    } else {
      verdict_pass(out);
    }
  }
  buf_free(&prose);
  return err->rc;
}

static const char *const HEDGES[] = {
    "i'm not sure|i am not sure|i'm not certain|i am not certain|i'm unsure|i am unsure|i think|"
    "i believe|i guess|i suppose|i assume|i'm assuming|i am assuming|i would guess|i'd guess|"
    "i might be wrong|i may be wrong|i could be wrong|i may be mistaken|i might be mistaken|"
    "if i recall correctly|if i remember correctly|as far as i know|to my knowledge|"
    "to the best of my knowledge|i'm not entirely|i am not entirely|i'm not completely|"
    "it is unclear to me|it's unclear to me|i don't know|i do not know|it seems to me|i suspect|"
    "i can't be sure|i cannot be sure|i can't say for sure|i cannot say for sure|i made a mistake|"
    "let me reconsider|i'm afraid i",
    "ich bin mir nicht sicher|ich bin nicht sicher|bin ich mir nicht sicher|ich glaube|glaube ich|"
    "ich denke|ich vermute|ich nehme an|nehme ich an|soweit ich weiß|meines wissens|ich weiß nicht|"
    "wenn ich mich recht erinnere|wenn ich mich nicht irre",
    "je ne suis pas sûr~|je ne suis pas certain~|je crois|je pense|je suppose|il me semble|"
    "à ma connaissance|si je ne me trompe|sauf erreur de ma part|je ne sais pas",
    "no estoy segur~|creo que|pienso que|supongo|me parece|que yo sepa|si no me equivoco|no sé",
    "non sono sicur~|non sono cert~|credo che|penso che|suppongo|mi sembra|per quanto ne so|"
    "se non sbaglio|se non erro",
    "não tenho certeza|acho que|acredito que|suponho|me parece que|que eu saiba|se não me engano|"
    "não sei",
    "я не уверен~|не уверен~|я думаю|я полагаю|мне кажется|насколько я знаю|если не ошибаюсь|"
    "я предполагаю|я не знаю",
    "我不确定|我不太确定|我认为|我猜|据我所知|我觉得",
    "確信はありません|自信はありません|私の知る限り|だと思います|かもしれません",
};

int check_hedge(const Gate *gate, const GateCase *c, GateVerdict *out, Err *err) {
  Buf prose;
  long long most = gate->max < 0 ? 0 : gate->max, n = 0;
  if (read_prose(&c->answer, &prose, err) == RC_OK) {
    GateText text = {prose.data ? prose.data : "", prose.n};
    for (size_t i = 0; i < sizeof HEDGES / sizeof *HEDGES; i++) {
      n += prose_count(&text, HEDGES[i]);
    }
    if (n > most && !is_asked_abstention(c, err)) {
      verdict_fail(out, (double)(most + 1) / (double)(n + 1),
                   "it hedges %lld time%s (at most %lld)", n, n == 1 ? "" : "s", most);
    } else {
      verdict_pass(out);
    }
  }
  buf_free(&prose);
  return err->rc;
}
