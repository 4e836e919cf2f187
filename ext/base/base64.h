/*
** Base64 (RFC 4648, section 4).
*/
#ifndef LLMCOST_BASE64_H
#define LLMCOST_BASE64_H

#include <stddef.h>

/* Encodes n bytes, with padding. Owned by the caller (free); NULL without memory. */
char *base64_encode(const void *data, size_t n);

/* Decodes text of n characters; padding may be missing. *out is owned by the caller (free), *size
** its bytes. 1; 0 where the text is no base64, -1 where memory is short (*out is NULL then). */
int base64_decode(const char *text, size_t n, unsigned char **out, size_t *size);

#endif
