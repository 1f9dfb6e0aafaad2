/* SPDX-License-Identifier: MIT */
/* mutants.h - the places at which the tests' library can be told to be wrong (MUTANT in the sources). */
#pragma once

/* clang-format off */
static const struct {
  int number;
  const char *what;
  const char *only; /* the program that sees it, if it takes too many seeds of all; NULL: all */
} mutants[] = {
  {  1, "the last spinner that finds work does not wake its replacement", NULL },
  {  2, "the G that runnext kicks out is lost", NULL },
  {  3, "the queues are not looked at again after the P was released", NULL },
  {  4, "the heap's sift leaves out one child", NULL },
  {  5, "who sets an earlier timer does not tell the poller", NULL },
  {  6, "a semaphore makes its waiter ready twice", NULL },
  {  7, "a P is taken from a system call without locking the G's status", NULL },
  {  8, "a G that changes its M loses its deferred calls", NULL },
  {  9, "an unlock does not wake who sleeps on the lock", NULL },
  { 10, "a G readied while all Ps are busy does not ask for a spinner", "busy-timers" },
  { 11, "who was woken in netpoll does not let itself be woken again", NULL },
  { 12, "a select that another channel has won is woken once more", NULL },
  { 13, "a semaphore's waiter does not look again before it parks", NULL },
  { 14, "the search for a deadlock does not see the M in netpoll", NULL },
  { 15, "a P that is handed off is not looked into", NULL },
  { 16, "a thief takes what it has copied without claiming it", NULL },
  { 17, "sysmon does not see that a G was handed over and lies there", NULL },
  { 18, "who handed over without waking anybody goes into a system call", NULL },
  { 19, "who recovered does not run the frame's other deferred calls", NULL },
  { 20, "a Goexit can be recovered", NULL },
  { 21, "who finds no P to wake somebody for stays counted as spinning", NULL },
  { 22, "a P is handed to the idle list without asking who wanted a spinner", "locked-threads" },
  { 23, "nobody runs the timers of another P", NULL },
  { 24, "a timer fires early", NULL },
  { 25, "who goes to sleep does not look at the timers of other Ps", NULL },
  { 26, "the world is said to stand before all Ps do", NULL },
  { 27, "who ends the bias of sched.lock does not wait until its M is outside", NULL },
  { 28, "a frame's spare records are taken to lie in a P's pool if the first and the last do", "defers-in-loops" },
  { 31, "who parks on a timer's channel does not put the timer into a heap", NULL },
  { 32, "who parks on the channel of a zombie leaves it one", NULL },
  { 33, "who goes on leaves the timer of its channel in the heap", NULL },
  { 34, "who goes to sleep and knows of an earlier timer does not tell the poller", NULL },
  { 35, "a timer that becomes the first of its heap wakes nobody", NULL },
  { 36, "a timer in a heap that is reset to an earlier time wakes nobody", NULL },
  { 37, "the timers of a lost P come without the earliest time of those that were reset", NULL },
  { 38, "who waits for a zombie that was reset to an earlier time wakes nobody", NULL },
  { 39, "who gets several Gs from netpoll does not ask for a spinner", "descriptors-at-once" },
  { 40, "the last P that ran is handed off, and nobody polls", "descriptor-and-calls" },
  { 41, "a thread that ends does not ask whether it was the last", NULL },
  { 42, "who goes to sleep in netpoll does not see that the run has ended", "descriptors" },
};
/* clang-format on */
