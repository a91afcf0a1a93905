"""The worker that waits in the real app, with the real libraries."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from playwright.sync_api import expect

from qlora_ui.jobs.workers.standby_process import waiting_in
from tests.e2e.conftest import OpenPage
from tests.fakes.server import RunningServer

LOADED_MS = 120_000
GONE_MS = 20_000


def test_it_waits_is_switched_and_is_gone_with_its_server(tmp_path: Path, open_page: OpenPage) -> None:
    with RunningServer(tmp_path, standby=True) as server:
        page = open_page(f"{server.url}/settings#standby").page
        switch = page.get_by_role("switch", name="Start runs at once")
        expect(page.get_by_text("It waits: the next run starts at once.")).to_be_visible(timeout=LOADED_MS)
        expect(page.get_by_role("link", name="Standby worker:")).to_be_visible()
        switch.click()
        expect(page.get_by_text("Off: each run loads the libraries when it starts.")).to_be_visible()
        assert waiting_in(tmp_path) == []
        switch.click()
        expect(page.get_by_text("It loads the libraries.")).to_be_visible()
        expect(page.get_by_text("It waits: the next run starts at once.")).to_be_visible(timeout=LOADED_MS)
        (waiting,) = waiting_in(tmp_path)
        descriptor = os.pidfd_open(waiting)
        server.process.send_signal(signal.SIGKILL)
        poll = select.poll()
        poll.register(descriptor)
        assert poll.poll(GONE_MS), "it is still there"
        os.close(descriptor)
