#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures what docs/performance.md reports: run.py BUILD [runtime|file|frames ...]

Rows alternate within a round (Go, off, on, Go, off, on ...), and the medians of several rounds are compared: these
machines drift by a quarter within minutes, so only ratios of one alternating run mean anything.
"""
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = int(os.environ.get("GMPSCOPE_BENCH_ROUNDS", "5"))
# What is compared, and the ratios to Go untraced that must and should be met: off must, off aim, on must, on aim.
RUNTIME_TESTS = {
    "yield": (0.25, 0.15, 0.45, 0.30),
    "channel": (0.35, 0.20, 0.60, 0.35),
    "channel2p": (0.9, 0.5, None, None),
    "select": (0.50, 0.25, None, None),
    "buffered": (0.8, 0.5, None, None),
    "spawn": (0.25, 0.12, 0.40, 0.25),
    "batch": (0.15, 0.05, None, None),
    "skynet2p": (0.35, 0.15, None, None),
    "mutex2x2p": (1.2, 1.0, None, None),
    "mutex8x2p": (1.0, 0.7, None, None),
    "mutex64x2p": (1.0, 0.6, None, None),
    "timer": (0.3, 0.15, None, None),
    "deferloop": (0.4, 0.15, None, None),
    "panic": (0.5, 0.25, None, None),
    "panic10": (0.3, 0.12, None, None),
    "parked": (1.7, 0.35, None, None),  # bytes of memory a G
}


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{model}, {os.cpu_count()} CPUs, Linux {platform.release()}, load {os.getloadavg()[0]:.1f}"


def run_row(command):
    """Wall and CPU ns per operation, as the benchmark printed them."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    fields = done.stdout.split()
    return float(fields[1]), float(fields[2])


def build_go(folder):
    go = shutil.which("go") or "/usr/local/go/bin/go"
    if not os.path.exists(go):
        return None, "Go is not installed: its column is missing"
    target = os.path.join(folder, "bench-go")
    env = dict(os.environ, GOFLAGS="-mod=mod", GOTOOLCHAIN="local", CGO_ENABLED="0")
    subprocess.run([go, "build", "-o", target, "."], cwd=os.path.join(HERE, "go"), env=env, check=True)
    version = subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return target, version


def runtime(build):
    ours = os.path.join(build, "tests", "bench", "bench-runtime")
    gmpscope = os.path.join(build, "recorder", "gmpscope")
    with tempfile.TemporaryDirectory() as folder:
        go, version = build_go(folder)
        trace = os.path.join(folder, "bench.db")
        lost = {}  # the greatest share of the events that the recorder could not take, by test

        def on(test):
            if os.path.exists(trace):
                os.unlink(trace)
            row = run_row([gmpscope, "record", "-q", "-o", trace, "--tables=none", "--", ours, test, "bursts"])
            told = subprocess.run([gmpscope, "info", trace], capture_output=True, text=True, check=True).stdout
            found = re.search(r"([\d,]+) events in [^\n]*; ([\d,]+) lost", told)
            kept, gone = (int(n.replace(",", "")) for n in found.groups()) if found else (1, 0)
            lost[test] = max(lost.get(test, 0.0), gone / (kept + gone))
            return row

        columns = {"off": lambda test: run_row([ours, test]), "on": on}
        if go:
            columns = {"go": lambda test: run_row([go, test]), **columns}
        print(f"{machine()}; {version}; medians of {ROUNDS} alternating rounds, CPU ns per operation (wall for 2 Ps)")
        chosen = os.environ.get("GMPSCOPE_BENCH_TESTS", "").split() or RUNTIME_TESTS
        print("test             go      off       on   off/go   must  aim    on/go   must  aim  lost")
        for test in chosen:
            samples = {name: [] for name in columns}
            for _ in range(ROUNDS):
                for name, measure in columns.items():
                    samples[name].append(measure(test)[0 if test.endswith("2p") else 1])
            medians = {name: statistics.median(values) for name, values in samples.items()}
            base = medians.get("go")
            limits = RUNTIME_TESTS[test]
            row = [f"{test:10}", f"{base:8.1f}" if base else "       -", f"{medians['off']:8.1f}", f"{medians['on']:8.1f}"]
            for name, must, aim in (("off", *limits[:2]), ("on", *limits[2:])):
                row.append(judged(medians[name] / base if base else None, must, aim))
            row.append(f"{lost.get(test, 0):5.0%}")
            print(" ".join(row), flush=True)


def judged(ratio, must, aim):
    """A ratio beside what it must and should be; ! marks a miss of the must, * a hit of the aim."""
    if ratio is None:
        return "       -             "
    mark = " " if must is None else "!" if ratio > must else "*" if ratio <= aim else " "
    return f"{ratio:7.2f}{mark} {must if must else '-':>6} {aim if aim else '-':>4}"


def file(build):
    """Rates of the trace file: writing, reading, SQL."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([os.path.join(build, "tests", "bench", "bench-file"), folder], check=True)


def frames(build):
    """Frame times of the window with a million events, under a virtual display."""
    if not shutil.which("xvfb-run"):
        print("frames: xvfb-run is not installed (package xvfb)", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        text, trace = os.path.join(folder, "million.trace"), os.path.join(folder, "million.db")
        with open(text, "w", encoding="utf-8") as out:
            subprocess.run([sys.executable, os.path.join(HERE, "..", "ui", "make-trace.py"), "1000000"],
                           stdout=out, check=True)
        gmpscope = os.path.join(build, "recorder", "gmpscope")
        subprocess.run([gmpscope, "load", text, "--tables=none", "-o", trace], check=True)
        env = dict(os.environ, GTK_A11Y="none", GSK_RENDERER="cairo", GDK_BACKEND="x11", GSETTINGS_BACKEND="memory")
        subprocess.run(["xvfb-run", "-a", "-s", "-screen 0 1280x720x24",
                        os.path.join(build, "ui", "gmpscope-viewer"), "--benchmark-frames=300", trace],
                       env=env, check=True)


def main(arguments):
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    build, names = arguments[0], arguments[1:] or ["runtime", "file", "frames"]
    known = {"runtime": runtime, "file": file, "frames": frames}
    for name in names:
        if name not in known:
            print(f"there is no benchmark '{name}'; there are: {', '.join(known)}", file=sys.stderr)
            return 2
        known[name](build)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
