/*
** The JSON in a model's answer. That a model puts a fence, a sentence or its thinking around it is a habit, no dice:
** asked again it does so again. So it is looked for before another attempt is bought.
**
** Looked for, in this order; the first value that satisfies the schema is taken, but where others beside it satisfy it and are not equal none is:
** which one was meant (a draft and its correction, the first of several objects) can't be told:
**
**   1. the whole text;
**   2. the whole text behind the thinking (<think>…</think> and its relatives; also where only the end of it is
**      there) and behind a channel's name (<|channel|>final<|message|>);
**   3. fenced blocks, wherever they stand, with any word behind the fence, on one line, or never closed;
**   4. objects and lists in the text. What stands inside one that is read, or inside one that is broken, is no answer:
**      a part of a cut-off answer would pass for the whole;
**   5. for a schema of numbers, texts or words only: the one such value that the text holds. Two are none;
**   6. the same again, where what holds an answer may be around it: a string, a list of one, a call of a function
**      ({"name": …, "arguments": …}), a reply's member; and for a schema of lists its items, one a line;
**   7. that again, as the loose reader of json_mend.h reads;
**   8. for a schema that lists texts, one of them as the whole text, without quotes: as it is, else in another case.
**
** A value {"value": X} is taken for X where X satisfies the schema and the whole does not; or, where the schema's root is
** one that is sent wrapped (schema_is_wrapped), where X does.
*/
#ifndef LLMCOST_ANSWER_JSON_H
#define LLMCOST_ANSWER_JSON_H

#include "base/error.h"
#include "base/text/json.h"

/* Finds it in a text of n bytes, with a NUL behind them, and writes it as json_mend.h says: json_valid() of any SQLite
** is 1 for it, and no member has two values. *json is owned (free). Where there is none *err is ERR_SCHEMA and says
** where the likeliest value is wrong ("at /age: expected integer"), or where the text is no JSON, in words that can be
** told the model. Takes time in proportion to n (LIMIT_ANSWER_PASSES). */
int answer_json(const char *text, size_t n, const cJSON *schema, char **json, size_t *json_n,
                Err *err);

#endif
