/*
** Fibers: functions that can be left in the middle and gone on with, each on a stack of its own, all on one thread.
**
** A request is written as one function from its beginning to its end, and waits where it has to. That many of them wait at
** once, and none of them knows of it, is done here: who waits gives the thread back (fiber_yield), and is resumed when there
** is something for it to do. There is no second thread, so nothing of a database connection has to be locked.
**
** Made with the ucontext functions of POSIX.1-2001; where the C library has none (musl) there are no fibers, and
** fiber_are_there says so. A fiber may be resumed by another thread than before, if only one runs at a time.
*/
#ifndef LLMCOST_FIBER_H
#define LLMCOST_FIBER_H

#include <stddef.h>

typedef struct Fiber Fiber;

/* 1 if this build can make them. */
int fiber_are_there(void);

/* An idle one; NULL without memory. Its stack is taken from the system page by page, as it is used; a page below it that can't be
** touched ends the process where one needs more. */
Fiber *fiber_new(void);

/* Gives it up. One that is in the middle of something never goes on: what it holds stays held. */
void fiber_free(Fiber *f);

/* What it does when it is resumed next. It has to be idle. */
void fiber_start(Fiber *f, void (*run)(void *arg), void *arg);

/* Runs it until it yields (1) or its function has returned (0; it is idle then). Not from within a fiber. */
int fiber_resume(Fiber *f);

/* Called on the fiber itself: back to who resumed it. */
void fiber_yield(Fiber *f);

#endif
