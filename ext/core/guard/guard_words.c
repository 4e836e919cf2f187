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

#include "core/guard/guard_lists.h"

#include <pthread.h>
#include <string.h>

enum { MAX_WORDS = 10000, SLOTS = 32768 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static GuardWord words[MAX_WORDS]; /* words[0] is none */
static uint16_t slots[SLOTS];
enum { FOREIGN_DATE = 128 }; /* English ones are below */
size_t guard_foreign_pair;
static size_t n_words = 1;

static const char STOP[] =
    "a an the this that these those it its itself i me my mine myself we us our ours ourselves you "
    "your yours yourself u ur he him his himself she her hers herself they them their theirs "
    "themselves one ones someone somebody anyone anybody "
    "am is are was were be been being do does did done doing have has had having will would shall "
    "should can could may might must ought let lets get gets got getting "
    "and or but if so as of at by for in on to from into onto upon with within about "
    "than then there here such some any all each every also too just even only very really "
    "who whom whose which what whats when where why how whether while because since though "
    "although "
    "please pls plz kindly hi hello hey dear thanks thank thx greetings ok okay sorry excuse "
    "s t d m ll re ve etc eg ie yes oh well quite rather "
    "out up down off over around through throughout during among amongst between after before "
    "towards toward per regarding across along against via until till upon under above below "
    "behind beside besides except inside outside without unless whereas become becomes became "
    "being going gonna wanna else im ive dont";

static const char VAGUE[] =
    "way ways thing things something anything people person good great nice best better "
    "easy easily easiest simple actual actually real currently now today ever "
    "many much lot lots more most few several various different certain other others another "
    "kind kinds type types sort example examples "
    "make use using want need needed like know knows think see say said tell give given find go "
    "going come take become try help work "
    "possible able available time times still yet already again always usually often mean means "
    "recommend suggest suggested exactly basically generally possibly maybe perhaps fully "
    "completely totally truly simply question questions answer details following "
    "tips advice idea ideas anyway around own "
    "united same start considered called named name happen happens feel look looks opinion view "
    "views "
    "explain describe wondering wonder information info possibly "
    "exact true truly sure soon still thing everything something nothing somewhere anywhere "
    "everyone everybody guys folks person persons world useful effective prominent normal basic "
    "suitable relevant potential upcoming present existing given required necessary "
    "important significant main major top greatest biggest biggest nicest wonderful fantastic "
    "amazing awesome interesting fascinating favorite favourite cool perfect proper properly "
    "specific particular regular common commonly popular famous various lots plenty bunch "
    "try trying tried start started starting begin keep put bring seem seems tend supposed going "
    "consider considering considered regards regard term terms case cases fact facts list "
    "used using use uses utilize method methods step steps process procedure technique techniques "
    "option options solution solutions possibility chance chances chance able ability "
    "happen happened happening going buy get obtain find found search "
    "number amount many couple often frequently times time moment nowadays days anymore anyhow "
    "somehow whatever whichever ask asked asking request written taken done made makes "
    "made being become becoming young old new newly big large huge massive little small";

static const char COMMON[] =
    "abandoned abroad absolutely academic accept accepted access accident accomplish according "
    "account accused achieve achieved acquire acquired act acting action actions active actively "
    "activities activity actor actress acts adapt add added addition additional address admire "
    "admit admitted adopt adopted adult advance advanced advantage affairs affect affected "
    "affects afford afraid afternoon age aged agency agent ages ago agree agreed agreement "
    "agriculture ahead aid aim air aircraft aired airport album albums alex alike alive allow "
    "allowed allowing allows almost alone alter alternative amateur amazed america american "
    "analysis ancient angel anger angry animal animals anniversary announced annoyed annoying "
    "annual answered anti apart apparently appear appearance appeared appears application "
    "applications applied apply appointed appreciate approach approached appropriate approved "
    "approximate approximately architecture area areas aren arena arm armed arms arrange arranged "
    "arrested arrival arrive arrived art article articles artist artists arts ashamed aside asks "
    "aspect aspects ass assigned assistance assistant associate associated assume assumed "
    "athletic attached attack attacked attacks attempt attempted attempts attend attendance "
    "attended attention attitude attorney attract attractive audience author authority average "
    "avoid award awarded aware away awful baby bachelor back background backing bad bag balance "
    "ball band bands bank banks bar barely base baseball based basics basis basketball bass beach "
    "bear beat beautiful beauty bed bedroom beer began beginning behavior behaviour believe "
    "believed belong beneficial benefit benefits bet beyond bill billion bird birds birth "
    "birthday bit black blame block blood blow blue blues board boat bodies body bond book books "
    "border boring born both bother bottom bought bound box boy boyfriend boys brain branch brand "
    "brave break breaking breath brick bridge brief bright bringing broad broadcast broke broken "
    "bronze brother brothers brought brown budget build building buildings built burn burning bus "
    "business busy cabinet calculate call calling calls calm came camera camp campaign campus "
    "canal cancel canceled cancelled cancer candidate candidates cannot capable capacity capital "
    "captain capture captured car card cards care career careful carefully carried carry carrying "
    "cars cash cast catch category caught cause caused causes causing celebrate cell cells "
    "cemetery center central centre centuries century ceremony certainly chain chair chairman "
    "challenge champion championship change changed changes changing channel character "
    "characteristic characteristics characters charge charged chart chase cheap cheat check cheek "
    "chemical chest child children chin choice choices choose chose chosen church churches circle "
    "circuit circumstances cities citizens city civil claim claimed claims class classes "
    "classical classify clean clear clearly clever climate climb clock close closed closer "
    "closing clothes clubs coach coal coat code coffee cold collect collected collection college "
    "colonial color com combat combination combine combined comedy comes comic coming command "
    "commercial commission commissioned commit communicate communication communist communities "
    "community companies company compare compared comparison competed competition complain "
    "complete completed complex complicated compose composed computer concentrate concept concern "
    "concerned concert concluded conclusion concrete condition conditions conducted conference "
    "confident confirm confirmed conflict confuse confused connect connected connection "
    "consecutive consequence consequences conservative consist consisting constant construct "
    "constructed construction consume contact contain contained containing contains contemporary "
    "content contest continue continued continues contract contribute contributed control "
    "controlled convenient convention conversation convert converted convince cook cope copies "
    "core correct cost costs couldn count counter countries country course courses courts cover "
    "covered crack cracked crazy create created creating creation credit crew cricket crime "
    "criminal crisis criteria critical critics cross crossed crowd crown cruel cry cultural "
    "culture cup curious currency current customer cut cycle dad daily damage damn dance danger "
    "dangerous dark darkness data date dates dating daughter day dead deal dealing death decade "
    "decades decent decide decided decision declared decline dedicated deep defeat defeated "
    "defence defend defense define defined definite definitely definition degree degrees delete "
    "deliver delivered delivery demand density deny department depend depressed depression der "
    "derived described desert deserve design designated designed desire desk despite destroy "
    "destroyed detail detect determine determined develop developed developing development device "
    "didn die died differ difference difficult dig digital dinner direct directed direction "
    "directly director directors dirty disappear disappeared discover discovered discovery "
    "discuss disease dislike display distance distinct distinctive distinguish distributed "
    "distribution districts disturb divided division doctor document documents doesn dog dollar "
    "domestic don door doors double doubt download draft drama dramatic dramatically draw drawing "
    "drawn dream dress drink drive driven driver driving drop dropped drove drug dry due dumb "
    "duty dynasty ear earlier early earn earned earth easier eat eating economic economy edge "
    "edition editor educated education educational effect effects efficient effort efforts eight "
    "either elect elected election elections electric electronic element elements eleven "
    "eliminate email embarrassing emergency emotion emotional emperor employ employed employees "
    "empty encourage end ended ending ends enemy energy engage engaged engine engineer "
    "engineering engines english enjoy enough ensure enter entered entertainment entire entirely "
    "entrance entry environment environmental episode episodes equal equipment era error escape "
    "especially establish established estate estimate estimated evaluate evening event events "
    "eventually everyday evidence evil exam examine excellent exchange excited exclude executive "
    "exercise exhausted exist existence expand expansion expect expected expensive experience "
    "experienced explained explore express expression extend extended extension extensive extent "
    "extra extreme extremely eye eyes face facebook faced faces facilities facing factor factors "
    "factory faculty fail failed failure fair faith fake fall fallen falling falls false fame "
    "familiar families family fan fancy fans far farm fashion fast faster father fault fear "
    "feature featured features federal feed feeling feelings feet fell fellow felt female females "
    "fiction field fields fifteen fifth fight fighter fighting figure figures file fill filled "
    "film films final finally finance financial finding fine finger fingers finish finished "
    "finishing fire fired firm first fish fit five fixed flag flat flight floor flow fly flying "
    "focus focused follow followed follows food foot football forbid force forced forces foreign "
    "forest forever forget forgive forgot form formal format formation formed former forms "
    "forward fought foundation founded founder founding four fourth fox frame free freedom "
    "frequent fresh friend friendly friends front frustrated fuel full fun function functions "
    "fund funding funds funny further future gain gained gallery game games garden gas gather "
    "gave general generate generation gentle genuine german giant girl girlfriend girls gives "
    "giving glad glass global goal goals goes gold gone goods google gorgeous gotten government "
    "governor grace grade gradually graduate graduated grammar grant granted grateful gray "
    "greater green grew grey ground grounds group groups grow growing grown growth guarantee "
    "guard guess guest guide guilty guitar gun guns guy hadn hair half hall hand handle hands "
    "handsome hang happiness happy hard hardly harm harmful hate haven head heads health healthy "
    "hear heard hearing heart heat heavily heavy height held hell helped helpful helping heritage "
    "hero hesitate hidden hide high higher highest highly hip hire hired historical history hit "
    "hits hold holding holds hole home honest honestly honor hope hoping horrible horror horse "
    "hospital host hot hotel hour hours house household households houses however human humans "
    "hundred hung hurt husband ice ideal identical identify identity ignore illegal image images "
    "imagine immediately impact implement importance impossible impress impression impressive "
    "improve improved improvement inches incident include included includes including income "
    "incorporated incorrect increase increased increasing indeed independence independent india "
    "indian indicated individual individuals industrial industry influence influenced inform "
    "ingredient ingredients initial initially injury inner innocent insist inspire inspired "
    "install installed instead institute institution institutions insurance intelligence "
    "intelligent intend intended interest interested interests interior internal international "
    "internet interview introduce introduced introduction invasion invent invest investigation "
    "investment invite invited involve involved iron island isn issue issued issues item items "
    "jazz jealous job join joined joining joint joke journal journalist journey jump junior "
    "justify keeping kept key kick kid kidding kids kill killed killing kiss kissed kitchen knees "
    "knew knife knowing knowledge known label labor labour lack lady laid lake land landing lands "
    "lane language languages laptop largely larger largest last lasting late lately later latter "
    "laugh launch launched law laws lawyer lay layer layers lazy lead leader leaders leadership "
    "leading leads learn learned learning least leave leaves leaving led left leg legal "
    "legislative legit legs lend length less lesson lessons letter letters level levels liberal "
    "library license lie lies life lift lifted light lights liked likely limit limitation "
    "limitations limited limits line lines link lip lips listed listen lit literature live lived "
    "lives living loan local locate located location locations locked lonely long longer looked "
    "looking lose losing loss lost loud love loved lovely low lower lucky lying lyrics machine "
    "mad magazine magic mainly maintain majority making male males man manage managed management "
    "manager manner map marine mark marked market marketing marriage married marry mass master "
    "match matches material materials math matter mature max maximum meal meaning meant measure "
    "media median medical medicine medium meet meeting member members memorable memory men mental "
    "mention mentioned merged mess message met metal mid middle mild miles military million mind "
    "mining minister minor minute minutes mirror miss missing mission mistake mix mixed mobile "
    "model models modern mom moments money month months moon morning mostly mother motion "
    "motivate motor mountain mountains mouth move moved movement movie movies moving multi "
    "multiple murder museum music musical musician musicians names narrow nasty nation national "
    "nations native natural nature naval near nearby nearly neat neck needs negative neighborhood "
    "neither nervous network never news newspaper next nick night nine noise nominated non none "
    "nor normally nose not notable note notes notice noticed novel nuclear numbers numerous obey "
    "object objective objects observed obtained obvious obviously occasion occupied occupy occur "
    "occurred occurs ocean odd offer offered offering offers office officer officers offices "
    "official officially officials oil older oldest once online open opened opening opera operate "
    "operated operating operation opportunity oppose opposed opposite orange orchestra order "
    "ordered orders ordinary organic organisation organise organization organizations organize "
    "origin original originally otherwise outcome outer outstanding overall overcharged overcome "
    "overseas owned owner pack page pages paid pain painful painted painting paintings pair palm "
    "paper papers parents part participate particularly parties partner partnership parts party "
    "pass passed passenger passengers passing passport password past path patients pattern pay "
    "payment peace peak percent perception perform performance performed performing period "
    "permanent permit personal personnel perspective persuade phase philosophy phone photo "
    "physical physics piano pick picture pictures piece pieces pilot pink place placed places "
    "plain plan plane planet planned planning plans plant plants plate platform play played "
    "player players playing plays pleasant pleasure plot plus pocket poet poetry point points "
    "police policy polish polite political politician politics pool poor pop population port "
    "portion position positions positive possess post power powerful powers practical practice "
    "pray pre precise predict prefer prepare prepared presence presented president presidential "
    "press pressed pressure pretend pretty prevail prevent previous previously price primarily "
    "primary prime principal prior prison private prize probably problem problems proceed produce "
    "produced producer producing product production products professional professor profile "
    "profit program programme programming programs progress project projects promise promote "
    "promoted promotion properties property proposed pros protect protected protection protein "
    "proud prove proved provide provided provides providing public publish published publishing "
    "pull pulled pulling punish purchase purchased pure purpose pursue push putting qualified "
    "qualities quality quick quickly quiet quietly quit race races radio rail railway rain raise "
    "raised ran random range rank ranked ranking rapid rare rate reach reached reaching react "
    "reaction read reading ready realise reality realize realized rear reason reasons receive "
    "received receiving recent recently recipe recognition recognize recognized record recorded "
    "recording records recover red reduce reduced reference referred refers reflect reform refund "
    "refuse refused regarded regiment region regional regions register registered regret "
    "regularly reject relate related relation relations relationship relatively relax release "
    "released reliable religion religious rely remain remained remaining remains remarkable "
    "remember remembered remind remove removed renamed rent repair replace replaced replied reply "
    "report reported reports represent representative representatives represented representing "
    "require requirement requirements research reset residence residents resigned resist "
    "resistance resolution resolve resources respect respectively respond response responsibility "
    "responsible rest restaurant restore restrict result resulted results retain retirement "
    "retrieved return returned returning reveal revealed reverse review reviews revolution rich "
    "rid ride ridiculous right rights ring rise rising risk river road roads rock role roles roll "
    "rolled roof room rooms rose rough round route row royal rude ruin rule ruled rules run "
    "runner running runs rural rush sad safe safety saint salary sale sales salt sand satisfied "
    "save saw saying says scale scared scary scene scenes schedule scheduled school schools "
    "science sciences scientific score scored scoring screen season seasons seat seats second "
    "seconds secret section sections sector security seeing seek seemed seen select selected "
    "selection self sell selling semi send senior sense sensitive sent sentence separate "
    "separated sequence series serious serve served server serves service services serving "
    "session set sets setting settle severe sex sexual shape share shared sharp shine ship shirt "
    "shit shock shoes shooting shop shore short shot shoulder shoulders show showed showing shown "
    "shows shut shy sick side sides sight sign signal signed signs silence silent silly silver "
    "similar similarities similarity simon sincere singer singing single singles sister sisters "
    "sit site sites sitting situated situation six sixth size skill skills skin sky sleep slight "
    "slightly slow slowly smaller smart smell smile smooth snow soccer social society soft "
    "software soldiers solid solve sometimes son song songs soul sound sounds source sources "
    "space spare speak speaking special species specifically speech speed spend spent spirit "
    "split spoke spoken sport sports spot spread spring staff stage stairs stance stand standard "
    "standards standing stands stare staring stars starts state statement states stating station "
    "stations status stay stayed steady steal steam steel stick stock stomach stone stood stop "
    "stopped storage store stores stories storm story straight strange strategies strategy stream "
    "street streets strength strict strike string strong structure structures struggle student "
    "students studied studies study stuff stupid style sub subject substantial succeeded success "
    "successful successfully sudden suddenly suffer suffered sufficient suicide suit summary "
    "summer sun super supply support supported supporting suppose surface surprise surprised "
    "surprising surrounded surrounding survey survive survived suspect swallow sweet swim swing "
    "sword symptom symptoms system systems table tackle takes taking talk talking tall tank "
    "target task taste taught tax teach teacher teachers teaching team technical technology teeth "
    "television telling tells temperature ten tendency tennis terminal terrible territory test "
    "text thankful theme theory therefore thick thin thinking third thought thoughts thousand "
    "thousands threat threaten three throat throw thus ticket tie tied tight tiny tired title "
    "titles together told tomorrow tone tongue tonight took tool tools topic total touch touched "
    "tough tour tournament tower town towns track tracks trade tradition traditional traffic "
    "train trained training trains trait traits transaction transfer transferred translate "
    "translation transport transportation travel treat treatment treaty tree trees tremendous "
    "trend trial trick tries trip troops trouble truck trump trust truth turn turned turning "
    "turns twice twin two typical typically ugly ultimate ultimately unable uncle uncomfortable "
    "underground underrated understand understanding understood unexpected unhappy unique unit "
    "universal universe universities university unknown unlike unlikely unusual update upgrade "
    "upload upper upset urgent user users usual vague valid valuable value values variety vary "
    "vast vehicle vehicles version versions vice victory video violence visible vision visit "
    "visited vital voice volume von vote voted votes wait waited waiting wake walk walked walking "
    "wall walls wanted wants war ward warm warn warning wasn watch watched watching water wave "
    "weak weapon weapons wear wearing weather web website wedding week weekend weekly weeks "
    "weight weird welcome went weren wet wheel white whole wide widely wife wild willing win wind "
    "window windows wine wing wings winner winners winning wins winter wise wish withdraw wolf "
    "woman women won wondered wood wooden word words worked workers working works worldwide "
    "worried worry worse worship worst worth worthy wouldn wrestling write writer writers writing "
    "wrong wrote year years yell yellow yesterday younger youth youtube zone";

/* German, French, Spanish: only words that are not English ones too. */
static const char NEGATION[] =
    "not no never without cannot dont doesnt didnt isnt arent wasnt werent cant couldnt wont "
    "wouldnt shouldnt hasnt havent hadnt mustnt neednt neither nor none nobody nothing nowhere "
    "non unable hardly barely except excluding lacking impossible aint nt "
    "nicht kein keine keinen keinem keiner nie niemals ohne weder "
    "pas jamais aucun aucune sans rien "
    "nunca jamas sin ningun ninguna ninguno nada tampoco";

static const char ARTICLE[] = "a an the my your our his her its their this that these those";
static const char RELATION[] =
    "to into than over by onto of against for as a nach \xE5\x88\xB0 \xE8\x87\xB3 "
    "\xE0\xA4\xB8\xE0\xA5\x87"; /* "a" is French, Spanish, Italian and Portuguese */
static const char FROM[] = "from von aus desde depuis da \xE4\xBB\x8E \xE7\x94\xB1";
static const char TO[] = "to into onto nach hacia vers para \xE5\x88\xB0 \xE8\x87\xB3";
static const char ONLY[] = "only solely exclusively nur seulement uniquement solamente unicamente "
                           "soltanto somente \xE5\x8F\xAA \xE4\xBB\x85 "
                           "\xE0\xA4\x95\xE0\xA5\x87\xE0\xA4\xB5\xE0\xA4\xB2 "
                           "\xE0\xA4\xB8\xE0\xA4\xBF\xE0\xA4\xB0\xE0\xA5\x8D\xE0\xA4\xAB";

/* Words that mean something else with a capital: names, and types of programming languages. What
** only a typist leaves small ("paris", "windows") is not here. */
static const char CASED[] =
    "turkey china polish apple may march august jersey chile japan lima nice reading cologne bill "
    "mark rose jack frank grace hope faith mercury guinea bush lent pat orange shell target gap "
    "pole bath mobile job god catholic nan int integer string double float boolean bool object "
    "char byte long true false none";

/* Words that mean something else in capitals. */
static const char CAPS[] = "who it us aids";

/* Symbols of elements that are something else in capitals: CO is no cobalt. */
static const char ELEMENTS[] = "co cs hf no ni os po pb sn si sc ho ca cf cn bi in nb np";

/* What a single letter behind it is a label of, whatever its case: "vitamin c". "In C" too. */
static const char LABELS[] =
    "vitamin hepatitis plan grade class type section part group option drive in team gate "
    "terminal influenza schedule";

/* Words that are others with an accent or an umlaut, even where a text has no other: a\xC3\xB1o. */
static const char ACCENTED[] =
    "ano papa peche pecheur cote mure tache jeune schon fordern drucken zahlen mochte konnte hatte "
    "wurde masse busse flosse bar";

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

static const struct {
  const char *list;
  double first; /* the next word is one more */
} NUMBERS[] = {
    {"zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
     "fifteen sixteen seventeen eighteen nineteen twenty",
     0},
    {"first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth", 1},
    {"thirty", 30},
    {"forty", 40},
    {"fifty", 50},
    {"sixty", 60},
    {"seventy", 70},
    {"eighty", 80},
    {"ninety", 90},
    {"dozen", 12},
    {"twice", 2},
    {"thrice", 3},
    {"double", 2},
    {"triple", 3},
    {"once", 1},
    {"thirteenth", 13},
    {"twentieth", 20},
    {"single", 1}};

static const struct {
  const char *list;
  double value;
} SCALES[] = {{"hundred hundreds", 1e2},    {"thousand thousands", 1e3},
              {"lakh lakhs lac lacs", 1e5}, {"million millions mio", 1e6},
              {"crore crores", 1e7},        {"billion billions bn", 1e9},
              {"trillion trillions", 1e12}};

/* Each row one unit; "!" before currencies, which may stand before their number. */
static const char *const UNITS[] = {
    "km kms kilometer kilometers kilometre kilometres",
    "m meter meters metre metres",
    "cm cms centimeter centimeters centimetre centimetres",
    "mm millimeter millimeters millimetre millimetres",
    "nm nanometer nanometers",
    "mi mile miles",
    "ft foot feet",
    "inch inches",
    "yd yard yards",
    "kg kgs kilo kilos kilogram kilograms",
    "g gram grams gm gms",
    "mg milligram milligrams",
    "mcg \xCE\xBCg microgram micrograms",
    "lb lbs",
    "!pound pounds \xC2\xA3 gbp sterling quid",
    "oz ounce ounces",
    "ton tons tonne tonnes",
    "l liter liters litre litres",
    "ml milliliter milliliters millilitre millilitres",
    "gal gallon gallons",
    "cup cups",
    "ms millisecond milliseconds",
    "sec secs second seconds",
    "min mins minute minutes",
    "h hr hrs hour hours",
    "day days",
    "week weeks",
    "month months",
    "yr yrs year years",
    "decade decades",
    "century centuries",
    "b byte bytes",
    "kb kilobyte kilobytes",
    "mb megabyte megabytes",
    "gb gigabyte gigabytes gig gigs",
    "tb terabyte terabytes",
    "kbps",
    "mbps",
    "gbps",
    "hz hertz",
    "khz",
    "mhz",
    "ghz",
    "w watt watts",
    "kw kilowatt kilowatts",
    "kwh",
    "v volt volts",
    "amp amps ampere amperes",
    "mah",
    "kcal calories calorie cal",
    "kj",
    "kmh kph",
    "mph",
    "% percent percentage pct",
    "!$ usd dollar dollars bucks",
    "!\xE2\x82\xAC eur euro euros",
    "!\xE2\x82\xB9 inr rs rupee rupees",
    "!\xC2\xA5 jpy yen",
    "!cny rmb yuan",
    "!chf franc francs",
    "!cad",
    "!aud",
    "!\xE2\x82\xBD rub ruble rubles",
    "!btc bitcoin bitcoins",
    "cent cents",
    "\xC2\xB0 degree degrees",
    "celsius centigrade",
    "fahrenheit",
    "kelvin",
    "px pixel pixels",
    "am a.m",
    "pm p.m",
    "bc bce",
};

/* Each row one date; "!" before words that are dates only where written as such. */
static const char *const DATES[] = {
    "january jan januar janvier enero",
    "february feb februar f\xC3\xA9vrier febrero",
    "!march mar m\xC3\xA4rz marzo",
    "april apr avril abril",
    "!may mai mayo",
    "june jun juni juin junio",
    "july jul juli juillet julio",
    "august aug ao\xC3\xBBt agosto",
    "september sept sep septembre septiembre",
    "october oct oktober octobre octubre",
    "november nov novembre noviembre",
    "december dec dezember d\xC3\xA9"
    "cembre diciembre",
    "monday montag lundi lunes",
    "tuesday tue tues dienstag martes",
    "wednesday weds mittwoch mercredi mi\xC3\xA9rcoles",
    "thursday thu thur thurs donnerstag jeudi jueves",
    "friday fri freitag vendredi viernes",
    "saturday samstag samedi s\xC3\xA1"
    "bado",
    "sunday sonntag dimanche domingo",
    "!mon",
    "!wed",
    "!sat",
    "!sun",
    "today todays tonight heute hoy",
    "yesterday gestern hier ayer",
    "tomorrow morgen demain ma\xC3\xB1"
    "ana",
    "spring",
    "summer",
    "autumn",
    "winter",
    "christmas",
    "easter",
    "midnight",
    "noon",
};

static const char LISTS[] =
    "top best most worst good great example examples reason reasons way ways thing things tip tips "
    "some favorite favourite different main major fact facts";

static const char PERIOD[] = "day week weekend month quarter year night season semester decade "
                             "century summer winter";

/* Each row: words that may stand for each other in a question. */
static const char *const SAME[] = {
    "buy purchase bought buying",
    "make made making create created build built develop developed construct producing",
    "quick fast rapid",
    "begin started start began begun",
    "show display print showing shown",
    "big large huge",
    "small tiny little",
    "delete remove erase",
    "movie film films movies flick",
    "phone mobile smartphone cellphone cell",
    "pic picture photo image photograph pictures photos",
    "error issue problem trouble bug",
    "fix solve repair resolve",
    "kid child children kids childhood",
    "woman women lady ladies female",
    "girl girls",
    "man men male guy guys",
    "boy boys",
    "person people human humans",
    "company firm business companies",
    "job career work profession",
    "money cash",
    "pay paid payment salary wage income",
    "find found locate",
    "get got obtain gain acquire",
    "learn study learned learnt studying studies",
    "teach taught",
    "write wrote written writing",
    "speak spoke spoken talk",
    "choose chose chosen select pick",
    "think thought",
    "know knew known",
    "sell sold",
    "send sent",
    "go went gone",
    "come came",
    "eat ate eaten",
    "see saw seen watch view",
    "take took taken",
    "give gave given",
    "win won",
    "lose lost",
    "leave left",
    "keep kept",
    "meet met",
    "forget forgot forgotten forgetting",
    "break broke broken",
    "steal stole stolen",
    "grow grew grown",
    "rise rose risen",
    "run ran running",
    "drive drove driven",
    "fall fell fallen",
    "feel felt",
    "die died death dead dying",
    "lie lying",
    "marry married marriage",
    "math maths mathematics",
    "exam examination test exams",
    "bike bicycle",
    "car automobile vehicle",
    "tv television",
    "pc computer",
    "app application apps",
    "info information",
    "ad advertisement ads advert",
    "email mail e-mail",
    "usa america us states american",
    "uk britain england",
    "india indian indians",
    "china chinese",
    "germany german",
    "japan japanese",
    "russia russian",
    "favorite favourite",
    "color colour",
    "center centre",
    "organize organise",
    "smart intelligent clever intelligence",
    "improve enhance",
    "stop quit prevent avoid rid overcome",
    "cost price fee charge",
    "reason reasons cause causes why",
    "important importance significance significant",
    "difference differ different distinguish distinction differences",
    "long length",
    "old age aged",
    "tall height",
    "heavy weight",
    "ok okay",
    "hard difficult tough difficulty",
    "easy simple easily easiest simplest",
    "famous popular",
    "rich wealthy",
    "website site web websites internet online blog",
    "university college",
    "country nation",
    "city town",
    "road street",
    "doctor physician",
    "boss manager",
    "vendor seller",
    "beginner starter newbie beginners",
    "interesting fun fascinating",
    "funny hilarious funniest",
    "mind-blowing amazing mindblowing",
    "nearly almost",
    "probability chance chances likelihood",
    "benefit advantage benefits advantages pros",
    "disadvantage drawback cons disadvantages drawbacks",
    "happen occur occurred",
    "need require required requirement",
    "want wish desire",
    "let allow",
    "hate dislike",
    "love like",
    "help assist",
    "use used uses using usage",
    "prepare preparing preparation",
    "install installation",
    "cancel cancellation",
    "recover restore recovery retrieve",
    "reset change",
    "password passcode",
    "login signin log",
    "wait waiting",
    "weed marijuana cannabis",
    "cure treat treatment",
    "illness disease",
    "life lives living live",
    "wife wives",
    "sex intercourse",
    "relationship relation",
    "true real truth",
    "anyways anyway",
    "till until",
    "also too",
    "hear heard",
    "tooth teeth",
    "foot feet",
    "mouse mice",
    "criterion criteria",
    "datum data",
    "analysis analyses analyze analyse",
    "crisis crises",
    "currency currencies",
    "meaning means mean meant define definition",
    "purpose point goal",
    "way method technique methods techniques",
    "example instance",
    "book books novel",
    "song music songs",
    "food dish",
    "trip travel journey tour",
    "flat apartment",
    "measure calculate determine compute",
    "worship pray",
    "greatest biggest",
    "level layer",
    "density dense",
    "abuse abusive",
    "daily everyday",
    "often frequently",
    "night evening",
    "told said tell say",
    "recipe ingredients",
    "effect affect impact influence",
    "answer reply respond response",
    "update upgrade",
    "refrigerator fridge",
    "government govt",
    "advice tips suggestions suggestion tip",
    "crack hack cracked hacked",
    "hindu hinduism",
    "islam muslim",
    "legal legalised legalized",
    "region part area",
    "below under less",
    "helpful beneficial useful",
    "scared afraid",
    "forbid forbidden prohibit prohibited ban banned",
    "weird weirdest strange strangest",
    "wrong incorrect",
    "abroad overseas",
    "surprising unexpected",

    "stupid dumb",
    "finish complete end",
    "arrive arrival",
    "delay late",
    "transfer move",
    "card cards",
    "verify verification",
    "identify identity",
    "activate activation",
    "exchange convert",
    "decline reject",
    "support accept",
    "track trace",
    "stuff things",
    "stance position opinion",
    "consume swallow",
};

static uint32_t hash(const char *text, size_t n) {
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < n; i++) {
    h = (h ^ (unsigned char)text[i]) * 16777619u;
  }
  return h ^ h >> 15;
}

/* The slot of the word, or the empty one where it would go. */
static size_t slot_of(const char *text, size_t n) {
  size_t at = hash(text, n) & (SLOTS - 1);
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

static void load_numbers(void) {
  for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
    const char *list = NUMBERS[i].list;
    double value = NUMBERS[i].first;
    size_t n;
    load_class(list, WORD_NUMBER);
    for (const char *w; (w = next_word(&list, &n)); value++) {
      entry(w, n)->number = value;
    }
  }
  for (size_t i = 0; i < sizeof SCALES / sizeof *SCALES; i++) {
    const char *list = SCALES[i].list;
    size_t n;
    load_class(list, WORD_NUMBER | WORD_SCALE);
    for (const char *w; (w = next_word(&list, &n));) {
      entry(w, n)->number = SCALES[i].value;
    }
  }
}

static void load_units(void) {
  for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
    int currency = UNITS[i][0] == '!';
    const char *list = UNITS[i] + currency;
    size_t n;
    load_class(list, currency ? WORD_UNIT | WORD_CURRENCY : WORD_UNIT);
    for (const char *w; (w = next_word(&list, &n));) {
      entry(w, n)->unit = (uint8_t)(i + 1);
    }
  }
}

static void load_dates(void) {
  for (size_t i = 0; i < sizeof DATES / sizeof *DATES; i++) {
    int namelike = DATES[i][0] == '!';
    const char *list = DATES[i] + namelike;
    size_t n;
    for (const char *w; (w = next_word(&list, &n)); namelike = 0) {
      GuardWord *e = entry(w, n);
      e->date = (uint8_t)(i + 1);
      e->classes |= WORD_DATE | (namelike ? WORD_NAMELIKE : 0u);
    }
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

/* Rows are numbered from `first` on; returns the number behind the last. Stems are English. */
static size_t load_opposites(const char *const (*rows)[GUARD_SIDES], size_t first) {
  int foreign = guard_foreign_pair > 0;
  for (; (*rows)[0]; rows++, first++) {
    for (size_t side = 0; side < GUARD_SIDES && (*rows)[side]; side++) {
      const char *list = (*rows)[side];
      size_t n;
      for (const char *w; (w = next_word(&list, &n));) {
        add_pair(entry(w, n), first, side);
        add_pair(entry(w, foreign ? n : guard_stem(w, n)), first, side);
      }
    }
  }
  return first;
}

/* A word in two rows keeps the first. */
static void load_same(void) {
  for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
    const char *list = SAME[i];
    size_t n;
    for (const char *w; (w = next_word(&list, &n));) {
      GuardWord *both[2] = {entry(w, n), entry(w, guard_stem(w, n))};
      for (int k = 0; k < 2; k++) {
        both[k]->group = both[k]->group ? both[k]->group : (uint16_t)(i + 1);
      }
    }
  }
}

static void load_foreign_same(void) {
  for (size_t i = 0; GUARD_FOREIGN_SAME[i]; i++) {
    const char *list = GUARD_FOREIGN_SAME[i];
    size_t n;
    for (const char *w; (w = next_word(&list, &n));) {
      GuardWord *e = entry(w, n);
      e->foreign_group = e->foreign_group ? e->foreign_group : (uint16_t)(i + 1);
    }
  }
}

static void load_foreign(void) {
  size_t n;
  for (size_t i = 0; GUARD_FOREIGN_STOP[i]; i++) {
    load_class(GUARD_FOREIGN_STOP[i], WORD_FOREIGN);
  }
  for (size_t i = 0; GUARD_FOREIGN_NUMBERS[i]; i++) {
    const char *list = GUARD_FOREIGN_NUMBERS[i];
    uint8_t value = 1; /* 0 is none */
    for (const char *w; (w = next_word(&list, &n)); value++) {
      if (*w != '-') {
        entry(w, n)->foreign_number = value;
      }
    }
  }
  for (size_t i = 0; GUARD_FOREIGN_DATES[i]; i++) {
    const char *list = GUARD_FOREIGN_DATES[i];
    for (const char *w; (w = next_word(&list, &n));) {
      entry(w, n)->foreign_date = (uint8_t)(FOREIGN_DATE + i);
    }
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
  load_class(ELEMENTS, WORD_ELEMENT);
  load_class(LABELS, WORD_LABEL);
  load_class(ACCENTED, WORD_ACCENTED);
  load_class(MEANING, WORD_MEANING);
  load_class("know sure understand", WORD_KNOWING);
  load_numbers();
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
