/* SPDX-License-Identifier: MIT */
/* stdatomic.h - C's atomics, each a point at which the simulation may let another M go on.
 *
 * Stands before the compiler's own on the include path of the simulation's library, and of it alone. Between
 * two atomic operations an M runs undisturbed; at each, anything may have happened. That is every
 * interleaving that a sequentially consistent machine has, as far as what Ms share is atomic or under
 * a lock, which the thread sanitizer watches elsewhere. What a weaker memory order allows is not tried.
 */
#pragma GCC system_header
#pragma once
#include_next <stdatomic.h>

void sim_point(void);

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_exchange_explicit
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit
#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and
#undef atomic_fetch_and_explicit

#define SIM_SEQ __ATOMIC_SEQ_CST
/* clang-format off */
#ifdef __clang__
#define SIM_LOAD(ptr)            __c11_atomic_load(ptr, SIM_SEQ)
#define SIM_STORE(ptr, val)      __c11_atomic_store(ptr, val, SIM_SEQ)
#define SIM_EXCHANGE(ptr, val)   __c11_atomic_exchange(ptr, val, SIM_SEQ)
#define SIM_CAS(ptr, old, val)   __c11_atomic_compare_exchange_strong(ptr, old, val, SIM_SEQ, SIM_SEQ)
#define SIM_FETCH(op, ptr, val)  __c11_atomic_fetch_##op(ptr, val, SIM_SEQ)
#else
#define SIM_LOAD(ptr)                                                                              \
  __extension__({                                                                                  \
    __auto_type sim_ptr = (ptr);                                                                   \
    __typeof__((void)0, *sim_ptr) sim_value;                                                       \
    __atomic_load(sim_ptr, &sim_value, SIM_SEQ);                                                   \
    sim_value;                                                                                     \
  })
#define SIM_STORE(ptr, val)                                                                        \
  __extension__({                                                                                  \
    __auto_type sim_ptr = (ptr);                                                                   \
    __typeof__((void)0, *sim_ptr) sim_value = (val);                                               \
    __atomic_store(sim_ptr, &sim_value, SIM_SEQ);                                                  \
  })
#define SIM_EXCHANGE(ptr, val)                                                                     \
  __extension__({                                                                                  \
    __auto_type sim_ptr = (ptr);                                                                   \
    __typeof__((void)0, *sim_ptr) sim_value = (val);                                               \
    __typeof__((void)0, *sim_ptr) sim_old;                                                         \
    __atomic_exchange(sim_ptr, &sim_value, &sim_old, SIM_SEQ);                                     \
    sim_old;                                                                                       \
  })
#define SIM_CAS(ptr, old, val)                                                                     \
  __extension__({                                                                                  \
    __auto_type sim_ptr = (ptr);                                                                   \
    __typeof__((void)0, *sim_ptr) sim_value = (val);                                               \
    __atomic_compare_exchange(sim_ptr, (old), &sim_value, 0, SIM_SEQ, SIM_SEQ);                    \
  })
#define SIM_FETCH(op, ptr, val) __atomic_fetch_##op((ptr), (val), SIM_SEQ)
#endif
/* clang-format on */

#define atomic_load(ptr)                              (sim_point(), SIM_LOAD(ptr))
#define atomic_load_explicit(ptr, order)              atomic_load(ptr)
#define atomic_store(ptr, val)                        (sim_point(), SIM_STORE(ptr, val))
#define atomic_store_explicit(ptr, val, order)        atomic_store(ptr, val)
#define atomic_exchange(ptr, val)                     (sim_point(), SIM_EXCHANGE(ptr, val))
#define atomic_exchange_explicit(ptr, val, order)     atomic_exchange(ptr, val)
#define atomic_compare_exchange_strong(ptr, old, val) (sim_point(), SIM_CAS(ptr, old, val))
#define atomic_compare_exchange_weak(ptr, old, val)   atomic_compare_exchange_strong(ptr, old, val)
#define atomic_compare_exchange_strong_explicit(ptr, old, val, won, lost)                          \
  atomic_compare_exchange_strong(ptr, old, val)
#define atomic_compare_exchange_weak_explicit(ptr, old, val, won, lost)                            \
  atomic_compare_exchange_strong(ptr, old, val)
#define atomic_fetch_add(ptr, val)                 (sim_point(), SIM_FETCH(add, ptr, val))
#define atomic_fetch_add_explicit(ptr, val, order) atomic_fetch_add(ptr, val)
#define atomic_fetch_sub(ptr, val)                 (sim_point(), SIM_FETCH(sub, ptr, val))
#define atomic_fetch_sub_explicit(ptr, val, order) atomic_fetch_sub(ptr, val)
#define atomic_fetch_or(ptr, val)                  (sim_point(), SIM_FETCH(or, ptr, val))
#define atomic_fetch_or_explicit(ptr, val, order)  atomic_fetch_or(ptr, val)
#define atomic_fetch_and(ptr, val)                 (sim_point(), SIM_FETCH(and, ptr, val))
#define atomic_fetch_and_explicit(ptr, val, order) atomic_fetch_and(ptr, val)
