/* SPDX-License-Identifier: MIT */
/* mutants.h - the places at which the tests' library can be told to be wrong (MUTANT in the sources). */
#pragma once

/* clang-format off */
static const struct {
  int number;
  const char *what;
} mutants[] = {
  {  1, "the last spinner that finds work does not wake its replacement" },
  {  2, "the G that runnext kicks out is lost" },
  {  3, "the queues are not looked at again after the P was released" },
  {  4, "the heap's sift leaves out one child" },
  {  5, "the poller is not told of an earlier timer" },
  {  6, "a semaphore makes its waiter ready twice" },
  {  7, "a P is taken from a system call without locking the G's status" },
  {  8, "a G that changes its M loses its deferred calls" },
  {  9, "an unlock does not wake who sleeps on the lock" },
  { 10, "a G readied while all Ps are busy does not ask for a spinner" },
  { 11, "who was woken in netpoll does not let itself be woken again" },
  { 12, "a select that another channel has won is woken once more" },
  { 13, "a semaphore's waiter does not look again before it parks" },
  { 14, "the search for a deadlock does not see the M in netpoll" },
  { 15, "a P that is handed off is not looked into" },
  { 16, "a thief takes what it has copied without claiming it" },
  { 17, "sysmon does not see that a G was handed over and lies there" },
  { 18, "who handed over without waking anybody goes into a system call" },
};
/* clang-format on */
