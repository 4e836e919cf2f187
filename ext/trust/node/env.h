/*
** The environment of the process. This is the one file that reads it.
*/
#ifndef LLMCOST_ENV_H
#define LLMCOST_ENV_H

/* An environment variable, NULL where unset or empty. */
const char *env_get(const char *name);

#endif
