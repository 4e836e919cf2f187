/*
** Who sent a request that has no answer yet, and whether that process still lives.
*/
#ifndef LLMCOST_OWNER_H
#define LLMCOST_OWNER_H

#define OWNER_SIZE 128

/* Writes this process's identity: boot, process-id namespace, process id and start time (Linux
** /proc). */
void owner_self(char out[OWNER_SIZE]);

/* 1 if the process is certainly dead: same boot and namespace, and no such process (or a later
** one with its number). 0 if it lives or can't be seen from here (another machine or container):
** then only its lease ends it. */
int owner_is_dead(const char *owner);

#endif
