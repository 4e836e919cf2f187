/*
** What is believed. In the builds that the tests use (LLMCOST_CHECKS, set with the sanitizers) a belief that does not
** hold ends the program and says where; in the library that users load it costs nothing.
**
** For what only a mistake of ours can break: orders of lists, counts that must agree, states that can't be. What a
** caller, a file or a provider may get wrong is an error, never a belief.
*/
#ifndef LLMCOST_CHECK_H
#define LLMCOST_CHECK_H

#ifdef LLMCOST_CHECKS
#include <stdio.h>
#include <stdlib.h>
#define CHECK(belief)                                                                              \
  ((belief)                                                                                        \
       ? (void)0                                                                                   \
       : (fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #belief), abort()))
#else
#define CHECK(belief) ((void)sizeof(belief))
#endif

#endif
