#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures what docs/performance.md reports: run.py BUILD [runtime|others|file|frames ...]

Rows alternate within a round (Go, off, on, Go, off, on ...), and the medians of several rounds are compared: these
machines drift by a quarter within minutes, so only ratios of one alternating run mean anything.
"""
import glob
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
    "echo1p": (1.0, 0.85, None, None),  # the server's CPU time a request
    "echo2p": (1.0, 0.70, None, None),
}
# What is compared with less of the same: (program, test), (program, test), and the ratio that must and should be met.
PAIRS = {
    "event": (("bench-event", "event"), ("bench-event", "rdtsc"), 1.6, 1.15),
    "off-yield": (("bench-runtime", "yield"), ("bench-runtime-untraced", "yield"), 1.3, 1.05),
    "off-channel": (("bench-runtime", "channel"), ("bench-runtime-untraced", "channel"), 1.3, 1.05),
    "off-spawn": (("bench-runtime", "spawn"), ("bench-runtime-untraced", "spawn"), 1.3, 1.05),
}
# Libraries beside ours: the package, a file by which to tell that it is installed, and how others/ is compiled with it.
DEBIAN_CRATES = "/usr/share/cargo/registry"
OTHERS = {
    "pth": ("libpth-dev", "/usr/include/pth.h", ["cc", "-O2", "-Wall", "-o", "{target}", "pth.c", "-lpth"]),
    "st": ("libst-dev", "/usr/include/st.h", ["cc", "-O2", "-Wall", "-o", "{target}", "st.c", "-lst"]),
    "boost-fiber": ("libboost-fiber-dev", "/usr/include/boost/fiber/all.hpp",
                    ["c++", "-O2", "-Wall", "-o", "{target}", "boost-fiber.cc", "-lboost_fiber", "-lboost_context",
                     "-pthread"]),
    "tokio": ("librust-tokio-dev", f"{DEBIAN_CRATES}/tokio-1.*",
              ["cargo", "build", "--quiet", "--release", "--offline", "--manifest-path=tokio/Cargo.toml",
               "--target-dir={target}", "--config=source.crates-io.replace-with='debian'",
               f"--config=source.debian.directory='{DEBIAN_CRATES}'"]),
}
HAS_NOT = {("st", "channel")}


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{model}, {os.cpu_count()} CPUs, Linux {platform.release()}, load {os.getloadavg()[0]:.1f}"


def built(build, name):
    return os.path.join(build, "tests", "bench", name)


def run_row(command, load=None):
    """Wall and CPU ns per operation, as the benchmark printed them. load: a program that asks it, as a server, for
    what its first line says (a port and a number of requests)."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        try:
            if load:
                subprocess.run([load, *run.stdout.readline().split()], timeout=300, check=True)
            fields = run.communicate(timeout=300)[0].split()
        except BaseException:
            run.kill()
            raise
    if run.returncode != 0:
        raise subprocess.CalledProcessError(run.returncode, command)
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


def measured(build, test, command):
    """What is compared of a test: its CPU time, or its wall time where two Ps share the work; a server's is CPU time,
    since the wall is that of who asks it."""
    echo = test.startswith("echo")
    wall, cpu = run_row(command, built(build, "bench-echo-load") if echo else None)
    return wall if test.endswith("2p") and not echo else cpu


def medians_of(measures):
    """The median of each of {name: function}, which are called in turn, round by round."""
    samples = {name: [] for name in measures}
    for _ in range(ROUNDS):
        for name, measure in measures.items():
            samples[name].append(measure())
    return {name: statistics.median(values) for name, values in samples.items()}


class Recorded:
    """Ours under the recorder; keeps the greatest share of the events that it could not take."""

    def __init__(self, build, folder):
        self.build, self.trace, self.lost = build, os.path.join(folder, "bench.db"), {}

    def measure(self, test):
        gmpscope = os.path.join(self.build, "recorder", "gmpscope")
        if os.path.exists(self.trace):
            os.unlink(self.trace)
        ns = measured(self.build, test, [gmpscope, "record", "-q", "-o", self.trace, "--tables=none", "--",
                                         built(self.build, "bench-runtime"), test, "bursts"])
        told = subprocess.run([gmpscope, "info", self.trace], capture_output=True, text=True, check=True).stdout
        found = re.search(r"([\d,]+) events in [^\n]*; ([\d,]+) lost", told)
        kept, gone = (int(n.replace(",", "")) for n in found.groups()) if found else (1, 0)
        self.lost[test] = max(self.lost.get(test, 0.0), gone / (kept + gone))
        return ns


def beside_go(build, tests):
    """Go, ours, and ours recorded."""
    with tempfile.TemporaryDirectory() as folder:
        go, version = build_go(folder)
        recorded = Recorded(build, folder)
        print(f"{machine()}; {version}; medians of {ROUNDS} alternating rounds, CPU ns per operation (wall for 2 Ps, "
              "except of a server)")
        print("test             go      off       on   off/go   must  aim    on/go   must  aim  lost")
        for test in tests:
            ours = [built(build, "bench-runtime"), test]
            measures = {"off": lambda: measured(build, test, ours), "on": lambda: recorded.measure(test)}
            if go:
                measures = {"go": lambda: measured(build, test, [go, test]), **measures}
            medians = medians_of(measures)
            base = medians.get("go")
            limits = RUNTIME_TESTS[test]
            row = [f"{test:10}", f"{base:8.1f}" if base else "       -", f"{medians['off']:8.1f}", f"{medians['on']:8.1f}"]
            for name, must, aim in (("off", *limits[:2]), ("on", *limits[2:])):
                row.append(judged(medians[name] / base if base else None, must, aim))
            row.append(f"{recorded.lost.get(test, 0):5.0%}")
            print(" ".join(row), flush=True)


def beside_ours(build, tests):
    """Programs of ours, beside one that does less."""
    subprocess.run(["ninja", "-C", build, "tests/bench/bench-runtime-untraced"], stdout=subprocess.DEVNULL, check=True)
    print("pair            less     more    ratio   must  aim")
    for test in tests:
        more, less, must, aim = PAIRS[test]
        medians = medians_of({"less": lambda: run_row([built(build, less[0]), less[1]])[1],
                              "more": lambda: run_row([built(build, more[0]), more[1]])[1]})
        print(f"{test:11} {medians['less']:8.1f} {medians['more']:8.1f}",
              judged(medians["more"] / medians["less"], must, aim), flush=True)


def runtime(build):
    chosen = os.environ.get("GMPSCOPE_BENCH_TESTS", "").split() or [*RUNTIME_TESTS, *PAIRS]
    for unknown in (name for name in chosen if name not in RUNTIME_TESTS and name not in PAIRS):
        sys.exit(f"there is no test '{unknown}'; there are: {', '.join([*RUNTIME_TESTS, *PAIRS])}")
    for measure, table in ((beside_go, RUNTIME_TESTS), (beside_ours, PAIRS)):
        tests = [test for test in chosen if test in table]
        if tests:
            measure(build, tests)


def build_other(name, folder):
    """The program of another library, or None, having said what is missing."""
    package, sign, command = OTHERS[name]
    if not shutil.which(command[0]) or not glob.glob(sign):
        print(f"others: {name} is not measured: {command[0]} or {package} is not installed", file=sys.stderr)
        return None
    sources, target = os.path.join(folder, name), os.path.join(folder, f"bench-{name}")
    shutil.copytree(os.path.join(HERE, "others"), sources)
    subprocess.run([part.format(target=target) for part in command], cwd=sources, check=True)
    return os.path.join(target, "release", "bench-tokio") if name == "tokio" else target


def others(build):
    """What others have for C, C++ and Rust, as Debian packages it; nothing of it is needed for anything else."""
    with tempfile.TemporaryDirectory() as folder:
        programs = {"ours": built(build, "bench-runtime"), "go": build_go(folder)[0]}
        programs.update({name: build_other(name, folder) for name in OTHERS})
        programs = {name: program for name, program in programs.items() if program}
        print(f"{machine()}; medians of {ROUNDS} alternating rounds, CPU ns per operation, tracing off, one P or thread")
        print("test       " + " ".join(f"{name:>12}" for name in programs))
        for test in ("yield", "channel", "spawn"):
            able = {name: program for name, program in programs.items() if (name, test) not in HAS_NOT}
            medians = medians_of({name: lambda program=program: run_row([program, test])[1]
                                  for name, program in able.items()})
            print(f"{test:10} ", " ".join(f"{medians[name]:12.1f}" if name in medians else " " * 11 + "-"
                                          for name in programs), sep="", flush=True)


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
    build, names = arguments[0], arguments[1:] or ["runtime", "others", "file", "frames"]
    known = {"runtime": runtime, "others": others, "file": file, "frames": frames}
    for name in names:
        if name not in known:
            print(f"there is no benchmark '{name}'; there are: {', '.join(known)}", file=sys.stderr)
            return 2
        known[name](build)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
