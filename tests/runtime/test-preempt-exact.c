/* SPDX-License-Identifier: MIT */
/* test-preempt-exact.c - what a G computes does not depend on where it was stopped, how often, and which thread it went
 * on on: every result is compared bit by bit with that of the same function before the scheduler runs.
 */
#include "nag.h"

#include <errno.h>
#include <immintrin.h>
#include <stdatomic.h>

#define KERNELS    12
#define ROUNDS     15000000u
#define MOST_TIMES 10

extern uint64_t preempt_area;

static struct rt_waitgroup wg;

typedef uint64_t kernel(uint64_t seed);

static inline uint64_t mix(uint64_t x)
{
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return x;
}

static inline uint64_t fold(uint64_t x, const double *values, int n)
{
  for (int i = 0; i < n; i++) {
    uint64_t bits;
    __builtin_memcpy(&bits, &values[i], sizeof bits);
    x = x * 31 + bits;
  }
  return x;
}

static RT_PREEMPTIBLE uint64_t sse2(uint64_t seed)
{
  __m128d a = _mm_set_pd(1.0 + (double)seed, 2), b = _mm_set1_pd(1.0000001);
  uint64_t x = seed * 2654435761u + 1;
  for (uint32_t i = 0; i < ROUNDS; i++) {
    a = _mm_add_pd(_mm_mul_pd(a, b), _mm_set1_pd((double)(x & 7)));
    x = mix(x);
  }
  double out[2];
  _mm_storeu_pd(out, a);
  return fold(x, out, 2);
}

static RT_PREEMPTIBLE __attribute__((target("avx2"))) uint64_t avx2(uint64_t seed)
{
  __m256d a = _mm256_set_pd(1.0 + (double)seed, 2, 3, 4), b = _mm256_set1_pd(1.0000001);
  __m256i v = _mm256_set_epi64x((int64_t)seed, 5, 6, 7);
  uint64_t x = seed * 2654435761u + 1;
  double d = (double)seed;
  for (uint32_t i = 0; i < ROUNDS; i++) {
    a = _mm256_add_pd(_mm256_mul_pd(a, b), _mm256_set1_pd(0.5));
    v = _mm256_add_epi64(_mm256_slli_epi64(v, 1), _mm256_srli_epi64(v, 63));
    x = mix(x);
    d = d * 0.999999 + (double)(x % 7);
  }
  double out[9] = { d };
  _mm256_storeu_pd(out + 1, a);
  _mm256_storeu_pd(out + 5, _mm256_castsi256_pd(v));
  return fold(x, out, 9);
}

static RT_PREEMPTIBLE __attribute__((target("avx512f"))) uint64_t avx512(uint64_t seed)
{
  __m512d a = _mm512_set_pd(1.0 + (double)seed, 2, 3, 4, 5, 6, 7, 8), b = _mm512_set1_pd(1.0000001);
  __m512d masked = _mm512_mul_pd(a, b);
  __mmask8 mask = (__mmask8)(0x5a ^ seed);
  uint64_t x = seed * 2654435761u + 1;
  for (uint32_t i = 0; i < ROUNDS; i++) {
    a = _mm512_add_pd(_mm512_mul_pd(a, b), _mm512_set1_pd(0.5));
    masked = _mm512_mask_add_pd(masked, mask, masked, a);
    x = mix(x);
    mask = (__mmask8)(mask ^ (x & 1));
  }
  double out[16];
  _mm512_storeu_pd(out, a);
  _mm512_storeu_pd(out + 8, masked);
  return fold(x + mask, out, 16);
}

/* x87, and flags: a carry that goes round. */
static RT_PREEMPTIBLE uint64_t x87_and_flags(uint64_t seed)
{
  long double a = (long double)seed, b = 1.0000001L;
  uint64_t x = seed * 2654435761u + 1, y = 1;
  for (uint32_t i = 0; i < ROUNDS; i++) {
    a = a * b + 0.5L;
    __asm__("addq %1, %0\n\tadcq $3, %1" : "+r"(x), "+r"(y) : : "cc");
  }
  double out = (double)a;
  return fold(x ^ y, &out, 1);
}

/* Rounds upwards and must do so to the end, while the others round to the nearest. */
static RT_PREEMPTIBLE uint64_t rounding(uint64_t seed)
{
  uint32_t before = _mm_getcsr();
  if (seed % 2)
    _mm_setcsr((before & ~0x6000u) | 0x4000u);
  volatile double third = 3.0;
  double sum = 0;
  for (uint32_t i = 0; i < ROUNDS / 4; i++)
    sum += 1.0 / third;
  bool kept = ((_mm_getcsr() & 0x6000u) == 0x4000u) == (seed % 2 == 1);
  _mm_setcsr(before);
  return fold(kept, &sum, 1);
}

static kernel *the_kernel;
static uint64_t reference[KERNELS];
static atomic_int wrong;
static unsigned long least_taken;

static void run_kernel(void *seed)
{
  int mark = (int)(intptr_t)seed + 1000;
  errno = mark;
  if (the_kernel((uint64_t)(intptr_t)seed) != reference[(intptr_t)seed])
    atomic_fetch_add(&wrong, 1);
  if (errno != mark)
    atomic_fetch_add(&wrong, 1);
  rt_waitgroup_done(&wg);
}

static bool is_enough(void)
{
  return landed(TRACE_REFUSAL_NONE) >= least_taken && atomic_load(&preempt_stats.migrated) > 0;
}

/* On a busy machine once is not enough; but it ends also where nobody is preempted, and says so. */
PROGRAM(runs_kernels)
{
  int n = 0;
  nag_begin();
  do {
    rt_waitgroup_add(&wg, KERNELS);
    for (intptr_t i = 0; i < KERNELS; i++)
      rt_go(run_kernel, (void *)i);
    rt_waitgroup_wait(&wg);
  } while (!is_enough() && ++n < MOST_TIMES);
  nag_end();
  printf("%d wrong, %lu taken, %lu migrated\n", atomic_load(&wrong), landed(TRACE_REFUSAL_NONE),
         atomic_load(&preempt_stats.migrated));
  return 0;
}

/* In a child of its own each time, like every program here. */
static void assert_exact(kernel *fn, const char *name, unsigned long at_least)
{
  skip_where_it_is_off();
  the_kernel = fn;
  least_taken = at_least;
  for (uint64_t i = 0; i < KERNELS; i++)
    reference[i] = fn(i);
  struct outcome o = run_program(runs_kernels, 3);
  int n_wrong;
  unsigned long taken, migrated;
  assert_string_equal(o.err, "");
  assert_int_equal(o.code, 0);
  assert_int_equal(sscanf(o.out, "%d wrong, %lu taken, %lu migrated", &n_wrong, &taken, &migrated),
                   3);
  print_message("# %s: %s", name, o.out);
  assert_int_equal(n_wrong, 0);
  assert_true(taken >= at_least);
  assert_true(migrated > 0);
}

static void sse2_results_are_exact(void **state)
{
  (void)state;
  assert_exact(sse2, "SSE2", 500);
}

static void avx2_results_are_exact(void **state)
{
  (void)state;
  if (!__builtin_cpu_supports("avx2"))
    skip();
  assert_exact(avx2, "AVX2", 500);
}

static void avx512_results_are_exact(void **state)
{
  (void)state;
  if (!__builtin_cpu_supports("avx512f"))
    skip();
  assert_exact(avx512, "AVX-512", 500);
}

static void x87_results_and_flags_are_exact(void **state)
{
  (void)state;
  assert_exact(x87_and_flags, "x87 and flags", 500);
}

static void a_g_keeps_its_rounding_and_lends_it_to_nobody(void **state)
{
  (void)state;
  assert_exact(rounding, "rounding", 50);
}

/* A CPU without xsave: the area is known before the runtime measures it. */
static void fxsave_keeps_sse2(void **state)
{
  (void)state;
  preempt_area = 512;
  assert_exact(sse2, "SSE2 by fxsave", 500);
  preempt_area = 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(fxsave_keeps_sse2),
    cmocka_unit_test(sse2_results_are_exact),
    cmocka_unit_test(avx2_results_are_exact),
    cmocka_unit_test(avx512_results_are_exact),
    cmocka_unit_test(x87_results_and_flags_are_exact),
    cmocka_unit_test(a_g_keeps_its_rounding_and_lends_it_to_nobody),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
