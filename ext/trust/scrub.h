/*
** What a provider says and must not be repeated: keys and prompts. Errors end in logs, the ledger in
** exports; a provider, or a proxy in front of it, may put back whatever it was sent, into any field.
**
** Not found: pieces of a key shorter than SCRUB_KEY_BYTES, of a prompt shorter than SCRUB_PROMPT_CHARS, and
** what was encoded otherwise or twice, enciphered or compressed.
*/
#ifndef LLMCOST_SCRUB_H
#define LLMCOST_SCRUB_H

#include <stddef.h>

enum { SCRUB_KEY_BYTES = 8, SCRUB_PROMPT_CHARS = 12, SCRUB_LEAST_CHARS = 6 };

/* 1 if the text holds SCRUB_KEY_BYTES bytes in a row of the key (all of a shorter one), in any case: as they
** are, in base64 (either alphabet, at any place in a longer text, in lines), in hexadecimal (bytes parted by
** blanks or colons too), %-escaped, or as the escapes and entities of characters. */
int scrub_holds_key(const char *text, const char *key);

/* 1 if it holds, in one of these forms, SCRUB_PROMPT_CHARS letters and digits in a row of the n bytes of a
** prompt (all of a shorter one, from SCRUB_LEAST_CHARS on), whatever its case and what stands between them. */
int scrub_holds_prompt(const char *text, const char *prompt, size_t n);

/* Writes "***" in the place of every word of the text that is a key, or may be one: that holds or ends a piece of this
** one (NULL: none), begins as keys do ("sk-…", "AIza…"), stands behind "Bearer", was masked in part by whoever wrote it,
** or is long and of mixed characters. Pieces in other forms stay: scrub_holds_key finds them. */
void scrub_mask(char *text, const char *key);

#endif
