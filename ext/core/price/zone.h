/*
** Time zones: how far a place's clock is ahead of UTC at a moment.
**
** A fixed offset ("+08:00"), or a name of the IANA database ("America/New_York"), read from the system's
** /usr/share/zoneinfo.
*/
#ifndef LLMCOST_ZONE_H
#define LLMCOST_ZONE_H

#include <stddef.h>

typedef struct Zone {
  int offset;        /* seconds, where there is no table */
  struct Tzif *tzif; /* owned by the process: never freed; NULL: a fixed offset */
} Zone;

/* "UTC", "Z", "+08:00", "-0330", "Asia/Kolkata". Returns 1, or 0 where it is no zone, or none that this
** system has. */
int zone_parse(const char *text, Zone *zone);

/* 1 if a text is written like a zone, known or not. */
int zone_is_written(const char *text);

/* Seconds to add to UTC at a moment. */
int zone_offset(const Zone *zone, long long at_ms);

#endif
