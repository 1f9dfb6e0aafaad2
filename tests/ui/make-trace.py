#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes a text trace of N events for measuring the window; every rule of `gmpscope check` holds in it.

    tests/ui/make-trace.py 1000000 > million.trace
    gmpscope load million.trace -o million.db
    GTK_A11Y=none GSK_RENDERER=cairo xvfb-run -a -s '-screen 0 1280x720x24' \
        gmpscope-viewer --benchmark-frames=300 million.db

Two hundred Gs on four Ps run, park, make each other ready, yield and are stolen, a few hundred ns at a time: the
densest trace that a scheduler can produce, so that every pixel has something to merge.  The same N gives the same bytes.
"""
import random
import sys

N_PS = 4
N_GS = 200


class World:
    def __init__(self, out):
        self.out = out
        self.random = random.Random(7)
        self.n = 0
        self.now = 100
        self.seq = dict.fromkeys(range(1, N_GS + 1), 0)
        self.head, self.tail = [0] * N_PS, [0] * N_PS
        self.ring = [[] for _ in range(N_PS)]
        self.running = [0] * N_PS
        self.waiting = []

    def say(self, p, g, text):
        self.out.write(f"@{self.now} m{p} p{p} g{g} {text}\n")
        self.now += 1
        self.n += 1

    def begin(self):
        self.out.write('gmpscope-trace 1\nmeta program "million"\n')
        lines = [f"@0 m{m} p- g0 m_create tid={100 + m}" for m in range(N_PS)]
        lines.append(f"@0 m0 p- g0 trace_begin abi=1 from_start=1 n_procs={N_PS}")
        lines += [f'@10 m0 p- g0 proc_status proc={p} status="idle" on_m=4294967295 p_seq=0' for p in range(N_PS)]
        for p in range(N_PS):
            lines += [f"@20 m{p} p- g0 proc_unidle proc={p}", f"@20 m{p} p- g0 proc_start proc={p} p_seq=1"]
        self.out.write("\n".join(lines) + "\n")
        self.n = len(lines)
        for g in range(1, N_GS + 1):
            self.say(g % N_PS, 0, f"go_create new_g={g} fn={0x401000 + g * 16:#x}")
            self.put(g % N_PS, 0, g)

    def put(self, p, g, who):
        self.say(p, g, f"runq_put put_g={who} tail={self.tail[p]} onto_p={p}")
        self.tail[p] += 1
        self.ring[p].append(who)

    def start(self, p, g):
        self.seq[g] += 1
        self.say(p, 0, f"go_start run_g={g} g_seq={self.seq[g]}")
        self.running[p] = g

    def find_work(self, p):
        victims = [v for v in range(N_PS) if v != p and len(self.ring[v]) > 1]
        if self.ring[p]:
            g = self.ring[p].pop(0)
            self.say(p, 0, f"runq_get got_g={g} head={self.head[p]}")
            self.head[p] += 1
            self.start(p, g)
        elif victims:
            v = self.random.choice(victims)
            g = self.ring[v].pop(0)
            self.say(p, 0, f"runq_steal victim_p={v} n=1 victim_head={self.head[v]} tail={self.tail[p]}")
            self.head[v] += 1
            self.start(p, g)

    def work(self, p):
        g, chance = self.running[p], self.random.random()
        if chance < 0.45 and len(self.waiting) < 150:
            self.say(p, g, f'go_block why="chan receive" obj={0x9000 + g:#x}')
            self.waiting.append(g)
            self.running[p] = 0
        elif chance < 0.9 and self.waiting:
            woken = self.waiting.pop(self.random.randrange(len(self.waiting)))
            self.seq[woken] += 1
            self.say(p, g, f"go_unblock woken_g={woken} g_seq={self.seq[woken]} obj={0x9000 + woken:#x}")
            self.put(p, g, woken)
        else:
            self.say(p, g, 'go_stop why="runtime.Gosched"')
            self.running[p] = 0
            self.put(p, 0, g)

    def run(self, n_events):
        self.begin()
        while self.n < n_events:
            p = self.random.randrange(N_PS)
            self.now += self.random.choice([20, 50, 50, 120, 400])
            if self.running[p]:
                self.work(p)
            else:
                self.find_work(p)


if __name__ == "__main__":
    World(sys.stdout).run(int(sys.argv[1]) if len(sys.argv) > 1 else 1000000)
