/*
** Volatile questions: prompts in eight languages that are of one moment or of one person, as many that only look like
** them, and any bytes.
*/
#include "unit.h"

#include "core/volatile/volatile.h"

static const char *const NOW[] = {
    "What time is it?",
    "what's the time in Tokyo right now",
    "What is today's date?",
    "What day is it today?",
    "What's the weather like in Berlin?",
    "Will it rain tomorrow?",
    "Do I need an umbrella today?",
    "What is the price of bitcoin?",
    "What's the current exchange rate between the dollar and the euro?",
    "How many euros is 100 dollars?",
    "Who won the game last night?",
    "What's the score of the Lakers game?",
    "Give me the latest news",
    "What is happening in the world right now?",
    "Are you open right now?",
    "When is the next train to Boston?",
    "How many days until Christmas?",
    "Roll a dice",
    "Flip a coin",
    "Pick a random number between 1 and 10",
    "Generate a unique password",
    "Generate a new UUID",
    "Tell me a joke",
    "another one",
    "Yes",
    "no thanks",
    "ok",
    "continue",
    "go on",
    "more",
    "again",
    "that one",
    "Why?",
    "and then?",
    "3",
    "the second one",
    "Wie spät ist es?",
    "Welches Datum haben wir heute?",
    "Wie wird das Wetter morgen in München?",
    "Wer hat gestern gewonnen?",
    "Was gibt es heute Neues?",
    "Wie ist der aktuelle Wechselkurs zum Dollar?",
    "Würfle mal",
    "Erzähl mir einen Witz",
    "Erzeuge ein sicheres Passwort",
    "weiter",
    "Noch einmal bitte",
    "Ja, bitte",
    "warum?",
    "Quelle heure est-il ?",
    "Quel temps fait-il à Lyon aujourd'hui ?",
    "Quelle est la date d'aujourd'hui ?",
    "Qui a gagné hier soir ?",
    "Quelles sont les dernières nouvelles ?",
    "Lance un dé",
    "Raconte-moi une blague",
    "oui",
    "continue",
    "Et ensuite ?",
    "¿Qué hora es?",
    "¿Qué tiempo hace hoy en Madrid?",
    "¿Qué fecha es hoy?",
    "¿Quién ganó anoche?",
    "Tira un dado",
    "Cuéntame un chiste",
    "sí",
    "continúa",
    "¿Y luego?",
    "Che ore sono?",
    "Che tempo fa oggi a Roma?",
    "Raccontami una barzelletta",
    "Lancia un dado",
    "Que horas são?",
    "Como está o tempo hoje?",
    "Conte uma piada",
    "现在几点了？",
    "今天天气怎么样？",
    "今天星期几",
    "掷骰子",
    "讲个笑话",
    "继续",
    "为什么？",
    "美元兑人民币的汇率是多少？",
    "आज मौसम कैसा है?",
    "What is today's standard for wifi?",
    "What is the latest version of Node?",
    "Is it raining?",
    "What is trending?",
    "what's the date tomorrow",
    "bitcoin price",
    "latest football results",
    "What are today's mortgage rates?",
    "how's the traffic on I-95",
    "give me a random fact",
    "tell me another joke",
    "What's new?",
    "who is winning the match",
    "no",
    "really?",
    "try again",
    "ok do it",
    "Wie viel Uhr ist es in New York?",
    "Regnet es heute in Hamburg?",
    "Was kostet ein Bitcoin gerade?",
    "Noch ein Witz",
    "nein danke",
    "Il est quelle heure ?",
    "Il va pleuvoir demain ?",
    "Donne-moi un nombre au hasard",
    "¿Qué día es hoy?",
    "¿A cuánto está el dólar hoy?",
    "otra vez",
    "明天会下雨吗？",
    "比特币现在多少钱？",
};

static const char *const PERSONAL[] = {
    "What is my balance?",
    "What's my balance",
    "Where is my order?",
    "Hi, can you tell me where my order is?",
    "What is my account number?",
    "Did my payment go through?",
    "Who am I?",
    "Am I eligible?",
    "Am I eligible for a refund?",
    "How much do I owe?",
    "When does my subscription end?",
    "What did I say?",
    "What did I just ask you?",
    "Has my refund been processed yet?",
    "Show me my last five transactions",
    "What's on my calendar for Friday?",
    "How many vacation days do I have left?",
    "Is my flight delayed?",
    "Track my package",
    "What is the status of my application?",
    "Do I have any unread messages?",
    "Where is my order, and how can I track it?",
    "Wie hoch ist mein Kontostand?",
    "Wo bleibt mein Paket?",
    "Wo ist meine Bestellung?",
    "Wie lautet meine Kontonummer?",
    "Wann endet mein Abo?",
    "Wie viel schulde ich euch noch?",
    "Ist meine Zahlung schon eingegangen?",
    "Wer bin ich?",
    "Was habe ich gerade gesagt?",
    "Bin ich berechtigt?",
    "Quel est mon solde ?",
    "Où est ma commande ?",
    "Quel est mon numéro de compte ?",
    "Combien je vous dois ?",
    "Mon paiement est-il passé ?",
    "Quand se termine mon abonnement ?",
    "Qui suis-je ?",
    "Qu'est-ce que j'ai dit ?",
    "¿Cuál es mi saldo?",
    "¿Dónde está mi pedido?",
    "¿Cuál es mi número de cuenta?",
    "¿Cuánto debo?",
    "¿Ya llegó mi paquete?",
    "¿Cuándo termina mi suscripción?",
    "¿Quién soy?",
    "¿Qué dije?",
    "Qual è il mio saldo?",
    "Dov'è il mio ordine?",
    "Quando scade il mio abbonamento?",
    "Qual é o meu saldo?",
    "Onde está o meu pedido?",
    "Quanto eu devo?",
    "我的余额是多少？",
    "我的订单在哪里？",
    "我的账号是什么？",
    "我的会员什么时候到期？",
    "我欠多少钱？",
    "我是谁？",
    "我刚才说了什么？",
    "मेरा ऑर्डर कहाँ है?",
    "what is my credit limit",
    "When will my package arrive?",
    "have you received my documents",
    "could you please tell me how much i owe on my visa",
    "are my flights on time",
    "what was my last purchase",
    "Do you remember my name?",
    "which plan am I on",
    "am i still subscribed",
    "Wann kommt meine Bestellung an?",
    "Zeig mir meine letzten Buchungen",
    "Habe ich noch Guthaben?",
    "Was steht heute in meinem Kalender?",
    "Combien me reste-t-il sur mon compte ?",
    "Quand arrive mon colis ?",
    "Suis-je éligible ?",
    "¿Cuándo llega mi pedido?",
    "Muéstrame mis últimas transacciones",
    "¿Cuánto dinero tengo en mi cuenta?",
    "È arrivato il mio pacco?",
    "Quanto devo?",
    "Meu pagamento já caiu?",
    "我的快递到哪了？",
    "查一下我的余额",
};

static const char *const GENERAL[] = {
    "How do I reset my password?",
    "Where can I change my PIN?",
    "Can I return my order?",
    "My card is broken, what should I do?",
    "What time do you open on Sundays?",
    "How do I set the date format?",
    "What is the current in a wire?",
    "how long does a transfer take?",
    "How do I find my account number?",
    "How can I check my balance?",
    "Why was my card declined?",
    "What happens if my payment fails?",
    "What is a random variable?",
    "How do I generate a random password in Python?",
    "Write a function that rolls a dice",
    "What is the weather usually caused by?",
    "How does weather form in mountains?",
    "What is an exchange rate?",
    "Explain the current account deficit",
    "What is the time complexity of quicksort?",
    "Who invented the telephone?",
    "Who won the World Cup in 1998?",
    "What does \"today\" mean in French?",
    "Translate \"Where is my order?\" into Spanish",
    "How do you say what time is it in German?",
    "Should I pay off my mortgage early?",
    "What is the best way to learn my multiplication tables?",
    "Is my money insured?",
    "What is the capital of France?",
    "Yes, but how do I install it on Linux?",
    "Why is the sky blue?",
    "What is the difference between news and opinion?",
    "How much does shipping cost?",
    "Do I need a visa for Japan?",
    "Summarize the following text: What is my balance today?",
    "What are the opening hours?",
    "How do I continue a git rebase?",
    "What does git commit --no-verify do?",
    "Can I pay with my phone?",
    "My internet is slow, how can I fix it?",
    "Wie setze ich mein Passwort zurück?",
    "Wo kann ich meine PIN ändern?",
    "Kann ich meine Bestellung zurückgeben?",
    "Meine Karte ist kaputt, was soll ich tun?",
    "Um wie viel Uhr öffnet ihr am Sonntag?",
    "Wie lange dauert eine Überweisung?",
    "Was ist ein Wechselkurs?",
    "Warum ist der Himmel blau?",
    "Wie finde ich meine Kontonummer?",
    "Was ist die Hauptstadt von Frankreich?",
    "Wie wird ein Passwort sicher gespeichert?",
    "Kann ich mein Abo jederzeit kündigen?",
    "Comment réinitialiser mon mot de passe ?",
    "Où puis-je changer mon code ?",
    "Puis-je retourner ma commande ?",
    "Ma carte est cassée, que dois-je faire ?",
    "À quelle heure ouvrez-vous le dimanche ?",
    "Combien de temps prend un virement ?",
    "Qu'est-ce qu'un taux de change ?",
    "Quelle est la capitale de l'Italie ?",
    "Pourquoi ma carte est-elle refusée ?",
    "¿Cómo restablezco mi contraseña?",
    "¿Dónde puedo cambiar mi PIN?",
    "¿Puedo devolver mi pedido?",
    "Mi tarjeta está rota, ¿qué hago?",
    "¿A qué hora abren los domingos?",
    "¿Cuánto tarda una transferencia?",
    "¿Qué es un tipo de cambio?",
    "¿Cuál es la capital de Perú?",
    "Come posso reimpostare la mia password?",
    "Dove posso cambiare il mio PIN?",
    "A che ora aprite la domenica?",
    "Como redefinir minha senha?",
    "Posso devolver meu pedido?",
    "Qual é a capital do Brasil?",
    "我怎么重置我的密码？",
    "在哪里可以修改我的密码？",
    "我可以退货吗？",
    "我的卡坏了怎么办？",
    "转账需要多长时间？",
    "什么是汇率？",
    "天空为什么是蓝色的？",
    "法国的首都是哪里？",
    "मैं अपना पासवर्ड कैसे रीसेट करूँ?",
    "\"What time is it?\" is a question. Why is it so common?",
    "How often should I change my password?",
    "When was the Eiffel Tower built?",
    "What is the standard dose of ibuprofen for children?",
    "I want to cancel my subscription",
    "Cancel my subscription",
    "Is there a fee for using my card abroad?",
    "What is the current account of a bank?",
    "Explain the random forest algorithm",
    "What did Einstein say about time?",
    "What did Caesar say when he crossed the Rubicon?",
    "Where is the Louvre?",
    "Who is Ada Lovelace?",
    "How old is the universe?",
    "what is a credit limit",
    "can i increase my credit limit",
    "how is the weather forecast made",
    "what is bitcoin",
    "why are prices rising",
    "what is the latest you can arrive",
    "do you ship to Canada?",
    "what documents do I need for a mortgage",
    "I forgot my password",
    "My order arrived damaged. Can I get a replacement?",
    "How can I see my orders?",
    "what's the policy on refunds",
    "who was the first president of the united states",
    "is it safe to take ibuprofen daily",
    "write a joke about cats",
    "Wie ändere ich meine Adresse?",
    "Was kostet der Versand?",
    "Darf ich mein Gepäck mitnehmen?",
    "Wann hat die Filiale geöffnet?",
    "Wie funktioniert Bitcoin?",
    "Comment changer mon adresse ?",
    "Quels sont vos horaires ?",
    "Comment suivre mon colis ?",
    "Est-ce que je peux annuler mon abonnement ?",
    "¿Cómo cambio mi dirección?",
    "¿Qué documentos necesito?",
    "¿Puedo cambiar mi contraseña?",
    "Come funziona il bonifico?",
    "Como cancelo minha assinatura?",
    "怎么查询我的余额？",
    "如何取消我的订单？",
    "你们几点关门？",
    "我能修改我的地址吗？",
};

static void check_all(const char *const *texts, size_t n, Volatile kind) {
  for (size_t i = 0; i < n; i++) {
    char word[VOLATILE_WORD];
    Volatile is = volatile_kind(texts[i], strlen(texts[i]), word);
    check(is == kind, "%s: %d (%s), expected %d", texts[i], is, word, kind);
    check((word[0] != 0) == (is != VOLATILE_NO), "%s: the word", texts[i]);
    check(volatile_kind(texts[i], strlen(texts[i]), NULL) == is, "%s: without the word", texts[i]);
  }
}

static void test_now(void **state) {
  (void)state;
  check_all(NOW, COUNT(NOW), VOLATILE_NOW);
}

static void test_personal(void **state) {
  (void)state;
  check_all(PERSONAL, COUNT(PERSONAL), VOLATILE_PERSONAL);
}

static void test_general(void **state) {
  (void)state;
  check_all(GENERAL, COUNT(GENERAL), VOLATILE_NO);
}

static Volatile kind_of(const char *text) {
  return volatile_kind(text, strlen(text), NULL);
}

/* Case, accents, widths and blanks are as people type them. */
static void test_folding(void **state) {
  (void)state;
  check(kind_of("WHAT IS MY BALANCE") == VOLATILE_PERSONAL, "case");
  check(kind_of("what  is\tmy   balance") == VOLATILE_PERSONAL, "blanks");
  check(kind_of("what\xE2\x80\x99s my balance") == VOLATILE_PERSONAL, "a typographic apostrophe");
  check(kind_of("\xEF\xBC\xB7hat is my balance") == VOLATILE_PERSONAL, "a fullwidth letter");
  check(kind_of("Wie spat ist es") == VOLATILE_NOW, "without its accent");
  check(kind_of("Wie spa\xCC\x88t ist es") == VOLATILE_NOW, "a combining accent");
  check(kind_of("donde esta mi pedido") == VOLATILE_PERSONAL, "Spanish without accents");
}

/* What decided is told in the words of the text. */
static void test_words(void **state) {
  (void)state;
  static const struct {
    const char *text, *word;
  } cases[] = {
      {"Hello, what's MY balance?", "what s my"},
      {"Quelle heure est-il\xC2\xA0?", "quelle heure est il"},
      {"\xE6\x88\x91\xE6\x98\xAF\xE8\xB0\x81\xEF\xBC\x9F", "\xE6\x88\x91\xE6\x98\xAF\xE8\xB0\x81"},
      {"Why is the sky blue?", ""},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char word[VOLATILE_WORD];
    volatile_kind(cases[i].text, strlen(cases[i].text), word);
    check(strcmp(word, cases[i].word) == 0, "%s: %s", cases[i].text, word);
  }
}

/* What is quoted is not asked; of several sentences one is enough; a how-to covers what follows it, not what stood
** before. */
static void test_sentences(void **state) {
  (void)state;
  check(kind_of("\"Where is my order?\"") == VOLATILE_PERSONAL, "all of it quoted");
  check(kind_of("Fix the spelling: \"Where is my order?\"") == VOLATILE_NO, "quoted");
  check(kind_of("Run `what time is it` in a shell") == VOLATILE_NO, "code");
  check(kind_of("I paid on Friday. Where is my order?") == VOLATILE_PERSONAL, "two sentences");
  check(kind_of("How do I find where my order is?") == VOLATILE_NO, "a how-to before");
  check(kind_of("Where is my order and how do I track it?") == VOLATILE_PERSONAL, "and behind");
  check(kind_of("Where is my order? What time is it?") == VOLATILE_NOW, "both");
  check(kind_of("Is it a file, again?") == VOLATILE_NO, "the end is not all of it");
  check(kind_of("yes. How do I install it?") == VOLATILE_NO, "a yes is not all of it");
  check(kind_of("") == VOLATILE_NO && kind_of(" \n ?!") == VOLATILE_NO, "nothing");
}

/* Front and end of a long text are read, its middle is not. */
static void test_long(void **state) {
  (void)state;
  enum { N = 6000 };
  static const char QUESTION[] = ". What is my balance? ";
  static const size_t at[] = {0, N / 2, N - sizeof QUESTION};
  static const Volatile kinds[] = {VOLATILE_PERSONAL, VOLATILE_NO, VOLATILE_PERSONAL};
  for (size_t i = 0; i < COUNT(at); i++) {
    char text[N];
    for (size_t k = 0; k < N; k++) {
      text[k] = "lorem ipsum "[k % 12];
    }
    memcpy(text + at[i], QUESTION, sizeof QUESTION - 1);
    check(volatile_kind(text, N, NULL) == kinds[i], "at %zu", at[i]);
  }
}

/* Any bytes, of any length, and texts that are all matches. */
static void test_bytes(void **state) {
  (void)state;
  static const char *const parts[] = {"what is ",     "my ",    "how much ",
                                      "\"",           "today ", "\xE4\xBB",
                                      "\xEF\xB7\xBA", ". ",     "\xE4\xBB\x8A\xE5\xA4\xA9",
                                      "42 ",          "`",      "is "};
  unsigned seed = 7;
  for (int round = 0; round < 3000; round++) {
    char text[3000];
    size_t n = 0, most = 1 + (size_t)round % 2900;
    while (n < most) {
      const char *part = parts[((seed = seed * 1103515245u + 12345u) >> 16) % COUNT(parts)];
      size_t k = strlen(part);
      memcpy(text + n, part, k);
      n += k;
      if ((seed >> 20 & 15) == 0) {
        text[n++] = (char)(seed >> 8);
      }
    }
    char word[VOLATILE_WORD];
    Volatile kind = volatile_kind(text, n, word);
    check((word[0] != 0) == (kind != VOLATILE_NO), "round %d", round);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_now),       cmocka_unit_test(test_personal),
      cmocka_unit_test(test_general),   cmocka_unit_test(test_folding),
      cmocka_unit_test(test_sentences), cmocka_unit_test(test_words),
      cmocka_unit_test(test_long),      cmocka_unit_test(test_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
