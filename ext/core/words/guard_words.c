/*
** The guard's words. See guard_words.h for the contract.
**
** The lists stand as a reader would write them: words apart by one blank, lists of equals in rows.
** The first call makes one hash table of them (open addressing, linear probing, never deleted
** from). A word in several lists has one entry with all its classes. Of a word that is not in a
** list the stem is tried, so most lists need no inflected forms; irregular ones are written out.
**
** A word belongs into STOP only if a question keeps its answer when the word goes; into VAGUE if it
** usually does; into COMMON if it is everyday English and no name: most are the words that a table
** of English wordpieces has first, by frequency. OPPOSITES and SAME are closed under inflection by
** the stems. A word may stand in WORD_PAIRS pairs of opposites ("right": left, wrong), not in more:
** further ones are dropped.
*/
#include "core/words/guard_words.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 10000, SLOTS = 32768 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static GuardWord words[MAX_WORDS]; /* words[0] is none */
static uint16_t slots[SLOTS];
enum { FOREIGN_DATE = 128 }; /* English ones are below */
size_t guard_foreign_pair;
static size_t n_words = 1;

static const char STOP[] =
    "a an the this that these those it its itself i me my mine myself we us our ours ourselves "
    "you your yours yourself u ur he him his himself she her hers herself they them their theirs "
    "themselves one ones someone somebody anyone anybody am is are was were be been being do does "
    "did done doing have has had having will would shall should can could may might must ought "
    "let lets get gets got getting and or but if so as of at by for in on to from into onto upon "
    "with within about than then there here such some any all each every also too just even only "
    "very really who whom whose which what whats when where why how whether while because since "
    "though although please pls plz kindly hi hello hey dear thanks thank thx greetings ok okay "
    "sorry excuse s t d m ll re ve etc eg ie yes oh well quite rather out up down off over around "
    "through throughout during among amongst between after before towards toward per regarding "
    "across along against via until till under above below behind beside besides except inside "
    "outside without unless whereas become becomes became going gonna wanna else im ive dont";

static const char VAGUE[] =
    "way thing something anything people person good great nice best better easy easily easiest "
    "simple actual real currently now today ever many much lot more most few several various "
    "different certain other another kind type types sort example examples make use using want "
    "need like know think see say said tell give given find go going come take become try help "
    "work possible able available time times still yet already again always usually often mean "
    "recommend suggest basically generally possibly maybe perhaps fully completely totally truly "
    "simply question answer details following tips advice idea anyway around own united same "
    "start called named name happen feel look opinion view explain describe wonder information "
    "info exact true sure soon everything nothing somewhere anywhere everyone everybody guys "
    "folks world useful effective prominent normal basic suitable relevant potential upcoming "
    "present existing required necessary important significant main major top greatest biggest "
    "nicest wonderful fantastic amazing awesome interesting fascinating favorite favourite cool "
    "perfect proper specific particular regular common popular famous plenty bunch tried begin "
    "keep put bring seem tend supposed consider regard term case cases fact list used utilize "
    "method step process procedure technique techniques option solution possibility chance "
    "chances ability buy get obtain found search number amount couple frequently moment nowadays "
    "days anymore anyhow somehow whatever whichever ask request written taken done made makes "
    "being becoming young old new newly big large huge massive little small";

static const char COMMON[] =
    "abandoned abroad absolutely academic access accident accomplish according account accused "
    "achieve acquire act action active activities actor actress adapt added addition additional "
    "address admire admit adopt advanced affairs affect afford afraid age aged agency agent ago "
    "agreed agreement agriculture ahead aid aim air aircraft airport album alex alike almost "
    "alone alter alternative amateur amazed america american analysis ancient angel anger angry "
    "animal anniversary announced annoyed answered anti apart apparently appear appearance "
    "application applied appointed approach appropriate approximate architecture area arena arm "
    "arrange arrested arrived art article artist ashamed aside asks aspect assigned assistance "
    "assistant associate assume athletic attached attempt attend attendance attention attitude "
    "attorney attract attractive audience author authority award aware away awful bachelor "
    "background bag balance ball band bank bar baseball based basics basis basketball bass beach "
    "beat beautiful beauty bed bedroom beer beginning behavior behaviour believe belong "
    "beneficial bet beyond bill billion bird birthday bit blame blood blow blues board boat "
    "bodies bond book border boring bother bound box brain branch brand brave break breath brick "
    "bridge bright bringing broad broadcast broke bronze brought brown budget build built burn "
    "bus cabinet calculate calm came camera camp campaign campus canal cancelled cancer candidate "
    "cannot capable capacity capital captain capture car card career careful carried cast catch "
    "category caught caused celebrate cell cemetery center central centre centuries ceremony "
    "certainly chain chair chairman challenge champion championship change channel character "
    "characteristic charged chart chase cheat check cheek chemical chest chin choice choose chose "
    "chosen church circle circuit circumstances cities citizens civil claim class classical "
    "classify clear clever climate climb clock closed closer clothes clubs coach coal coat code "
    "coffee collect collection college colonial color com combat combination combined comedy "
    "comic command commission commit communicate communication communist communities companies "
    "compare comparison competed competition complain complete compose computer concentrate "
    "concept concern concert concluded conclusion condition conducted conference confident "
    "confirm conflict confuse connection consecutive consequence conservative consist constant "
    "construct construction consume contact contain contemporary content contest continued "
    "contribute control controlled convenient convention conversation convert convince cook cope "
    "core cost count counter countries course courts cover crack crazy created creation crew "
    "cricket crime criminal crisis criteria critical critics cross crowd crown cruel cry cultural "
    "culture cup curious currency current cut cycle damage damn dance danger darkness data date "
    "day deal decade decent decide decision declared dedicated defeat defence defense define "
    "definite definition degree deliver demand density department depend depressed depression "
    "derived described desert deserve design designated desire desk despite destroyed detect "
    "determine develop development device differ difference dig digital direction director "
    "disappear discover discuss disease display distance distinct distinctive distinguish "
    "distributed distribution districts disturb divided division document dog dollar door doubt "
    "draft drama dramatic dramatically draw drawn dream dress drink drive driven drove drug due "
    "dumb duty dynasty ear earth eat economic economy edge edition editor educated education "
    "educational effect efficient effort eight elect election electric electronic element eleven "
    "eliminate embarrassing emergency emotion emotional emperor employ encourage enemy energy "
    "engage engine engineer english enjoy enough ensure entertainment entirely environment "
    "environmental episode equal equipment era error escape especially establish estate estimate "
    "evaluate event eventually everyday evidence evil exam examine excellent exchange excited "
    "executive exercise exhausted exist existence expansion expect experience explained explore "
    "express expression extension extensive extent extra extreme eye face facebook facilities "
    "factor faculty fair faith fall fallen fame familiar families fan fancy farm fashion fault "
    "fear feature federal feed feeling feet fell fellow felt fiction field fifteen fifth fight "
    "fighter figure file film final finance financial finding fine finger fired firm fish fit "
    "five flag flat flight floor flow fly focus food foot football force foreign forest forever "
    "forgive forgot form format formation former fought foundation founded founder four fourth "
    "fox frame freedom frequent friend frustrated fuel fun function fund further gallery game "
    "garden gas gather gave general generate generation gentle genuine german giant gives glad "
    "glass goal goes gold gone goods google gorgeous gotten government governor grace grade "
    "gradually graduated grammar grant grateful gray greater grew grey ground group grown growth "
    "guarantee guard guess guide guitar gun hadn hair hall handle handsome hang happiness harm "
    "harmful haven health hear heard heart heavily height held hell helped helpful heritage hero "
    "hesitate hidden hip hired historical history hit hold hole honest honor hope horrible horror "
    "horse hospital hotel hour house household however human hundred hung hurt ice ideal identify "
    "identity ignore image imagine immediately impact implement importance impossible impress "
    "impression impressive improve improvement inches incident included income incorporated "
    "increased indeed independence independent india indian indicated individual industrial "
    "industry influence inform ingredient initial injury insist inspire instead institute "
    "institution insurance intelligence intelligent intend interior internet interview introduce "
    "introduction invasion invent invest investigation investment invite involve iron island "
    "issue item jazz jealous job joke journal journalist journey jump junior justify keeping kept "
    "key kick kill kiss kitchen knees knew knife knowing knowledge known label labor labour lack "
    "lady laid lake land lane language laptop largely lately latter laugh law lawyer lay layer "
    "lazy lead leader leadership leaves led leg legislative legit length lesson level liberal "
    "library license lie life lift liked limit limitation line link lip listed listen lit "
    "literature lived locate location locked lonely looked losing lovely lucky lying lyrics "
    "machine mad magazine magic mainly maintain making manage management manager manner map "
    "marine mark market married mass match material math matter mature meal meaning meant measure "
    "media median medical medicine medium meet memorable memory mental mention merged mess "
    "message met metal mid middle mild miles military million mind mining minister minute mirror "
    "miss mission mistake mix mobile model modern moments money month moon mostly motion motivate "
    "motor mountain mouth move movement multi multiple murder museum music musical musician names "
    "nasty nation national native natural nature naval neat neck needs neighborhood neither "
    "nervous network news newspaper nick nine noise nominated non nor normally nose not notable "
    "notice novel nuclear numbers numerous obey object objective observed obtained obvious "
    "occasion occupied occur ocean offer office officer official oil once opera operate operation "
    "opportunity oppose opposite orange orchestra order ordinary organic organisation organise "
    "organization organize origin original otherwise outcome outstanding overall overcharged "
    "overcome overseas owned owner pack page pain painful painted pair palm paper participate "
    "particularly partner partnership passport password path patients pattern pay payment peace "
    "peak percent perception perform performance period personnel perspective persuade phase "
    "philosophy photo physics piano pick picture piece pilot pink place plain plan planet plant "
    "plate platform play player pleasant pleasure plot pocket poet poetry point police polish "
    "political politician politics pool population port portion position possess power powerful "
    "practical practice pray pre precise predict prefer prepare presence presented president "
    "presidential press pressure pretend pretty prevail previous price primarily prime prior "
    "prison prize probably problem proceed produce production professional professor profile "
    "program programme progress project promise promote promotion properties proposed protect "
    "protection protein proud prove provide publish punish purchased pure purpose pursue putting "
    "qualified qualities race radio rail railway rain raised ran random range rank rapid rare "
    "rate reach react reaction realise reality realize receiving recent recipe recognition "
    "recognize record recover reduced reference referred reflect reform refused regarded regiment "
    "region regional register regret regularly relate relation relationship relatively relax "
    "released reliable religion religious rely remain remarkable remind removed renamed replace "
    "replied report represent representative require requirement research reset residence "
    "residents resigned resist resistance resolution resources respect respectively respond "
    "responsibility responsible rest restaurant restore restrict result retain retirement "
    "retrieved reveal reverse review revolution rid ridiculous ring rising risk river road rock "
    "role roll roof room rose rough round route royal ruin rule run runner rural rush safety "
    "saint salary sales salt sand satisfied saw saying scale scared scene schedule school science "
    "scientific score screen season seat second secret section sector security seeing seek seemed "
    "seen select selection self semi sense sensitive sentence separate sequence series serve "
    "service session set settle severe sex sexual shape share sharp shine ship shirt shit shock "
    "shoes shooting shop shore shot shoulder shown shy sick side sight sign signal silence silent "
    "silly silver similar similarities simon sincere singer singing singles sit situated "
    "situation six sixth size skill skin sky sleep slight smart smell smile smooth snow soccer "
    "social society software soldiers solve sometimes song soul sound source space spare speak "
    "special species specifically speech speed spent spirit spoke spoken sport spot spread spring "
    "staff stage stairs stance stand standard stare starts state statement station status stay "
    "steady steal steam steel stick stock stomach stone stood storage store storm straight "
    "strange strategies stream street strength strict strike string structure struggle studied "
    "stuff stupid style sub subject substantial succeeded sudden suffer sufficient suicide suit "
    "summary summer sun super supply support suppose surface surprise surrounded survey survive "
    "suspect swallow sweet swim swing sword symptom system table tackle takes talk tank target "
    "task taste taught tax team technical technology teeth television telling temperature ten "
    "tendency tennis terminal terrible territory thankful theme theory therefore thinking third "
    "thought thousand threat threaten three throat throw thus ticket tie tied tight tired title "
    "together told tomorrow tone tongue tonight took tool topic total touch tough tour tournament "
    "tower town track trade tradition traffic trait transaction transfer translate translation "
    "transport transportation travel treatment tree tremendous trend trial trick tries trip "
    "troops trouble truck trump trust truth turn twice twin two typical ugly ultimate unable "
    "uncomfortable underground underrated understand understood unexpected unhappy unique unit "
    "universal universe universities unknown unlike unusual update upset urgent usual vague valid "
    "valuable value variety vary vast vehicle version vice victory video violence visible vision "
    "visit vital voice volume vote wait wake walk wall wanted war ward warn watch water wave "
    "weapon wear weather web website wedding week weekend weight weird welcome went wheel whole "
    "widely wild willing wind wing winter wise wish wolf wondered wood wooden word worked workers "
    "worldwide worried worship worth wrestling writing wrote year yell yesterday youth youtube "
    "zone";

/* In other languages only words that are not English ones too. */
static const char NEGATION[] =
    "not no never without cannot dont doesnt didnt isnt arent wasnt werent cant couldnt wont "
    "wouldnt shouldnt hasnt havent hadnt mustnt neednt neither nor none nobody nothing nowhere "
    "non unable hardly barely except excluding lacking impossible aint nt nicht kein keine keinen "
    "keinem keiner nie niemals ohne weder pas jamais aucun aucune sans rien nunca jamas sin "
    "ningun ninguna ninguno nada tampoco nessuno nessuna senza niente nao sem nenhum nenhuma "
    "nichts 不 没 没有 别 नहीं मत बिना";

static const char ARTICLE[] = "a an the my your our his her its their this that these those";
static const char RELATION[] =
    "to into than over by onto of about against for as a nach para vers hasta verso bis 到 "
    "至 से"; /* "a" is French, Spanish, Italian and Portuguese */
static const char FROM[] = "from von aus desde depuis da 从 由";
static const char TO[] = "to into onto nach hacia vers para 到 至";
static const char ONLY[] =
    "only solely exclusively nur seulement uniquement solamente unicamente soltanto somente 只 仅 "
    "केवल सिर्फ";

/* Words that mean something else with a capital: names, and types of programming languages. What
** only a typist leaves small ("paris", "windows") is not here. */
static const char CASED[] =
    "turkey china polish may march august jersey chile japan lima nice reading cologne bill mark "
    "rose jack frank grace hope faith mercury guinea bush lent pat pole bath nan int integer "
    "string double float boolean bool object char byte long true false none";

/* Things that a brand is named after: with "a" before it, and with a capital and without "a". */
static const char THINGS[] =
    "apple target amazon shell jaguar puma gap orange oracle delta dove sprint";

/* Words that mean something else in capitals. */
static const char CAPS[] = "who it us aids";

/* Symbols of elements that are something else in capitals: CO is no cobalt. */
static const char ELEMENTS[] = "co cs hf no ni os po pb sn si sc ho ca cf cn bi in nb np";

/* What a single letter behind it is a label of, whatever its case: "vitamin c". "In C" too. */
static const char LABELS[] =
    "vitamin hepatitis plan grade class type section part group option drive in team gate "
    "terminal influenza schedule programming language code compiler program programs";

/* Words that are others with an accent or an umlaut, even where a text has no other: año. */
static const char ACCENTED[] =
    "ano papa peche pecheur cote mure tache jeune schon fordern drucken zahlen mochte konnte "
    "hatte wurde masse busse flosse bar";

/* Words that talk about a word. */
static const char MEANING[] =
    "mean means meaning pronounce pronounced pronunciation spell spelled translate word heisst "
    "bedeutet bedeuten significa signifie dire";

/* A row per person: me, you, him, her, them, us. */
static const char *const PERSONS[] = {
    "i me my mine myself",  "you your yours yourself u ur", "he him his himself",
    "she her hers herself", "they them their theirs",       "we us our ours ourselves",
};
static const char TIE[] = "and or vs versus v with between nor";
static const char PREPOSITION[] = "in for of from with at on to";
static const char GOVERNS[] =
    "in for of from with at on to into onto by over under about against after before without "
    "within "
    "until till since through via per behind as than off out up down away";
static const char COUNTS[] = "each every all both some any most few several half";
static const char QUESTION[] = "what which how why where when who if whether";

/* Rows: a value, and the words for it and for the next ones. */
static const char NUMBERS[] =
    "0 zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty ; 1 first second third fourth fifth sixth "
    "seventh eighth ninth tenth eleventh twelfth ; 30 thirty ; 40 forty ; 50 fifty ; 60 sixty ; 70 "
    "seventy ; 80 eighty ; 90 ninety ; 12 dozen ; 1 once twice thrice ; 1 single double triple ; "
    "13 thirteenth ; 20 twentieth";

/* Rows: a value, and the words for it. */
static const char SCALES[] =
    "100 hundred hundreds ; 1000 thousand thousands ; 100000 lakh lakhs lac lacs ; 1000000 million "
    "millions mio ; 10000000 crore crores ; 1000000000 billion billions bn ; 1000000000000 "
    "trillion trillions";

/* Each row one unit; "!" before currencies, which may stand before their number. */
static const char UNITS[] =
    "km kms kilometer kilometre ; m meter metre ; cm cms centimeter centimetre ; mm millimeter "
    "millimetre ; nm nanometer ; mi mile miles ; ft foot feet ; inch inches ; yd yard yards ; kg "
    "kgs kilo kilos kilogram ; g gram grams gm gms ; mg milligram ; mcg μg microgram ; lb lbs ; "
    "!pound pounds £ gbp sterling quid ; oz ounce ; ton tons tonne ; l liter litre ; ml "
    "milliliter millilitre ; gal gallon ; cup cups ; ms millisecond ; sec secs second ; min mins "
    "minute ; h hr hrs hour hours ; day days ; week weeks ; month ; yr yrs year years ; decade ; "
    "century centuries ; b byte bytes ; kb kilobyte ; mb megabyte ; gb gigabyte gig gigs ; tb "
    "terabyte ; kbps ; mbps ; gbps ; hz hertz ; khz ; mhz ; ghz ; w watt watts ; kw kilowatt ; "
    "kwh ; v volt volts ; amp amps ampere ; mah ; kcal calories calorie cal ; kj ; kmh kph ; mph "
    "; % percent percentage pct ; !$ usd dollar bucks ; !€ eur euro euros ; !₹ inr rs rupee ; !¥ "
    "jpy yen ; !cny rmb yuan ; !chf franc ; !cad ; !aud ; !₽ rub ruble ; !btc bitcoin ; cent "
    "cents ; ° degree ; celsius centigrade c ; fahrenheit f ; kelvin ; px pixel ; am a.m ; pm p.m "
    "; "
    "bc bce";

/* Each row one date; "!" before words that are dates only where written as such. */
static const char DATES[] =
    "january jan januar janvier enero ; february feb februar fevrier febrero ; !march mar marz "
    "marzo ; april apr avril abril ; !may mai mayo ; june jun juni juin junio ; july jul juli "
    "juillet julio ; august aug aout agosto ; september sept sep septembre septiembre ; october "
    "oct oktober octobre octubre ; november nov novembre noviembre ; december dec dezember "
    "decembre diciembre ; monday montag lundi lunes ; tuesday tue tues dienstag martes ; "
    "wednesday weds mittwoch mercredi miercoles ; thursday thu thur thurs donnerstag jeudi jueves "
    "; friday fri freitag vendredi viernes ; saturday samstag samedi sabado ; sunday sonntag "
    "dimanche domingo ; !mon ; !wed ; !sat ; !sun ; today todays tonight heute hoy ; yesterday "
    "gestern ayer ; tomorrow morgen demain manana ; spring ; summer ; autumn ; winter ; "
    "christmas ; easter ; midnight ; noon ; ago";

static const char LISTS[] =
    "top best most worst good great example examples reason reasons way ways thing things tip "
    "tips some favorite favourite different main major fact facts";

static const char PERIOD[] =
    "day week weekend month quarter year night season semester decade century summer winter";

/* Each row: words that may stand for each other in a question. */
static const char SAME[] =
    "buy purchase bought ; make made making create created build built develop construct "
    "producing ; quick fast rapid ; begin started start began begun ; show display print shown ; "
    "big large huge ; small tiny little ; delete remove erase ; movie film flick ; phone mobile "
    "smartphone cellphone cell ; pic picture photo image photograph ; error issue problem trouble "
    "bug ; fix solve repair resolve ; kid child children kids childhood ; woman women lady female "
    "; girl girls ; man men male guy guys ; boy boys ; person people human ; company firm "
    "business companies ; job career work profession ; money cash ; pay paid payment salary wage "
    "income ; find found locate ; get got obtain gain acquire ; learn study learnt ; teach taught "
    "; write wrote written writing ; speak spoke spoken talk ; choose chose chosen select pick ; "
    "think thought ; know knew known ; sell sold ; send sent ; go went gone ; come came ; eat ate "
    "eaten ; see saw seen watch view ; take took taken ; give gave given ; win won ; lose lost ; "
    "leave left ; keep kept ; meet met ; forget forgot forgotten ; break broke broken ; steal "
    "stole stolen ; grow grew grown ; rise rose risen ; run ran ; drive drove driven ; fall fell "
    "fallen ; feel felt ; die died death dead dying ; lie lying ; marry married marriage ; math "
    "mathematics ; exam examination test ; bike bicycle ; car automobile vehicle ; tv television "
    "; pc computer ; app application ; info information ; ad advertisement ads advert ; email "
    "mail e-mail ; usa america us states american ; uk britain england ; india indian ; china "
    "chinese ; germany german ; japan japanese ; russia russian ; favorite favourite ; color "
    "colour ; center centre ; organize organise ; smart intelligent clever intelligence ; improve "
    "enhance ; stop quit prevent avoid rid overcome ; cost price fee charge ; reason reasons "
    "cause causes why ; important importance significance significant ; difference differ "
    "different distinguish distinction ; long length ; old age aged ; tall height ; heavy weight "
    "; ok okay ; hard difficult tough ; easy simple easily easiest simplest ; famous popular ; "
    "rich wealthy ; website site web internet online blog ; university college ; country nation ; "
    "city town ; road street ; doctor physician ; boss manager ; vendor seller ; beginner starter "
    "newbie ; interesting fun fascinating ; funny hilarious funniest ; mind-blowing amazing "
    "mindblowing ; nearly almost ; probability chance chances likelihood ; benefit advantage "
    "benefits advantages pros ; disadvantage drawback cons disadvantages drawbacks ; happen occur "
    "; need require required requirement ; want wish desire ; let allow ; hate dislike ; love "
    "like ; help assist ; use used using usage ; prepare preparation ; install installation ; "
    "cancel cancellation ; recover restore retrieve ; reset change ; password passcode ; login "
    "signin log ; wait ; weed marijuana cannabis ; cure treat treatment ; illness disease ; life "
    "lives living live ; wife wives ; sex intercourse ; relationship relation ; true real truth ; "
    "anyways anyway ; till until ; also too ; hear heard ; tooth teeth ; foot feet ; mouse mice ; "
    "criterion criteria ; datum data ; analysis analyses analyze ; crisis crises ; currency ; "
    "meaning means mean meant define definition ; purpose point goal ; way method technique "
    "techniques ; example instance ; book novel ; song music ; food dish ; trip travel journey "
    "tour ; flat apartment ; measure calculate determine compute ; worship pray ; greatest "
    "biggest ; level layer ; density dense ; abuse abusive ; daily everyday ; often frequently ; "
    "night evening ; told said tell say ; recipe ingredients ; effect affect impact influence ; "
    "answer reply respond response ; update upgrade ; refrigerator fridge ; government govt ; "
    "advice tips suggestions suggestion tip ; crack hack ; hindu hinduism ; islam muslim ; legal "
    "legalised legalized ; region part area ; below under less ; helpful beneficial useful ; "
    "scared afraid ; forbid forbidden prohibit ban ; weird weirdest strange strangest ; wrong "
    "incorrect ; abroad overseas ; surprising unexpected ; stupid dumb ; finish complete end ; "
    "arrive arrival ; delay late ; transfer move ; card ; verify verification ; identify identity "
    "; activate activation ; exchange convert ; decline reject ; support accept ; track trace ; "
    "stuff things ; stance position opinion ; consume swallow ; toxic poisonous ; reservation "
    "booking book ; help support ; main primary ; close near nearby ; luggage baggage ; holiday "
    "vacation ; taxi cab ; lift elevator ; invoice bill ; parcel package ; permit allow ; shop "
    "store ; picture pic";

uint32_t guard_hash(const char *text, size_t n) {
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < n; i++) {
    h = (h ^ (unsigned char)text[i]) * 16777619u;
  }
  return h ^ h >> 15;
}

/* The slot of the word, or the empty one where it would go. */
static size_t slot_of(const char *text, size_t n) {
  size_t at = guard_hash(text, n) & (SLOTS - 1);
  while (slots[at] && (words[slots[at]].n != n || memcmp(words[slots[at]].text, text, n) != 0)) {
    at = (at + 1) & (SLOTS - 1);
  }
  return at;
}

static int is_vowel(char c) {
  return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y';
}

static int has_vowel(const char *text, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (is_vowel(text[i])) {
      return 1;
    }
  }
  return 0;
}

static int ends(const char *text, size_t n, const char *ending) {
  size_t m = strlen(ending);
  return n > m && memcmp(text + n - m, ending, m) == 0;
}

/* Without a plural's or third person's ending. */
static size_t without_s(const char *text, size_t n) {
  static const char *const es[] = {"sses", "shes", "ches", "xes", "zes"};
  if (n < 4 || text[n - 1] != 's' || ends(text, n, "ss") || ends(text, n, "us") ||
      ends(text, n, "is")) {
    return n;
  }
  for (size_t i = 0; i < sizeof es / sizeof *es; i++) {
    if (ends(text, n, es[i])) {
      return n - 2;
    }
  }
  return n - 1;
}

/* Without "ing" or "ed", and the consonant doubled before it. */
static size_t without_participle(const char *text, size_t n) {
  size_t cut = ends(text, n, "ing") ? 3 : ends(text, n, "ed") && !ends(text, n, "eed") ? 2 : 0;
  if (!cut || n < cut + 3 || !has_vowel(text, n - cut)) {
    return n;
  }
  n -= cut;
  if (text[n - 1] == text[n - 2] && !is_vowel(text[n - 1]) && text[n - 1] != 's' &&
      text[n - 1] != 'l') {
    n--;
  }
  return n;
}

size_t guard_stem(const char *text, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (text[i] < 'a' || text[i] > 'z') {
      return n;
    }
  }
  n = without_s(text, n);
  n = without_participle(text, n);
  if (n > 5 && ends(text, n, "ly")) {
    n -= 2;
  }
  while (n > 3 && (text[n - 1] == 'e' || text[n - 1] == 'y' || text[n - 1] == 'i')) {
    n--;
  }
  return n;
}

/* The entry of a listed word, made where it is new; words[0] where the table is full. */
static GuardWord *entry(const char *text, size_t n) {
  size_t at = slot_of(text, n);
  if (!slots[at] && n_words < MAX_WORDS) {
    words[n_words].text = text;
    words[n_words].n = (uint16_t)n;
    slots[at] = (uint16_t)n_words++;
  }
  return &words[slots[at]];
}

/* The next word of the list at *p, its length in *n; NULL at the end. */
static const char *next_word(const char **p, size_t *n) {
  const char *start = *p + (**p == ' ');
  *n = strcspn(start, " ");
  *p = start + *n;
  return *n ? start : NULL;
}

/* Everyday words, and all their inflections. */
static void load_common(void) {
  const char *list = COMMON;
  size_t n;
  for (const char *w; (w = next_word(&list, &n));) {
    entry(w, n)->classes |= WORD_COMMON;
    entry(w, guard_stem(w, n))->classes |= WORD_COMMON;
  }
}

static void load_class(const char *list, unsigned class) {
  size_t n;
  for (const char *w; (w = next_word(&list, &n));) {
    GuardWord *e = entry(w, n);
    e->classes |= class;
  }
}

/* The next word of a list of rows apart by ";", its row in *row; NULL at the end. */
static const char *next_in_row(const char **p, size_t *n, size_t *row) {
  const char *w = next_word(p, n);
  while (w && *w == ';') {
    ++*row;
    w = next_word(p, n);
  }
  return w;
}

/* Each word of a row is `step` more than the one before. */
static void load_numbers(const char *list, unsigned classes, double step) {
  size_t n, row = 1;
  double value = 0;
  for (const char *w; (w = next_in_row(&list, &n, &row));) {
    if (*w <= '9') {
      value = strtod(w, NULL);
    } else {
      GuardWord *e = entry(w, n);
      e->classes |= classes;
      e->number = value;
      value += step;
    }
  }
}

/* "!" before the first word of a row: a currency. */
static void load_units(void) {
  const char *list = UNITS;
  size_t n, row = 1, before = 0;
  int currency = 0;
  for (const char *w; (w = next_in_row(&list, &n, &row)); before = row) {
    currency = row != before ? *w == '!' : currency;
    GuardWord *e = entry(w + (*w == '!'), n - (*w == '!'));
    e->classes |= currency ? WORD_UNIT | WORD_CURRENCY : WORD_UNIT;
    e->unit = (uint8_t)row;
  }
}

/* "!" before a word: a date only where it is written as one. */
static void load_dates(void) {
  const char *list = DATES;
  size_t n, row = 1;
  for (const char *w; (w = next_in_row(&list, &n, &row));) {
    GuardWord *e = entry(w + (*w == '!'), n - (*w == '!'));
    e->classes |= WORD_DATE | (*w == '!' ? WORD_NAMELIKE : 0u);
    e->date = (uint8_t)row;
  }
}

/* Puts the word on a side of a pair, unless it is in WORD_PAIRS others. */
static void add_pair(GuardWord *e, size_t pair, size_t side) {
  for (size_t k = 0; k < WORD_PAIRS; k++) {
    if (e->pair[k] == 0 || e->pair[k] == pair) {
      e->pair[k] = (uint16_t)pair;
      e->side[k] = (uint8_t)(e->side[k] | 1u << side);
      return;
    }
  }
}

/* Rows are numbered from `row` on; returns the number behind the last. Stems are English. */
static size_t load_opposites(const char *list, size_t row) {
  int foreign = guard_foreign_pair > 0;
  size_t n, side = 0, before = row;
  for (const char *w; (w = next_in_row(&list, &n, &row)); before = row) {
    side = row != before ? 0 : side;
    if (*w == '/') {
      side++;
      continue;
    }
    add_pair(entry(w, n), row, side);
    entry(w, n)->classes |= foreign ? 0u : WORD_COMMON;
    size_t stem = foreign ? n : guard_stem(w, n);
    GuardWord *e = entry(w, stem);
    if (stem == n || e->classes == 0) { /* else the stem is a word of its own: "every", "ever" */
      add_pair(e, row, side);
    }
  }
  return row + 1;
}

/* A word in two rows keeps the first. */
static void load_same(void) {
  const char *list = SAME;
  size_t n, row = 1;
  for (const char *w; (w = next_in_row(&list, &n, &row));) {
    GuardWord *both[2] = {entry(w, n), entry(w, guard_stem(w, n))};
    for (int k = 0; k < 2; k++) {
      both[k]->group = both[k]->group ? both[k]->group : (uint16_t)row;
    }
  }
}

static void load_foreign_same(void) {
  const char *list = GUARD_FOREIGN_SAME;
  size_t n, row = 1;
  for (const char *w; (w = next_in_row(&list, &n, &row));) {
    GuardWord *e = entry(w, n);
    e->foreign_group = e->foreign_group ? e->foreign_group : (uint16_t)row;
  }
}

/* A number's value is its place in its row; 0 is none, so that one more is kept. */
static void load_foreign(void) {
  const char *list = GUARD_FOREIGN_NUMBERS;
  size_t n, row = 1, before = 0;
  uint8_t value = 0;
  load_class(GUARD_FOREIGN_STOP, WORD_FOREIGN);
  for (const char *w; (w = next_in_row(&list, &n, &row)); before = row) {
    value = row != before ? 1 : (uint8_t)(value + 1);
    if (*w != '-') {
      entry(w, n)->foreign_number = value;
    }
  }
  list = GUARD_FOREIGN_DATES;
  row = 0;
  for (const char *w; (w = next_in_row(&list, &n, &row));) {
    entry(w, n)->foreign_date = (uint8_t)(FOREIGN_DATE + row);
  }
  load_foreign_same();
}

static void load_persons(void) {
  for (size_t i = 0; i < sizeof PERSONS / sizeof *PERSONS; i++) {
    const char *list = PERSONS[i];
    size_t n;
    for (const char *w; (w = next_word(&list, &n));) {
      entry(w, n)->person = (uint8_t)(i + 1);
    }
  }
}

static void load(void) {
  load_class(STOP, WORD_STOP);
  load_class(VAGUE, WORD_VAGUE | WORD_COMMON);
  load_common();
  load_class(NEGATION, WORD_NEGATION);
  load_class(PERIOD, WORD_PERIOD);
  load_class(LISTS, WORD_LISTS);
  load_class(ARTICLE, WORD_ARTICLE);
  load_class(RELATION, WORD_RELATION);
  load_class(TIE, WORD_TIE);
  load_class(PREPOSITION, WORD_PREPOSITION);
  load_class(GOVERNS, WORD_GOVERNS);
  load_class(COUNTS, WORD_COUNTS);
  load_class(QUESTION, WORD_QUESTION);
  load_class(FROM, WORD_FROM);
  load_class(TO, WORD_TO);
  load_class(ONLY, WORD_ONLY);
  load_class(CASED, WORD_CASED);
  load_class(CAPS, WORD_CAPS);
  load_class(THINGS, WORD_THING);
  load_class(ELEMENTS, WORD_ELEMENT);
  load_class(LABELS, WORD_LABEL);
  load_class(ACCENTED, WORD_ACCENTED);
  load_class(MEANING, WORD_MEANING);
  load_class("know sure understand", WORD_KNOWING);
  load_numbers(NUMBERS, WORD_NUMBER, 1);
  load_numbers(SCALES, WORD_NUMBER | WORD_SCALE, 0);
  load_units();
  load_dates();
  guard_foreign_pair = load_opposites(GUARD_OPPOSITES, 1);
  load_opposites(GUARD_FOREIGN_OPPOSITES, guard_foreign_pair);
  load_same();
  load_foreign();
  load_persons();
  memset(&words[0], 0, sizeof words[0]); /* what a full table would have written */
}

const GuardWord *guard_word(const char *text, size_t n) {
  pthread_once(&once, load);
  size_t at = slot_of(text, n);
  return slots[at] ? &words[slots[at]] : NULL;
}
