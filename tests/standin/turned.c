/*
** turned.c: what a model does that thinks, is asked in another service, or has tools at hand (OpenAI's form).
**
** Thinking: gpt-5-mini, gpt-5-nano and the gemini-2.5 models think of themselves, every other one where it is told to; tokens by
** effort. Tools: one whose name stands in the question is called once for each capitalised word in it that does not begin a
** sentence ("What is the weather in Bonn and Rome?" calls weather twice), then what the tools said is the answer.
*/
#include "standin.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *effort;
  int64_t tokens;
} aEffort[] = {{"none", 0},    {"minimal", 64}, {"low", 256},  {"medium", 1024},
               {"high", 4096}, {"xhigh", 8192}, {"max", 16384}};

/* Tokens of thought that a request costs. */
int64_t thought_tokens(const cJSON *req, const char *model) {
  const char *effort = json_text(req, "reasoning_effort");
  int thinks =
      model && (strncmp(model, "gpt-5-mini", 10) == 0 || strncmp(model, "gpt-5-nano", 10) == 0 ||
                strncmp(model, "gemini-2.5", 10) == 0);
  effort = effort ? effort : thinks ? "medium" : "none";
  for (size_t i = 0; i < sizeof aEffort / sizeof aEffort[0]; i++) {
    if (strcmp(effort, aEffort[i].effort) == 0) {
      return aEffort[i].tokens;
    }
  }
  return 0;
}

/* The user's latest text, and how many results of tools stand behind it. */
static const char *question_of(const cJSON *req, int *results) {
  const cJSON *m;
  const char *question = "";
  *results = 0;
  cJSON_ArrayForEach(m, json_get(req, "messages")) {
    const char *role = json_text(m, "role"), *content = json_text(m, "content");
    if (role && strcmp(role, "user") == 0) {
      question = content ? content : "";
      *results = 0;
    }
    *results += role && strcmp(role, "tool") == 0;
  }
  return question;
}

/* The i-th capitalised word (from 0) that does not begin a sentence; 0: there is none. */
static size_t name_in(const char *question, int i, const char **at) {
  for (const char *p = question; *p; p++) {
    int begins = p > question && p[-1] == ' ' && isupper((unsigned char)*p) && p > question + 1 &&
                 !strchr(".?!", p[-2]);
    if (begins && i-- == 0) {
      *at = p;
      return strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-");
    }
  }
  return 0;
}

/* What the tools said, one behind the other. */
static void join_results(const cJSON *req, char *said, size_t cap) {
  const cJSON *m;
  size_t n = 0;
  cJSON_ArrayForEach(m, json_get(req, "messages")) {
    const char *role = json_text(m, "role"), *content = json_text(m, "content");
    if (role && strcmp(role, "tool") == 0 && n < cap) {
      n += (size_t)snprintf(said + n, cap - n, "%s%s", n ? "; " : "", content ? content : "");
    }
  }
}

/* The tool that is called of the model's own accord, with its arguments; or what it says after the last. */
void tools_choose(const cJSON *req, struct ask *a) {
  const cJSON *t, *choice = json_get(req, "tool_choice");
  const char *question, *at = "";
  int results, is_off = cJSON_IsString(choice) && strcmp(choice->valuestring, "none") == 0;
  question = question_of(req, &results);
  cJSON_ArrayForEach(t, json_get(req, "tools")) {
    const cJSON *f = json_get(t, "function");
    const char *name = json_text(f, "name");
    const cJSON *first = json_get(json_get(f, "parameters"), "properties");
    first = first ? first->child : NULL;
    size_t n =
        name && first && !is_off && strstr(question, name) ? name_in(question, results, &at) : 0;
    if (n) {
      a->tool = name;
      snprintf(a->argument, sizeof a->argument, "{\"%s\":\"%.*s\"}", first->string, (int)n, at);
      return;
    }
  }
  if (results) {
    join_results(req, a->said, sizeof a->said);
  }
}
