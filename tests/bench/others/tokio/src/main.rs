// SPDX-License-Identifier: MIT

//! Tokio on its scheduler of one thread. Its channel is mpsc of capacity 1: it has no unbuffered one.
//!
//!     bench-tokio TEST    prints "TEST wall_ns cpu_ns" per operation

use std::future::Future;
use std::process::exit;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::{spawn, yield_now};

/// CPU time of this process, from the kernel's count in nanoseconds.
fn cpu_now() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

async fn report(test: &str, n: u32, run: impl Future<Output = ()>) {
    let (wall, cpu) = (Instant::now(), cpu_now());
    run.await;
    let (w, c) = (wall.elapsed(), cpu_now() - cpu);
    println!("{test} {:.2} {:.2}", w.as_nanos() as f64 / f64::from(n), c.as_nanos() as f64 / f64::from(n));
}

async fn yielder(n: u32) {
    for _ in 0..n {
        yield_now().await;
    }
}

async fn yields(n: u32) {
    let (a, b) = (spawn(yielder(n / 2)), spawn(yielder(n / 2)));
    a.await.unwrap();
    b.await.unwrap();
}

async fn channel(n: u32) {
    let (ping, mut asked) = mpsc::channel(1);
    let (answer, mut pong) = mpsc::channel(1);
    spawn(async move {
        while let Some(v) = asked.recv().await {
            answer.send(v).await.unwrap();
        }
    });
    for i in 0..n {
        ping.send(i).await.unwrap();
        pong.recv().await.unwrap();
    }
}

async fn spawns(n: u32) {
    for _ in 0..n {
        spawn(async {}).await.unwrap();
    }
}

async fn measure(test: &str) {
    match test {
        "yield" => report(test, 5_000_000, yields(5_000_000)).await,
        "channel" => report(test, 2_000_000, channel(2_000_000)).await,
        "spawn" => report(test, 2_000_000, spawns(2_000_000)).await,
        _ => exit(2),
    }
}

fn main() {
    let Some(test) = std::env::args().nth(1) else { exit(2) };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // In a task: what block_on itself runs is polled by another path.
    runtime.block_on(async move { spawn(async move { measure(&test).await }).await.unwrap() });
}
