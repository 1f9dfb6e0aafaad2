/* SPDX-License-Identifier: MIT */
/* defer-list - the chain of deferred calls: one a goroutine, newest first.
 *
 * "left" and "right" each call outer, middle and inner; every one of the three defers two or three calls, and lets the
 * other goroutine run in between.  So the two chains grow at the same time, on the same M if there is one P.
 *
 * What to look at: each push becomes the head of the chain of the running G, never of the other's.  A record has a
 * function, a frame and a kind; no arguments and no size.  inner returns: just the records of its frame run, newest
 * first; those of middle and outer stay on the list until these return.  Frames count from the top of the stack, so
 * the frame of inner has the greatest number.
 */
#include "demo.h"

static struct rt_waitgroup both;
static char texts[2][100], *ends[2]; /* what each goroutine wrote */

static struct note {
  int who;
  const char *text;
} notes[2][7] = {
  { { 0, " o1" },
    { 0, " o2" },
    { 0, " m1" },
    { 0, " m2" },
    { 0, " i1" },
    { 0, " i2" },
    { 0, " i3" } },
  { { 1, " o1" },
    { 1, " o2" },
    { 1, " m1" },
    { 1, " m2" },
    { 1, " i1" },
    { 1, " i2" },
    { 1, " i3" } },
};

static void write_note(void *arg)
{
  const struct note *note = arg;
  ends[note->who] = stpcpy(ends[note->who], note->text);
  rt_yield(); /* the other one's deferred call may run in the middle of ours */
}

static void inner(struct note *note)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, write_note, &note[4]);
  RT_DEFER(fr, write_note, &note[5]);
  rt_yield();
  RT_DEFER(fr, write_note, &note[6]);
  rt_log("chain", "7 calls are deferred; the return of inner runs 3 of them");
}

static void middle(struct note *note)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, write_note, &note[2]);
  rt_yield();
  RT_DEFER(fr, write_note, &note[3]);
  inner(note);
}

static void outer(struct note *note)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, write_note, &note[0]);
  RT_DEFER(fr, write_note, &note[1]);
  rt_yield();
  middle(note);
}

static void goroutine(void *note)
{
  outer(note);
  rt_waitgroup_done(&both);
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_name(&both, "both");
  rt_waitgroup_add(&both, 2);
  for (int i = 0; i < 2; i++) {
    ends[i] = texts[i];
    rt_go_named(i ? "right" : "left", goroutine, notes[i]);
  }
  rt_waitgroup_wait(&both);
  printf("left ran: %s\nright ran:%s\n", texts[0], texts[1]);
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
