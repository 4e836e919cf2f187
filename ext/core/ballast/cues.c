/*
** See cues.h for the contract. Words are folded, apart by one blank; one may be in several lists.
*/
#include "core/ballast/cues.h"

#include "core/words/word_table.h"

#include <pthread.h>

enum { SLOTS = 4096 }; /* four times the words */

static const WordRow rows[] = {
    {CUE_JSON, "json"},
    {CUE_ANSWERS,
     "answer answers respond reply return returns output outputs response responses produce emit "
     "generate give provide write "
     "antworte antworten antwort gib geben liefere ausgabe reponds repondez renvoie renvoyez "
     "retourne reponse sortie "
     "responde responda devuelve devuelva respuesta salida"},
    {CUE_SHAPE,
     "valid shape shaped properly correctly parse parsed object objects array format formatted "
     "form structure structured schema "
     "well parsable parseable parsable raw pure strict strictly exact exactly single "
     "field fields key keys property properties named called following named type types "
     "value values required optional nullable "
     "must should shall always only just please ensure make sure use using adhere conform match "
     "matches matching "
     "follow follows contain contains containing include includes including have has look like "
     "entire whole final "
     "parsed parse escaped escape quotes quote properly correctly remember "
     "data machine readable syntax compliant schema item items element elements entry entries "
     "these "
     "gultiges gultigem gultige valides validem objekt format formatiert feld felder schlussel "
     "nur immer "
     "ausschliesslich zuruck form struktur muss mussen enthalten "
     "valide objet champs champ cle cles uniquement seulement toujours format structure doit "
     "contenir suivant "
     "valido objeto campos campo clave claves solo solamente unicamente siempre formato "
     "estructura debe contener siguiente"},
    {CUE_TYPE, "string strings number integer int float boolean bool array arrays list lists null "
               "object objects "
               "zeichenkette zahl ganzzahl "
               "chaine nombre entier cadena numero entero"},
    {CUE_WRAPPING,
     "yapping xml tag tags delimiter delimiters surrounding leading trailing chatter markdown code "
     "fence fences block blocks backtick backticks wrap wrapped surround text texts "
     "prose "
     "explanation explanations explain comment comments commentary preamble introduction intro "
     "note notes remark "
     "additional extra other any add additionally word words formatting triple "
     "erklarung erklarungen kommentar kommentare zusatzlicher zusatzlichen text "
     "explication explications commentaire commentaires texte "
     "explicacion explicaciones comentario comentarios texto adicional"},
    {CUE_EXCEPT,
     "other than but except besides outside else nothing anything before after around "
     "additional extra further "
     "anderes ausser vor nach davor danach sonst autre avant apres otra antes despues fuera nada "
     "rien"},
    {CUE_CONDITION,
     "if unless when whenever where while except until case cases depending otherwise though "
     "although instead "
     "provided whether once sometimes usually "
     "wenn falls sofern ausser bis ob sonst wo obwohl solange "
     "si sauf quand lorsque sinon cas selon salvo cuando excepto caso segun"},
    {CUE_WRAPS, "wrap wrapped wrapping surround surrounded enclose enclosed embed einbetten "
                "entoure envuelvas"},
    {CUE_FORCE,
     "must should shall always only never ensure sure muss mussen immer nur doit doivent toujours "
     "uniquement debe deben siempre "
     "solo"},
    {CUE_WORDING,
     "example examples sample samples template templates say saying says email emails mail letter "
     "message messages draft "
     "script wording phrase phrases closing greeting greetings signature quote quotes transcript "
     "conversation "
     "dialogue dialog text texts story sign reply "
     "beispiel beispiele vorlage sage brief nachricht text gruss floskel "
     "exemple exemples modele lettre message texte phrase ejemplo ejemplos plantilla carta mensaje "
     "texto frase"},
    {CUE_GIVEN,
     "log logs input inputs user_input user_query user_message query email mail letter message "
     "messages "
     "conversation transcript "
     "dialogue history text ticket review post comment template draft code data answer response "
     "reply quote story "
     "example examples sample samples content "
     "input_text user assistant"},
    {CUE_INPUT,
     "input text sentence review tweet email message ticket comment question q user human customer "
     "query document "
     "request title post utterance headline problem statement source prompt source_text "
     "eingabe satz frage nutzer kunde benutzer anfrage "
     "entree phrase avis utilisateur client texte entrada frase resena usuario cliente texto "
     "pregunta"},
    {CUE_OUTPUT,
     "output label sentiment response answer a assistant ai bot agent category class result json "
     "classification intent "
     "sql completion translation summary reply model solution tags entities topic priority "
     "ausgabe antwort ergebnis kategorie sortie reponse resultat categorie salida respuesta "
     "resultado categoria "
     "etiqueta asistente assistent"},
    {CUE_DIALOGUE, "user human customer assistant ai bot agent model client message reply response "
                   "nutzer kunde benutzer assistent "
                   "utilisateur cliente usuario asistente"},
    {CUE_QUESTION, "q a question answer frage antwort pregunta respuesta reponse problem solution"},
    {CUE_EXAMPLE,
     "example examples exemplar sample samples demonstration demonstrations shot shots "
     "beispiel beispiele exemple "
     "exemples ejemplo ejemplos"},
    {CUE_OPERATES,
     "translate translates translating translation translations translator proofread proofreads "
     "rewrite rewrites "
     "reword rephrase rephrases paraphrase paraphrases grammar sentiment edit edits correct "
     "corrects "
     "ubersetze ubersetzen ubersetzt ubersetzung korrigiere korrigieren traduis traduire traduisez "
     "traduction corrige "
     "corriger traduce traducir traduzca corregir"},
    {CUE_LETTER,
     "dear hi hello hey subject regards sincerely liebe lieber geehrte geehrter hallo grussen "
     "grusse betreff cher chere "
     "bonjour cordialement estimado estimada hola saludos asunto atentamente"},
    {CUE_OTHERS, "our their his her my its data machine syntax schema item items element elements "
                 "entry entries"},
    {CUE_THIRD, "answers outputs returns responds"},
    {CUE_FIELDS, "field fields key keys property properties feld felder schlussel champ champs cle "
                 "cles campo campos clave claves"},
    {CUE_OPTIONAL, "optional optionally may nullable optionnel opcional"},
    {CUE_AGAIN, "note notes attention warning caution hinweis achtung "
                "reminder reminders remember summary recap again once more points point checklist "
                "critical final most "
                "erinnerung zusammenfassung wichtig wichtige wichtigste rappel rappels resume "
                "important importants recordatorio "
                "recordatorios resumen importante importantes"},
    {CUE_GENERAL,
     "style tone rule rules guideline guidelines format formatting general important note notes "
     "instruction instructions "
     "language length output response responses answer answers constraint constraints behaviour "
     "behavior requirements "
     "content writing your you role task do don dont communication policy policies principles core "
     "key "
     "what how "
     "stil ton regel regeln hinweise allgemein antworten sprache style regles consignes estilo "
     "reglas instrucciones"},
};

static WordEntry table[SLOTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make(void) {
  word_table_make(rows, sizeof rows / sizeof *rows, table, SLOTS);
}

unsigned cues_of(uint64_t key) {
  pthread_once(&once, make);
  return word_table_find(table, SLOTS, key)->classes;
}
