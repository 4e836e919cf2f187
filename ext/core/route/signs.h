/*
** Signs of code and of formulas in a prompt, by a scanner that reads each byte once or twice.
*/
#ifndef LLMCOST_SIGNS_H
#define LLMCOST_SIGNS_H

#include <stddef.h>

enum { SIGNS_CODE = 1, SIGNS_FORMULA = 2 };

/* Which of them there are. As regular expressions, code is
**
**   ```|\b(?:def|class|return|SELECT|WHERE|import|void|int|const|function)\b\s*[\w(*]|[{};]\s*$|=>|\w+\(\w*\)
**   |Traceback|Exception|\b0x[0-9a-f]+|</?\w+>
**
** with $ at every line's end, and formulas are
**
**   [=^≤≥∑∫√∈∀∃]|\\(?:frac|sum|int|sqrt|begin)|\bO\(
*/
unsigned signs_find(const char *text, size_t n);

#endif
