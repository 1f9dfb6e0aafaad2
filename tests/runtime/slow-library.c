/* SPDX-License-Identifier: MIT */
/* slow-library.c - a library that takes its time to be loaded: until the test that loads it says so (test-threads.c). */
#include <unistd.h>

int slow_library_may_go_on(void);

__attribute__((constructor)) static void take_time(void)
{
  while (!slow_library_may_go_on())
    usleep(1000);
}
