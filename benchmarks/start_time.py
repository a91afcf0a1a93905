"""How long it takes from the command to the first page, and how much memory the web process then holds.

    python benchmarks/start_time.py [--runs 3]

Each run starts `qlora-ui --no-browser` on a free port with an empty home folder and asks for `/` until it answers.
"""

from __future__ import annotations

import argparse
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import psutil

TIMEOUT_S = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    runs = [measure() for _ in range(parser.parse_args().runs)]
    for seconds, megabytes in runs:
        print(f"first page after {seconds:.2f} s, web process {megabytes:.0f} MB")
    seconds, megabytes = (statistics.median(figures) for figures in zip(*runs, strict=True))
    print(f"median of {len(runs)}: {seconds:.2f} s, {megabytes:.0f} MB")


def measure() -> tuple[float, float]:
    """Seconds until the first page was there, and the resident memory of the web process in MB."""
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        begin = time.perf_counter()
        server = subprocess.Popen(
            [sys.executable, "-m", "qlora_ui", "--no-browser", f"--port={port}", f"--home={home}"],
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_for_page(f"http://127.0.0.1:{port}/", begin + TIMEOUT_S)
            seconds = time.perf_counter() - begin
            return seconds, psutil.Process(server.pid).memory_info().rss / 1e6
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)


def wait_for_page(url: str, end: float) -> None:
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                response.read()
                return
        except OSError:
            if time.perf_counter() > end:
                raise
            time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
