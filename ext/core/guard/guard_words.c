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
#include "core/guard/guard_words.h"

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
    "abandoned abroad absolutely academic accept access accident accomplish according account "
    "accused achieve achieved acquire acquired act action active actively activities activity "
    "actor actress adapt add added addition additional address admire admit adopt adult advance "
    "advanced advantage affairs affect afford afraid afternoon age aged agency agent ago agree "
    "agreed agreement agriculture ahead aid aim air aircraft airport album alex alike alive allow "
    "almost alone alter alternative amateur amazed america american analysis ancient angel anger "
    "angry animal anniversary announced annoyed annoying annual answered anti apart apparently "
    "appear appearance application applied apply appointed appreciate approach appropriate "
    "approved approximate approximately architecture area aren arena arm arrange arranged "
    "arrested arrival arrive arrived art article articles artist ashamed aside asks aspect ass "
    "assigned assistance assistant associate associated assume assumed athletic attached attack "
    "attempt attend attendance attention attitude attorney attract attractive audience author "
    "authority average avoid award aware away awful baby bachelor back background bad bag balance "
    "ball band bank bar base baseball based basics basis basketball bass beach bear beat "
    "beautiful beauty bed bedroom beer began beginning behavior behaviour believe believed belong "
    "beneficial benefit bet beyond bill billion bird birth birthday bit black blame block blood "
    "blow blue blues board boat bodies body bond book border boring born both bother bottom "
    "bought bound box boy boyfriend brain branch brand brave break breath brick bridge brief "
    "bright bringing broad broadcast broke broken bronze brother brought brown budget build built "
    "burn bus business cabinet calculate call calm came camera camp campaign campus canal cancel "
    "cancelled cancer candidate candidates cannot capable capacity capital captain capture "
    "captured car card career careful carried carry carrying cash cast catch category caught "
    "cause caused causes causing celebrate cell cemetery center central centre centuries century "
    "ceremony certainly chain chair chairman challenge champion championship change changed "
    "changes changing channel character characteristic charge charged chart chase cheap cheat "
    "check cheek chemical chest child children chin choice choices choose chose chosen church "
    "circle circuit circumstances cities citizens city civil claim class classical classify clean "
    "clear clever climate climb clock close closed closer closing clothes clubs coach coal coat "
    "code coffee cold collect collection college colonial color com combat combination combine "
    "combined comedy comic command commercial commission commit communicate communication "
    "communist communities community companies company compare compared comparison competed "
    "competition complain complete completed complex complicated compose composed computer "
    "concentrate concept concern concert concluded conclusion concrete condition conducted "
    "conference confident confirm conflict confuse confused connect connection consecutive "
    "consequence consequences conservative consist constant construct construction consume "
    "contact contain contemporary content contest continue continued continues contract "
    "contribute contributed control controlled convenient convention conversation convert "
    "convince cook cope copies core correct cost couldn count counter countries country course "
    "courses courts cover crack crazy create created creating creation credit crew cricket crime "
    "criminal crisis criteria critical critics cross crowd crown cruel cry cultural culture cup "
    "curious currency current customer cut cycle dad daily damage damn dance danger dangerous "
    "dark darkness data date dates dating daughter day dead deal death decade decades decent "
    "decide decided decision declared decline dedicated deep defeat defence defend defense define "
    "defined definite definitely definition degree degrees delete deliver demand density deny "
    "department depend depressed depression der derived described desert deserve design "
    "designated desire desk despite destroy destroyed detail detect determine determined develop "
    "development device didn die died differ difference difficult dig digital dinner direct "
    "direction director dirty disappear discover discuss disease dislike display distance "
    "distinct distinctive distinguish distributed distribution districts disturb divided division "
    "doctor document doesn dog dollar domestic don door double doubt download draft drama "
    "dramatic dramatically draw drawn dream dress drink drive driven driver driving drop drove "
    "drug dry due dumb duty dynasty ear earlier early earn earth easier eat economic economy edge "
    "edition editor educated education educational effect efficient effort eight either elect "
    "election electric electronic element eleven eliminate email embarrassing emergency emotion "
    "emotional emperor employ employed employees empty encourage end enemy energy engage engaged "
    "engine engineer engines english enjoy enough ensure enter entertainment entire entirely "
    "entrance entry environment environmental episode episodes equal equipment era error escape "
    "especially establish estate estimate estimated evaluate evening event eventually everyday "
    "evidence evil exam examine excellent exchange excited exclude executive exercise exhausted "
    "exist existence expand expansion expect expensive experience experienced explained explore "
    "express expression extend extension extensive extent extra extreme extremely eye face "
    "facebook faced faces facilities facing factor faculty fail failure fair faith fake fall "
    "fallen false fame familiar families family fan fancy far farm fashion fast faster father "
    "fault fear feature featured features federal feed feeling feelings feet fell fellow felt "
    "female females fiction field fifteen fifth fight fighter figure figures file fill film final "
    "finance financial finding fine finger finish fire fired firm first fish fit five fixed flag "
    "flat flight floor flow fly focus follow food foot football forbid force forced forces "
    "foreign forest forever forget forgive forgot form formal format formation former forward "
    "fought foundation founded founder founding four fourth fox frame free freedom frequent fresh "
    "friend front frustrated fuel full fun function fund funny further future gain gallery game "
    "games garden gas gather gave general generate generation gentle genuine german giant girl "
    "girlfriend gives giving glad glass global goal goes gold gone goods google gorgeous gotten "
    "government governor grace grade gradually graduate graduated grammar grant grateful gray "
    "greater green grew grey ground group grow grown growth guarantee guard guess guest guide "
    "guilty guitar gun guy hadn hair half hall hand handle handsome hang happiness happy hard "
    "harm harmful hate haven head health hear heard heart heat heavily heavy height held hell "
    "helped helpful helping heritage hero hesitate hidden hide high higher highest hip hire hired "
    "historical history hit hold hole home honest honor hope hoping horrible horror horse "
    "hospital host hot hotel hour house household houses however human hundred hung hurt husband "
    "ice ideal identical identify identity ignore illegal image images imagine immediately impact "
    "implement importance impossible impress impression impressive improve improved improvement "
    "inches incident include included includes including income incorporated incorrect increase "
    "increased increasing indeed independence independent india indian indicated individual "
    "industrial industry influence influenced inform ingredient initial injury inner innocent "
    "insist inspire inspired install instead institute institution insurance intelligence "
    "intelligent intend interest interior internal international internet interview introduce "
    "introduced introduction invasion invent invest investigation investment invite invited "
    "involve involved iron island isn issue issued issues item jazz jealous job join joint joke "
    "journal journalist journey jump junior justify keeping kept key kick kid kill kiss kitchen "
    "knees knew knife knowing knowledge known label labor labour lack lady laid lake land lane "
    "language languages laptop largely larger largest last late lately later latter laugh launch "
    "law lawyer lay layer lazy lead leader leadership learn least leave leaves leaving led left "
    "leg legal legislative legit lend length less lesson letter level liberal library license lie "
    "life lift light liked likely limit limitation line lines link lip listed listen lit "
    "literature live lived lives living loan local locate located location locked lonely long "
    "longer looked looking lose losing loss lost loud love loved lovely low lower lucky lying "
    "lyrics machine mad magazine magic mainly maintain majority making male males man manage "
    "managed management manager manner map marine mark market marriage married marry mass master "
    "match material math matter mature max maximum meal meaning meant measure media median "
    "medical medicine medium meet member memorable memory men mental mention merged mess message "
    "met metal mid middle mild miles military million mind mining minister minor minute minutes "
    "mirror miss mission mistake mix mobile model modern mom moments money month moon morning "
    "mostly mother motion motivate motor mountain mouth move moved movement movie movies moving "
    "multi multiple murder museum music musical musician names narrow nasty nation national "
    "native natural nature naval near nearby neat neck needs negative neighborhood neither "
    "nervous network never news newspaper next nick night nine noise nominated non nor normally "
    "nose not notable notice noticed novel nuclear numbers numerous obey object objective "
    "observed obtained obvious occasion occupied occupy occur ocean odd offer office officer "
    "offices official oil older oldest once online open opera operate operated operating "
    "operation opportunity oppose opposed opposite orange orchestra order ordinary organic "
    "organisation organise organization organize origin original otherwise outcome outer "
    "outstanding overall overcharged overcome overseas owned owner pack page pages paid pain "
    "painful painted painting paintings pair palm paper parents part participate particularly "
    "partner partnership pass passenger passport password past path patients pattern pay payment "
    "peace peak percent perception perform performance period permanent permit personal personnel "
    "perspective persuade phase philosophy phone photo physical physics piano pick picture "
    "pictures piece pieces pilot pink place placed places plain plan planet plant plate platform "
    "play played player playing plays pleasant pleasure plot plus pocket poet poetry point police "
    "policy polish polite political politician politics pool poor pop population port portion "
    "position positive possess post power powerful practical practice pray pre precise predict "
    "prefer prepare prepared presence presented president presidential press pressure pretend "
    "pretty prevail prevent previous price primarily primary prime principal prior prison private "
    "prize probably problem proceed produce produced producer producing product production "
    "professional professor profile profit program programme progress project promise promote "
    "promoted promotion properties property proposed pros protect protection protein proud prove "
    "proved provide provided provides providing public publish pull punish purchase purchased "
    "pure purpose pursue push putting qualified qualities quality quick quiet quit race races "
    "radio rail railway rain raise raised ran random range rank rapid rare rate reach react "
    "reaction read realise reality realize realized rear reason receive received receiving recent "
    "recipe recognition recognize recognized record recover red reduce reduced reference referred "
    "refers reflect reform refund refuse refused regarded regiment region regional register "
    "regret regularly reject relate related relation relationship relatively relax release "
    "released reliable religion religious rely remain remarkable remember remind remove removed "
    "renamed rent repair replace replaced replied reply report represent representative "
    "representatives require requirement research reset residence residents resigned resist "
    "resistance resolution resolve resources respect respectively respond response responsibility "
    "responsible rest restaurant restore restrict result retain retirement retrieved return "
    "reveal reverse review revolution rich rid ridiculous right ring rise rising risk river road "
    "rock role roles roll roof room rose rough round route row royal rude ruin rule ruled rules "
    "run runner rural rush sad safe safety saint salary sale sales salt sand satisfied save saw "
    "saying says scale scared scary scene scenes schedule scheduled school science sciences "
    "scientific score scored scoring screen season seat second secret section sector security "
    "seeing seek seemed seen select selection self sell semi send senior sense sensitive sent "
    "sentence separate separated sequence series serious serve served server serves service "
    "services serving session set settle severe sex sexual shape share shared sharp shine ship "
    "shirt shit shock shoes shooting shop shore short shot shoulder show shown shut shy sick side "
    "sides sight sign signal silence silent silly silver similar similarities similarity simon "
    "sincere singer singing single singles sister sit situated situation six sixth size skill "
    "skin sky sleep slight slow smaller smart smell smile smooth snow soccer social society soft "
    "software soldiers solid solve sometimes son song soul sound source sources space spare speak "
    "special species specifically speech speed spend spent spirit split spoke spoken sport spot "
    "spread spring staff stage stairs stance stand standard stare staring stars starts state "
    "statement states stating station status stay stayed steady steal steam steel stick stock "
    "stomach stone stood stop storage store stores stories storm story straight strange "
    "strategies strategy stream street strength strict strike string strong structure structures "
    "struggle student studied studies study stuff stupid style sub subject substantial succeeded "
    "success successful sudden suffer sufficient suicide suit summary summer sun super supply "
    "support suppose surface surprise surprised surprising surrounded surrounding survey survive "
    "survived suspect swallow sweet swim swing sword symptom system table tackle takes taking "
    "talk tall tank target task taste taught tax teach teacher team technical technology teeth "
    "television telling tells temperature ten tendency tennis terminal terrible territory test "
    "text thankful theme theory therefore thick thin thinking third thought thousand threat "
    "threaten three throat throw thus ticket tie tied tight tiny tired title titles together told "
    "tomorrow tone tongue tonight took tool topic total touch tough tour tournament tower town "
    "track trade tradition traditional traffic train trait transaction transfer translate "
    "translation transport transportation travel treat treatment tree trees tremendous trend "
    "trial trick tries trip troops trouble truck trump trust truth turn twice twin two typical "
    "ugly ultimate ultimately unable uncle uncomfortable underground underrated understand "
    "understood unexpected unhappy unique unit universal universe universities university unknown "
    "unlike unlikely unusual update upgrade upload upper upset urgent user usual vague valid "
    "valuable value values variety vary vast vehicle vehicles version vice victory video violence "
    "visible vision visit vital voice volume von vote voted votes wait wake walk wall wanted "
    "wants war ward warm warn wasn watch water wave weak weapon wear weather web website wedding "
    "week weekend weight weird welcome went weren wet wheel white whole wide widely wife wild "
    "willing win wind window wing winner winter wise wish withdraw wolf woman women won wondered "
    "wood wooden word worked workers working works worldwide worried worry worse worship worst "
    "worth wouldn wrestling write writer writing wrong wrote year yell yellow yesterday younger "
    "youth youtube zone";

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
    "to into than over by onto of against for as a nach para vers hasta verso bis 到 "
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
    "km kms kilometer kilometers kilometre kilometres ; m meter meters metre metres ; cm cms "
    "centimeter centimeters centimetre centimetres ; mm millimeter millimeters millimetre "
    "millimetres ; nm nanometer nanometers ; mi mile miles ; ft foot feet ; inch inches ; yd yard "
    "yards ; kg kgs kilo kilos kilogram kilograms ; g gram grams gm gms ; mg milligram milligrams "
    "; mcg μg microgram micrograms ; lb lbs ; !pound pounds £ gbp sterling quid ; oz ounce ounces "
    "; ton tons tonne tonnes ; l liter liters litre litres ; ml milliliter milliliters millilitre "
    "millilitres ; gal gallon gallons ; cup cups ; ms millisecond milliseconds ; sec secs second "
    "seconds ; min mins minute minutes ; h hr hrs hour hours ; day days ; week weeks ; month "
    "months ; yr yrs year years ; decade decades ; century centuries ; b byte bytes ; kb kilobyte "
    "kilobytes ; mb megabyte megabytes ; gb gigabyte gigabytes gig gigs ; tb terabyte terabytes ; "
    "kbps ; mbps ; gbps ; hz hertz ; khz ; mhz ; ghz ; w watt watts ; kw kilowatt kilowatts ; kwh "
    "; v volt volts ; amp amps ampere amperes ; mah ; kcal calories calorie cal ; kj ; kmh kph ; "
    "mph ; % percent percentage pct ; !$ usd dollar dollars bucks ; !€ eur euro euros ; !₹ inr rs "
    "rupee rupees ; !¥ jpy yen ; !cny rmb yuan ; !chf franc francs ; !cad ; !aud ; !₽ rub ruble "
    "rubles ; !btc bitcoin bitcoins ; cent cents ; ° degree degrees ; celsius centigrade ; "
    "fahrenheit ; kelvin ; px pixel pixels ; am a.m ; pm p.m ; bc bce";

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
    "gestern hier ayer ; tomorrow morgen demain manana ; spring ; summer ; autumn ; winter ; "
    "christmas ; easter ; midnight ; noon";

static const char LISTS[] =
    "top best most worst good great example examples reason reasons way ways thing things tip "
    "tips some favorite favourite different main major fact facts";

static const char PERIOD[] =
    "day week weekend month quarter year night season semester decade century summer winter";

/* Each row: words that may stand for each other in a question. */
static const char SAME[] =
    "buy purchase bought buying ; make made making create created build built develop developed "
    "construct producing ; quick fast rapid ; begin started start began begun ; show display "
    "print showing shown ; big large huge ; small tiny little ; delete remove erase ; movie film "
    "films movies flick ; phone mobile smartphone cellphone cell ; pic picture photo image "
    "photograph pictures photos ; error issue problem trouble bug ; fix solve repair resolve ; "
    "kid child children kids childhood ; woman women lady ladies female ; girl girls ; man men "
    "male guy guys ; boy boys ; person people human humans ; company firm business companies ; "
    "job career work profession ; money cash ; pay paid payment salary wage income ; find found "
    "locate ; get got obtain gain acquire ; learn study learned learnt studying studies ; teach "
    "taught ; write wrote written writing ; speak spoke spoken talk ; choose chose chosen select "
    "pick ; think thought ; know knew known ; sell sold ; send sent ; go went gone ; come came ; "
    "eat ate eaten ; see saw seen watch view ; take took taken ; give gave given ; win won ; lose "
    "lost ; leave left ; keep kept ; meet met ; forget forgot forgotten forgetting ; break broke "
    "broken ; steal stole stolen ; grow grew grown ; rise rose risen ; run ran running ; drive "
    "drove driven ; fall fell fallen ; feel felt ; die died death dead dying ; lie lying ; marry "
    "married marriage ; math maths mathematics ; exam examination test exams ; bike bicycle ; car "
    "automobile vehicle ; tv television ; pc computer ; app application apps ; info information ; "
    "ad advertisement ads advert ; email mail e-mail ; usa america us states american ; uk "
    "britain england ; india indian indians ; china chinese ; germany german ; japan japanese ; "
    "russia russian ; favorite favourite ; color colour ; center centre ; organize organise ; "
    "smart intelligent clever intelligence ; improve enhance ; stop quit prevent avoid rid "
    "overcome ; cost price fee charge ; reason reasons cause causes why ; important importance "
    "significance significant ; difference differ different distinguish distinction differences ; "
    "long length ; old age aged ; tall height ; heavy weight ; ok okay ; hard difficult tough "
    "difficulty ; easy simple easily easiest simplest ; famous popular ; rich wealthy ; website "
    "site web websites internet online blog ; university college ; country nation ; city town ; "
    "road street ; doctor physician ; boss manager ; vendor seller ; beginner starter newbie "
    "beginners ; interesting fun fascinating ; funny hilarious funniest ; mind-blowing amazing "
    "mindblowing ; nearly almost ; probability chance chances likelihood ; benefit advantage "
    "benefits advantages pros ; disadvantage drawback cons disadvantages drawbacks ; happen occur "
    "occurred ; need require required requirement ; want wish desire ; let allow ; hate dislike ; "
    "love like ; help assist ; use used uses using usage ; prepare preparing preparation ; "
    "install installation ; cancel cancellation ; recover restore recovery retrieve ; reset "
    "change ; password passcode ; login signin log ; wait waiting ; weed marijuana cannabis ; "
    "cure treat treatment ; illness disease ; life lives living live ; wife wives ; sex "
    "intercourse ; relationship relation ; true real truth ; anyways anyway ; till until ; also "
    "too ; hear heard ; tooth teeth ; foot feet ; mouse mice ; criterion criteria ; datum data ; "
    "analysis analyses analyze analyse ; crisis crises ; currency currencies ; meaning means mean "
    "meant define definition ; purpose point goal ; way method technique methods techniques ; "
    "example instance ; book books novel ; song music songs ; food dish ; trip travel journey "
    "tour ; flat apartment ; measure calculate determine compute ; worship pray ; greatest "
    "biggest ; level layer ; density dense ; abuse abusive ; daily everyday ; often frequently ; "
    "night evening ; told said tell say ; recipe ingredients ; effect affect impact influence ; "
    "answer reply respond response ; update upgrade ; refrigerator fridge ; government govt ; "
    "advice tips suggestions suggestion tip ; crack hack cracked hacked ; hindu hinduism ; islam "
    "muslim ; legal legalised legalized ; region part area ; below under less ; helpful "
    "beneficial useful ; scared afraid ; forbid forbidden prohibit prohibited ban banned ; weird "
    "weirdest strange strangest ; wrong incorrect ; abroad overseas ; surprising unexpected ; "
    "stupid dumb ; finish complete end ; arrive arrival ; delay late ; transfer move ; card cards "
    "; verify verification ; identify identity ; activate activation ; exchange convert ; decline "
    "reject ; support accept ; track trace ; stuff things ; stance position opinion ; consume "
    "swallow ; toxic poisonous ; reservation booking book ; help support ; main primary ; close "
    "near nearby ; luggage baggage ; holiday vacation ; taxi cab ; lift elevator ; invoice bill ; "
    "parcel package ; permit allow ; shop store ; picture pic";

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
  load_class(COMMON, WORD_COMMON);
  load_class(NEGATION, WORD_NEGATION);
  load_class(PERIOD, WORD_PERIOD);
  load_class(LISTS, WORD_LISTS);
  load_class(ARTICLE, WORD_ARTICLE);
  load_class(RELATION, WORD_RELATION);
  load_class(TIE, WORD_TIE);
  load_class(PREPOSITION, WORD_PREPOSITION);
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
