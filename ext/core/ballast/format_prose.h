/*
** Sentences of a prompt that say how the JSON of the answer is to look, which a JSON Schema (the option `schema` of a
** call) says and enforces: that it is JSON and nothing else, which fields it has, of which types, of which values.
**
** Told by a closed list of words: a sentence is one of these only if each of its words is a word of grammar, one that
** speaks of JSON and nothing else (cues.h), or a name. So "Respond only with valid JSON." is; "`priority` is high if
** the customer is angry." says what goes into a field, and stays; so does every sentence with a condition or a
** number. "Do not add explanations." counts beside a sentence that speaks of JSON.
**
** With a schema the names, types and values must be in it: a name that may be missing there is not one that a
** sentence demands; a list of some values of an enumeration says more than the schema does. Without one any name in
** quotation marks or backticks counts, where the sentence speaks of fields or shows their types: what it says is
** better said by a schema.
**
** A type that the answer as a whole does not have ("an array of …" where the schema is of an object) says more than the
** schema, and stays; so does what is said of another's JSON ("The data must be …").
**
** A sentence that leads in a list, or JSON that shows the types, counts only with all that hangs on it. Without a schema JSON that an
** answer is to look like ("Answer in exactly this form:") may have any values of a few words ("ISO 8601"): a schema has place for them.
*/
#ifndef LLMCOST_FORMAT_PROSE_H
#define LLMCOST_FORMAT_PROSE_H

#include "core/ballast/ballast.h"
#include "core/ballast/json_fields.h"

/* Appends those of a text with these units, whose `places` are known (places.h). fields: of the schema at hand;
** NULL: none is. Linear time. Returns RC_OK, or *err. */
int format_prose_find(const char *text, const TextUnits *u, const unsigned char *places,
                      const JsonFields *fields, BallastList *out, Err *err);

#endif
