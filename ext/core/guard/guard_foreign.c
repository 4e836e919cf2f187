/*
** Words of other languages than English: German, Spanish, French, Italian, Portuguese, Chinese and
** Hindi. See guard_lists.h for the contract.
**
** They count only where a pair of texts is written in another language than English (guard_tokens.h
** says how that is found), so that "die", "comment", "once" and "due" stay English words elsewhere.
** All stand folded, as tokens are: small, and without accents that stand above or below a letter.
*/
#include "core/guard/guard_lists.h"

#include <stddef.h>

const char *const GUARD_FOREIGN_STOP[] = {
    /* German */
    "der das die den dem des ein eine einen einem einer eines und oder ich du er wir ihr mich "
    "mir dich dir uns euch ihnen sie mein meine meinen meinem meiner meines dein deine deinen "
    "deinem deiner ihre ihren ihrem ihrer ist sind bin bist seid sein war waren habe haben habt "
    "hast hat hatte wird werden wurde worden kann kannst konnen konnt konnte konnten koennen "
    "darf durfen duerfen durfte soll sollen sollte wie was wer wo wann warum wieso weshalb "
    "welche welcher welches welchen wieviel fur fuer mit auf zu zum zur von vom im in am an bei "
    "es gibt gib man bitte mal denn auch doch hallo danke da hier dass ob wenn uber ueber um "
    "tun machen mache macht geht finde findet finden befindet liegt mochte mochten moechte "
    "wurde will sich dieser diese dieses so",
    /* Spanish */
    "el la los las un una unos unas lo al del de en y o u que que como como cual cual cuales "
    "cuales cuando donde donde quien quien cuanto cuanto cuanta cuanta cuantos por para con a "
    "se me te le nos su sus es son esta estan estoy estas ser estar hay puedo puede pueden "
    "puedes podemos podria podrian quiero quisiera querria favor hola gracias ya muy yo usted "
    "ustedes nosotros soy era fue ha he han hacer hago hace debo debe este esta estos estas ese "
    "esa eso encuentra encuentran encontrar necesito desde",
    /* French */
    "le la les un une des du de d l et ou que qui quoi quel quelle quels quelles comment "
    "combien quand ou je tu il elle nous vous ils elles on me te se mon ma mes ton ta tes notre "
    "nos votre vos est sont suis es etes sommes ai as avons avez ont etait faire fait fais peux "
    "peut pouvons pouvez peuvent puis pourrais pourrait voudrais veux aimerais en dans sur pour "
    "avec par au aux a ce cet cette ces y plait s sil svp merci bonjour trouve trouvent c qu j "
    "m t ici si",
    /* Italian */
    "il lo la i gli le un uno una di a da in con su per tra fra e o che chi cosa come quando "
    "dove quanto quanta quanti quale quali perche io tu lui lei noi voi loro mi ti si ci vi mio "
    "mia miei mie tuo tua e sono sei siamo siete ho hai ha abbiamo avete hanno posso puo "
    "possiamo potete possono potrei vorrei voglio del della dei delle degli dello al alla ai "
    "alle agli allo dal dalla nel nella nei sul sulla favore ciao grazie qual trova trovano "
    "fare faccio fa si questo questa questi queste",
    /* Portuguese */
    "o a os as um uma uns umas de do da dos das em no na nos nas por para pelo pela com e ou "
    "que como quando onde quem qual quais quanto quanta quantos eu tu ele ela nos voce voces "
    "eles elas me te se meu minha meus minhas seu sua e sao esta estao estou ser estar ha posso "
    "pode podem podemos poderia quero queria favor ola obrigado obrigada fazer faco faz fica "
    "ficam ao aos a as num numa este esta isso isto encontro encontra",
    /* Chinese */
    "的 了 吗 呢 吧 啊 是 我 你 您 我们 你们 请 请问 麻烦 可以 能 能够 能不能 可不可以 会 要 想 "
    "在 有 和 与 及 把 被 这 那 这个 那个 一下 什么 哪 哪里 哪儿 在哪里 在哪儿 在哪 怎么 怎样 "
    "怎么样 如何 多少 几 谁 得 地 着 就 也 都 吗 好 需要 应该 个 只 张 本 件 位 间 条 台 辆 次 "
    "杯 瓶 时候",
    /* Hindi */
    "का की के को में से पर है हैं हूँ हूं था थी थे हो और या कि यह वह ये वो मैं हम तुम आप मुझे "
    "हमें आपको मेरा मेरी मेरे हमारा क्या कौन कब कहाँ कहां कैसे कैसा कैसी कितना कितने कितनी कौनसा "
    "कृपया जी करें करना करूं करूँ करते करने चाहिए सकता सकते सकती सकूं ले लिए तक तो भी ही एक जाए "
    "जाता होता होती होगा होगी चाहता चाहती रहा रही रहे कर तरह बारे",
    NULL};

const char *const GUARD_FOREIGN_SAME[] = {
    /* German */
    "bezahlen zahlen zahle bezahle zahlt bezahlt", "kaufen kaufe kauft erwerben",
    "offnen offne aufmachen geoffnet offen", "schliessen schliesse zumachen schliessen schliesse",
    "loschen losche entfernen entferne", "andern andere wechseln wechsle",
    "bekommen bekomme erhalten erhalte kriegen kriege",
    "fahren fahre fahrt komme kommen kommt gelange gelangen", "kundigen kundige kundigung",
    "stornieren storniere stornierung",
    "zuruckgeben ruckgabe retournieren zuruckschicken zurucksenden", "kosten kostet preis",
    "rechnung rechnungen", "konto account", "telefon handy", "problem fehler",
    "helfen hilfe hilft unterstutzung", "senden sende schicken schicke verschicken",
    "einschalten aktivieren aktiviere schalte schalten einzuschalten", "arzt doktor", "auto wagen",
    "bedeutet heisst heisst bedeutung", "kind kinder kindern", "lange dauert",
    "brauche benotige brauchen benotigen", "essen esse isst", "reise reisen reist",
    /* Spanish */
    "abrir abro abre abra", "cerrar cierro cierra cierre", "comprar compro compra adquirir",
    "vender vendo vende", "pagar pago paga", "cancelar cancelo anular anulo",
    "cambiar cambio modificar modifico", "borrar borro eliminar elimino",
    "obtener obtengo conseguir consigo", "movil celular telefono",
    "ordenador computadora computador", "coche carro auto automovil", "dinero plata",
    "billete boleto pasaje", "cuesta cuestan precio coste costo vale", "correo email e-mail",
    "contrasena clave", "ayuda ayudar soporte asistencia", "llegar llego llega",
    "enviar envio mandar mando", "dosis dosificacion", "activar activo activa", "comer come",
    /* French */
    "acheter achete achat", "vendre vends vente", "payer paie paye regle regler paiement",
    "ouvrir ouvre ouvert ouverts ouverte", "fermer ferme ferme", "annuler annule annulation",
    "changer change modifier modifie changement", "supprimer supprime effacer efface",
    "obtenir obtiens avoir recevoir recois", "activer active activation", "envoyer envoie envoi",
    "coute coutent prix tarif cout", "mail courriel e-mail email", "mot passe",
    "telephone portable mobile", "voiture auto", "aide aider assistance", "aller vais va aille",
    "medecin docteur", "enfant enfants gosse", "rembourser remboursement rembourse",
    "voyager voyage voyages", "manger mange mangent",
    /* Italian */
    "comprare compro acquistare acquisto", "vendere vendo vendita", "pagare pago pagamento",
    "aprire apro apre apertura", "chiudere chiudo chiude chiusura",
    "cancellare cancello annullare annullo eliminare elimino",
    "cambiare cambio modificare modifico", "costa costano prezzo costo",
    "cellulare telefono telefonino", "macchina auto automobile", "aiuto assistenza supporto",
    "attivare attivo attivazione", "inviare invio mandare mando spedire spedisco", "soldi denaro",
    "biglietto biglietti", "bambini bambino", "mangiare mangio",
    /* Portuguese */
    "comprar compro compra adquirir", "vender vendo venda", "pagar pago pagamento",
    "abrir abro abre abertura", "fechar fecho fecha", "cancelar cancelo cancelamento anular",
    "mudar mudo alterar altero trocar troco", "apagar apago excluir excluo remover eliminar",
    "custa custam preco custo", "celular telemovel telefone", "carro automovel",
    "senha palavra-passe", "ajuda suporte assistencia", "ativar ativo ativacao",
    "enviar envio mandar mando", "dinheiro grana", "passagem bilhete", "crianca criancas",
    /* Chinese */
    "开启 打开 启用 开通", "关闭 关掉 停用", "购买 买 购", "删除 删掉", "手机 电话", "电脑 计算机",
    "价格 价钱 多少钱", "密码 口令", "取消 撤销", "修改 更改 改", "医生 大夫", "孩子 儿童 小孩",
    "哪里 哪儿 在哪里 在哪儿 在哪", "怎么 如何 怎样", "付款 支付 付", "退款 退钱", "激活 启动",
    /* Hindi */
    "खोलें खोलूं खोलूँ खोलना खोले खोल", "खाएं खाएँ खाना खाऊं खाये", "खरीदें खरीदना खरीदूं ख़रीदें", "भेजें भेजना भेजूं",
    "पैसे पैसा रुपये", "फोन फ़ोन मोबाइल", "मदद सहायता", "कीमत दाम क़ीमत", "भुगतान पेमेंट", "रद्द कैंसिल", NULL};

const char *const GUARD_FOREIGN_OPPOSITES[][GUARD_SIDES] = {
    /* German */
    {"einschalten anschalten aktivieren aktiviere anmelden anmelde einzuschalten",
     "ausschalten abschalten deaktivieren deaktiviere abmelden abmelde auszuschalten"},
    {"offnen offne aufmachen geoffnet offen", "schliessen schliesse zumachen geschlossen"},
    {"kaufen kaufe kauft", "verkaufen verkaufe verkauft verkauf"},
    {"vor vorher bevor", "nach nachher nachdem"},
    {"mit", "ohne"},
    {"mehr", "weniger"},
    {"grosser grosste maximal maximale maximum hochste hochstens",
     "kleiner kleinste minimal minimale minimum niedrigste mindestens"},
    {"eingang", "ausgang"},
    {"kind kinder kindern", "erwachsene erwachsener erwachsenen"},
    {"mann manner mannern", "frau frauen"},
    {"vater", "mutter"},
    {"sohn", "tochter"},
    {"bruder", "schwester"},
    {"fruh fruher", "spat spater"},
    {"immer", "nie niemals"},
    {"alle jeder jede jedes samtliche", "einige manche wenige"},
    {"muss mussen muss", "darf durfen kann konnen"},
    {"senden sende schicken schicke", "empfangen empfange erhalten erhalte"},
    {"import importieren importiere", "export exportieren exportiere"},
    {"hoch hoche erhohen erhohe", "tief niedrig senken senke verringern"},
    {"links", "rechts"},
    {"arbeitgeber arbeitgeberin", "arbeitnehmer arbeitnehmerin"},
    {"kaufer", "verkaufer"},
    {"kunde kunden", "handler"},
    {"oben obere", "unten untere"},
    {"innen innerhalb drinnen", "aussen ausserhalb draussen"},
    {"seit", "bis"},
    {"morgens vormittags fruh", "abends nachts nachmittags"},
    {"ankunft ankommen ankomme ankommt", "abfahrt abfahren abflug abfahrt"},
    {"gut besser beste", "schlecht schlechter schlechteste"},
    {"warm heiss", "kalt"},
    {"billig gunstig", "teuer"},
    {"leihen verleihen leihe verleihe", "ausleihen borgen"},
    {"hinzufugen", "entfernen loschen"},
    {"ja", "nein"},
    {"hoch hinauf", "runter hinunter"},
    {"sommer", "winter"},
    {"gekundigt kundigen", "verlangern verlangert"},
    /* Spanish */
    {"abrir abro abre", "cerrar cierro cierra"},
    {"comprar compro compra", "vender vendo vende venta"},
    {"activar activo activa encender habilitar",
     "desactivar desactivo desactiva apagar deshabilitar"},
    {"antes", "despues"},
    {"con", "sin"},
    {"mas", "menos"},
    {"maximo maxima mayor", "minimo minima menor"},
    {"entrada", "salida"},
    {"nino ninos nina ninas", "adulto adultos"},
    {"hombre hombres", "mujer mujeres"},
    {"padre", "madre"},
    {"hijo", "hija"},
    {"hermano", "hermana"},
    {"temprano", "tarde"},
    {"siempre", "nunca jamas"},
    {"todos todas todo toda cada", "algunos algunas algun alguna"},
    {"debo debe deben", "puedo puede pueden"},
    {"enviar envio envia", "recibir recibo recibe"},
    {"subir subo aumentar", "bajar bajo reducir disminuir"},
    {"izquierda", "derecha"},
    {"empleador patron", "empleado trabajador"},
    {"comprador", "vendedor"},
    {"dentro", "fuera"},
    {"desde", "hasta"},
    {"manana", "noche"},
    {"llegada llega llegar", "salida sale salir"},
    {"mejor", "peor"},
    {"bueno buena", "malo mala"},
    {"caliente calor", "frio fria"},
    {"barato barata", "caro cara"},
    {"prestar", "pedir"},
    {"anadir agregar", "eliminar quitar borrar"},
    {"importar", "exportar"},
    {"arriba", "abajo"},
    {"ida", "vuelta"},
    {"verano", "invierno"},
    {"mi mis mio", "tu tus su sus"},
    /* French */
    {"activer active allumer", "desactiver desactive eteindre"},
    {"ouvrir ouvre ouvert ouverts ouverte", "fermer ferme ferme fermes fermee"},
    {"acheter achete achat", "vendre vends vente"},
    {"avant", "apres"},
    {"avec", "sans"},
    {"plus", "moins"},
    {"maximum maximal maximale", "minimum minimal minimale"},
    {"entree entrer", "sortie sortir"},
    {"enfant enfants", "adulte adultes"},
    {"homme hommes", "femme femmes"},
    {"pere", "mere"},
    {"fils", "fille"},
    {"frere", "soeur sœur"},
    {"tot", "tard"},
    {"toujours", "jamais"},
    {"tous toutes tout toute chaque", "certains certaines quelques"},
    {"dois doit doivent devons faut", "peux peut peuvent"},
    {"envoyer envoie", "recevoir recois"},
    {"augmenter augmente monter", "diminuer diminue reduire baisser"},
    {"gauche", "droite"},
    {"employeur", "employe salarie"},
    {"acheteur", "vendeur"},
    {"dedans interieur", "dehors exterieur"},
    {"depuis", "jusque jusqu"},
    {"matin", "soir nuit"},
    {"arrivee arrive arriver", "depart part partir"},
    {"meilleur mieux", "pire"},
    {"bon bonne", "mauvais mauvaise"},
    {"chaud chaude", "froid froide"},
    {"cher chere couteux", "abordable economique"},
    {"preter prete", "emprunter emprunte"},
    {"ajouter ajoute", "supprimer retirer enlever"},
    {"importer", "exporter"},
    {"haut", "bas"},
    {"aller", "retour"},
    {"mon ma mes", "ton ta tes votre vos", "son sa ses"},
    /* Italian */
    {"attivare attivo attiva accendere", "disattivare disattivo disattiva spegnere"},
    {"aprire apro apre aperto aperti", "chiudere chiudo chiude chiuso chiusi"},
    {"comprare compro acquistare", "vendere vendo"},
    {"prima", "dopo"},
    {"con", "senza"},
    {"piu", "meno"},
    {"massimo massima", "minimo minima"},
    {"entrata ingresso", "uscita"},
    {"bambino bambini bambina", "adulto adulti"},
    {"uomo uomini", "donna donne"},
    {"padre", "madre"},
    {"figlio", "figlia"},
    {"fratello", "sorella"},
    {"presto", "tardi"},
    {"sempre", "mai"},
    {"tutti tutte tutto tutta ogni", "alcuni alcune qualche"},
    {"devo deve devono", "posso puo possono"},
    {"inviare invio", "ricevere ricevo"},
    {"aumentare alzare", "diminuire ridurre abbassare"},
    {"sinistra", "destra"},
    {"dentro", "fuori"},
    {"mattina", "sera notte"},
    {"arrivo arriva arrivare", "partenza parte partire"},
    {"migliore meglio", "peggiore peggio"},
    {"caldo calda", "freddo fredda"},
    {"economico", "caro costoso"},
    {"aggiungere aggiungo", "rimuovere eliminare"},
    {"importare", "esportare"},
    {"andata", "ritorno"},
    {"mio mia miei", "tuo tua tuoi", "suo sua suoi"},
    /* Portuguese */
    {"ativar ativo ligar", "desativar desativo desligar"},
    {"abrir abro abre aberto", "fechar fecho fecha fechado"},
    {"comprar compro", "vender vendo"},
    {"antes", "depois"},
    {"com", "sem"},
    {"mais", "menos"},
    {"maximo maxima", "minimo minima"},
    {"entrada", "saida"},
    {"crianca criancas", "adulto adultos"},
    {"homem homens", "mulher mulheres"},
    {"pai", "mae"},
    {"filho", "filha"},
    {"irmao", "irma"},
    {"cedo", "tarde"},
    {"sempre", "nunca"},
    {"todos todas todo toda cada", "alguns algumas"},
    {"devo deve devem", "posso pode podem"},
    {"enviar envio", "receber recebo"},
    {"aumentar subir", "diminuir reduzir baixar"},
    {"esquerda", "direita"},
    {"dentro", "fora"},
    {"manha", "noite"},
    {"chegada chega chegar", "partida parte partir"},
    {"melhor", "pior"},
    {"quente", "frio fria"},
    {"barato", "caro"},
    {"adicionar", "remover excluir"},
    {"importar", "exportar"},
    {"ida", "volta"},
    {"meu minha meus", "teu tua seu sua seus"},
    /* Chinese */
    {"开启 打开 启用 开通 激活", "关闭 关掉 停用 注销"},
    {"前 之前 以前", "后 之后 以后"},
    {"买 购买", "卖 出售"},
    {"儿童 孩子 小孩", "成人 大人"},
    {"男 男性 男人", "女 女性 女人"},
    {"最大 最高 最多", "最小 最低 最少"},
    {"增加 提高", "减少 降低"},
    {"上", "下"},
    {"左", "右"},
    {"所有 全部", "部分 一些 有些"},
    {"必须", "可以 能"},
    {"发送 寄", "接收 收"},
    {"上传", "下载"},
    {"导入", "导出"},
    {"添加 增加", "删除"},
    {"登录", "退出 登出"},
    {"早上 上午", "晚上 下午"},
    {"到达", "出发"},
    {"国内", "国际"},
    {"我 我的", "你 你的 您 您的", "他 他的", "她 她的"},
    {"雇主", "雇员 员工"},
    {"便宜", "贵"},
    {"热", "冷"},
    {"里 里面 内", "外 外面"},
    {"借出", "借入"},
    {"入口", "出口"},
    {"夏天 夏季", "冬天 冬季"},
    {"好", "坏"},
    /* Hindi */
    {"खोलें खोलूं खोलूँ खोलना चालू", "बंद"},
    {"पहले", "बाद"},
    {"खरीदें खरीदना खरीदूं", "बेचें बेचना बेचूं"},
    {"बच्चे बच्चों बच्चा", "वयस्क वयस्कों बड़ों"},
    {"पुरुष पुरुषों आदमी", "महिला महिलाओं औरत"},
    {"अधिक ज्यादा ज़्यादा अधिकतम", "कम न्यूनतम"},
    {"अंदर", "बाहर"},
    {"भेजें भेजना", "प्राप्त"},
    {"सुबह", "शाम रात"},
    {"ऊपर", "नीचे"},
    {"सभी सब", "कुछ"},
    {"मेरा मेरी मेरे", "आपका आपकी आपके तुम्हारा", "उसका उसकी उसके"},
    {"बढ़ाएं बढ़ाना", "घटाएं घटाना"},
    {"आना आगमन", "जाना प्रस्थान"},
    {"गर्म", "ठंडा ठंडी"},
    {"सस्ता सस्ती", "महंगा महंगी"},
    {NULL}};

const char *const GUARD_FOREIGN_NUMBERS[] = {
    "null eins zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn "
    "funfzehn sechzehn siebzehn achtzehn neunzehn zwanzig",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
    "dieciseis diecisiete dieciocho diecinueve veinte",
    "zero une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze "
    "seize - - - vingt",
    "zero - due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici "
    "quindici sedici diciassette diciotto diciannove venti",
    "zero - dois tres quatro cinco seis sete oito nove dez onze doze treze quatorze quinze "
    "dezesseis dezessete dezoito dezenove vinte",
    "- - duas - - - - - - - - - catorze - - dezasseis dezassete - dezanove -",
    "- - zwo",
    "零 一 二 三 四 五 六 七 八 九 十",
    "- - 两",
    "शून्य - दो तीन चार पांच छह सात आठ नौ दस",
    "- - - - - पाँच छः",
    NULL};

const char *const GUARD_FOREIGN_DATES[] = {
    "heute aujourd aujourdhui oggi hoje 今天 今日 आज",
    "gestern ieri ontem 昨天 昨日",
    "demain domani amanha 明天 明日",
    "ubermorgen apresdemain dopodomani 后天 परसों",
    "vorgestern avanthier anteayer antier anteontem 前天",
    "januar janvier enero gennaio janeiro 一月 जनवरी",
    "februar fevrier febrero febbraio fevereiro 二月 फरवरी",
    "marz mars marzo marco 三月 मार्च",
    "april avril abril aprile 四月 अप्रैल",
    "mai mayo maggio maio 五月 मई",
    "juni juin junio giugno junho 六月 जून",
    "juli juillet julio luglio julho 七月 जुलाई",
    "august aout agosto 八月 अगस्त",
    "september septembre septiembre settembre setembro 九月 सितंबर",
    "oktober octobre octubre ottobre outubro 十月 अक्टूबर",
    "november novembre noviembre 十一月 नवंबर",
    "dezember decembre diciembre dicembre dezembro 十二月 दिसंबर",
    "montag lundi lunes lunedi 星期一 周一 सोमवार",
    "dienstag mardi martes martedi 星期二 周二 मंगलवार",
    "mittwoch mercredi miercoles mercoledi 星期三 周三 बुधवार",
    "donnerstag jeudi jueves giovedi 星期四 周四 गुरुवार",
    "freitag vendredi viernes venerdi 星期五 周五 शुक्रवार",
    "samstag sonnabend samedi sabado sabato 星期六 周六 शनिवार",
    "sonntag dimanche domingo domenica 星期日 星期天 周日 रविवार",
    NULL};
