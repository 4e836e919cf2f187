/*
** Which files a path means: itself, what a GLOB matches, or what a folder holds.
**
** A folder is walked with all that is in it, in the order of names. Of a folder only files are taken whose suffix fits;
** what is hidden, can't be read, or is no file is listed with the reason. A symbolic link to a folder is not followed,
** so that there are no loops; one to a file is.
*/
#ifndef LLMCOST_FOUND_H
#define LLMCOST_FOUND_H

#include "base/error.h"

typedef struct FoundFile {
  char *path;        /* absolute */
  const char *fault; /* why it is not to be read; NULL: it is */
} FoundFile;

typedef struct Found {
  FoundFile *at;
  int n, cap;
  int is_single; /* the path names one file */
} Found;

/* Finds them; `home` stands for a '~' at the beginning (NULL: nothing does). RC_OK, or an error where there is nothing
** at that path. found_free in each case. */
int found_by_path(const char *path, const char *home, Found *found, Err *err);
void found_free(Found *found);

#endif
