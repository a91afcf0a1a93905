"""Follows what happens and tells each thing once, however often the server is started."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.events import Alert
from qlora_ui.contract.notifications import Notification
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.contract.records import now
from qlora_ui.jobs.concerns import Concern
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.reactive import Event
from qlora_ui.notifications import news, webhook
from qlora_ui.notifications.rounds import Round
from qlora_ui.notifications.updates import UpdateCheck
from qlora_ui.people import People
from qlora_ui.store.notifications import KEPT
from qlora_ui.store.secret_file import SecretFile
from qlora_ui.store.store import Store

log = logging.getLogger(__name__)

UPDATES_EVERY = timedelta(days=1)
LOOK_EVERY_S = 3600.0
"""How often it is looked whether the package index may be asked again."""


class Notifications:
    """What people are told. The topics that each of them wants are up to who shows it: this keeps everything.

    Runs that another program started, or that ended while no server ran, are told as well; runs that ended before the
    app first knew of notifications are not. Messages to the webhook that wait when the server ends are not sent later.
    """

    def __init__(
        self,
        store: Store,
        jobs: JobManager,
        people: People,
        address: SecretFile,
        *,
        offline: bool = False,
        sender: webhook.Webhook | None = None,
        updates: UpdateCheck | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """`address` keeps the webhook's; `offline`: never ask for a newer version."""
        self.added: Event[Notification] = Event()
        """Something was told; argument: what."""
        self._book, self._preferences = store.notifications, store.preferences
        self._jobs, self._people, self._address = jobs, people, address
        self._offline, self._clock = offline, clock
        self._sender, self._updates = sender or webhook.Webhook(), updates or UpdateCheck()
        self._round = Round()
        self._history: list[Notification] = self._book.history()
        self._told: set[str] = self._book.told()
        self._unsaved: list[Notification] = []
        self._webhook = self._read_webhook()
        self._writing = asyncio.Lock()
        self._outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def history(self) -> Sequence[Notification]:
        """The newest 200, newest first."""
        return self._history

    # ---- life ----

    async def start(self) -> None:
        """Tell what has ended since the last start, and follow from now on. The jobs must have been found before."""
        self._jobs.jobs_changed.subscribe(self._follow_jobs)
        self._people.changed.subscribe(self._follow_people)
        async with self._writing:  # what the jobs announce meanwhile waits until it is known what is old
            await self._begin()
        await self._follow_jobs()
        self._tasks = [
            asyncio.create_task(self._deliver(), name="send to the webhook"),
            asyncio.create_task(self._look_for_updates(), name="look for a newer version"),
        ]

    async def close(self) -> None:
        """Stop following and sending."""
        self._jobs.jobs_changed.unsubscribe(self._follow_jobs)
        self._people.changed.unsubscribe(self._follow_people)
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _begin(self) -> None:
        over = [news.end_id(job) for job in self._jobs.jobs.values() if job.status.is_final]
        try:
            await asyncio.to_thread(self._book.begin, over, {*self._jobs.jobs, *self._jobs.unreadable})
            self._told = await asyncio.to_thread(self._book.told)
        except WorkspaceError as error:
            log.error("it could not be written down which runs are old: %s", error)
            self._told |= set(over)

    # ---- telling ----

    async def remark(self, job: Job, remark: Concern | Alert) -> None:
        """Tell of something that is wrong with a run at work."""
        told = news.of_remark(job, remark)
        if told is not None:
            await self._tell([told])

    async def _follow_jobs(self) -> None:
        jobs = dict(self._jobs.jobs)
        ended = [job for job in jobs.values() if job.status.is_final and news.end_id(job) not in self._told]
        new = {job.id: told for job in ended if (told := news.of_end(job)) is not None}
        in_order = sorted(new.values(), key=lambda told: told.time)
        endings = self._round.follow([jobs[job_id] for job_id in new], jobs)
        if in_order and endings:
            in_order.append(news.of_all_done(in_order[-1], endings))
        if in_order:
            await self._tell(in_order)

    async def _tell(self, candidates: Sequence[Notification]) -> None:
        """Write down what is new, then announce it. What the disk refuses is announced, and written down later."""
        async with self._writing:
            candidates = [told for told in candidates if told.id not in self._told]
            before = {(told.id, told.told_at) for told in self._history}
            pending = [*self._unsaved, *candidates]
            try:
                written = await asyncio.to_thread(self._book.add, pending)
                self._history = await asyncio.to_thread(self._book.history)
                self._unsaved = []
            except WorkspaceError as error:
                log.error("what was told could not be written down: %s", error)
                written, self._unsaved = list(candidates), pending
                self._history = [*reversed(candidates), *self._history][:KEPT]
            ours = [told for told in written if told.id not in self._told]  # another server on this home sends its own
            self._told |= {told.id for told in candidates}
            fresh = [told for told in reversed(self._history) if (told.id, told.told_at) not in before]
        for told in fresh:
            self.added.emit(told)
        for told in ours:
            self._send(told)

    # ---- webhook ----

    def webhook_url(self) -> str:
        """The webhook's address as it can be shown, such as `https://hooks.slack.com/…`; empty when there is none."""
        return webhook.shortened(self._webhook)

    async def set_webhook(self, url: str) -> None:
        """Send messages to this address from now on; to none when it is empty.

        Raises WorkspaceError for what is no http or https address, or when it cannot be kept.
        """
        address = webhook.checked(url) if url.strip() else ""
        await asyncio.to_thread(self._address.set, address)
        self._webhook = address
        if address:
            await self._forgive(address)

    async def send_test(self) -> None:
        """Send one message now. Raises WorkspaceError with the reason when it does not arrive."""
        address = await asyncio.to_thread(self._address.get)
        if not address:
            raise WorkspaceError("There is no webhook to send to.", "Enter its address first.")
        await self._sender.send(address, webhook.test_message(), tries=1)
        await self._forgive(address)

    def _read_webhook(self) -> str:
        try:
            address = self._address.get()
            return webhook.checked(address) if address else ""
        except WorkspaceError as error:
            log.error("the webhook's address cannot be used: %s", error)
            return ""

    def _send(self, told: Notification) -> None:
        if told.event != "webhook_failed":
            job = self._jobs.jobs.get(told.job_id) if told.job_id else None
            self._outbox.put_nowait(webhook.message_of(told, job))

    async def _deliver(self) -> None:
        """Send one message after the other. A webhook that fails is told of once, until it works again."""
        while True:
            message = await self._outbox.get()
            try:
                if not (address := await asyncio.to_thread(self._address.get)):
                    continue
                try:
                    await self._sender.send(address, message)
                except WorkspaceError as error:
                    log.warning("a message to the webhook got lost: %s", error.message)
                    await self._tell([news.of_webhook_failure(address, error.message)])
                else:
                    await self._forgive(address)
            except Exception:  # whatever goes wrong with one message, the next one is sent
                log.exception("a message could not be sent to the webhook")
            finally:
                self._outbox.task_done()

    async def _forgive(self, address: str) -> None:
        """It works, or is given another chance: should it fail again, that is news."""
        failure = news.webhook_failure_id(address)
        if failure in self._told:
            self._told.discard(failure)
            await asyncio.to_thread(self._book.forget, failure)

    # ---- newer versions ----

    async def check_for_update(self) -> None:
        """Ask for a newer version and tell of it once; not offline, not unwanted, and at most once a day."""
        if self._offline or not await asyncio.to_thread(self._somebody_wants_updates):
            return
        asked, moment = await asyncio.to_thread(self._book.asked_for_updates_at), self._clock()
        if asked is not None and timedelta() <= moment - asked < UPDATES_EVERY:
            return
        await asyncio.to_thread(self._book.note_question, moment)
        if version := await self._updates.newest():
            await self._tell([news.of_update(version)])

    def _somebody_wants_updates(self) -> bool:
        return any(preferences.notifications.updates for preferences in self._preferences.all())

    def _follow_people(self, _person: str, preferences: UserPreferences) -> None:
        if preferences.notifications.updates:
            self._wake.set()

    async def _look_for_updates(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.check_for_update()
            except WorkspaceError as error:
                log.error("it could not be looked for a newer version: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
