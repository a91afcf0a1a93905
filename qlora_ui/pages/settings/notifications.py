"""What a person is told of, and where: in the app, by the browser, by a webhook."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.browser.browser_permission import BrowserPermission, Permission
from qlora_ui.components.button import Button
from qlora_ui.components.section_nav import Section
from qlora_ui.components.toast import toast
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.locales import _, mark
from qlora_ui.pages.settings.parts import SettingRow, SettingsDesk, switch_row
from qlora_ui.pages.settings.secret import SecretRow

_BROWSER_HELP = mark("Shows what you chose above while another window is in front, for as long as a tab is open here.")
_PERMISSIONS: dict[Permission, str] = {
    "granted": mark("This browser allows it."),
    "denied": mark(
        "This browser blocks it for this page. Allow notifications in the browser's settings for this address, "
        "then reload the page."
    ),
    "default": mark("This browser has not been asked yet; it asks when you switch this on."),
    "insecure": mark(
        "Browsers allow it only for pages that come from this machine or over https, and this one came over plain http."
    ),
    "missing": mark("This browser has no notifications for pages."),
}


def notifications(desk: SettingsDesk) -> Section:
    with Section("notifications", _("Notifications")) as section:
        _topic(desk, "job_complete", _("Finished runs"), _("Tell me when a run is finished, and when several are."))
        _topic(desk, "errors", _("Trouble"), _("Tell me when a run fails, is interrupted or needs a look."))
        _updates(desk)
        _browser(desk)
        _webhook(desk)
    return section


def _topic(desk: SettingsDesk, name: str, title: str, help: str) -> tuple[SettingRow, ui.switch]:
    return switch_row(
        desk,
        title,
        help,
        lambda preferences: bool(getattr(preferences.notifications, name)),
        lambda value: {"notifications": {name: value}},
    )


def _updates(desk: SettingsDesk) -> None:
    help = _("Asks the Python package index once a day whether there is a newer version. Nothing else is sent there.")
    row, switch = _topic(desk, "updates", _("New versions"), help)
    if desk.services.settings.offline:
        row.help.text = _("Switched off: the app was started with --offline and asks nobody for anything.")
        switch.disable()


def _browser(desk: SettingsDesk) -> None:
    row, switch = _topic(desk, "browser", _("Browser notifications"), _(_BROWSER_HELP))
    state: Permission | None = None

    def explain(preferences: UserPreferences) -> None:
        words = [_(_BROWSER_HELP)]
        if state is not None and (preferences.notifications.browser or state not in {"granted", "default"}):
            words.append(_(_PERMISSIONS[state]))
        row.help.text = " ".join(words)

    def take(found: Permission) -> None:
        nonlocal state
        state = found
        explain(desk.preferences)

    desk.follow(explain)
    with row:
        BrowserPermission(take).ask_when_on(switch)


def _webhook(desk: SettingsDesk) -> None:
    told = desk.services.notifications

    async def keep(url: str) -> None:
        await told.set_webhook(url)
        row.show(told.webhook_url())

    async def test() -> None:
        await told.send_test()
        toast(_("The test message was sent."))

    row = SecretRow(
        _("Webhook"),
        help=_(
            "Every notification also goes to this address as JSON, such as the incoming webhook of a chat. "
            "It holds the names of your runs. It is for everyone who uses this home folder."
        ),
        label=_("Address of the webhook"),
        when_removed=_("Nothing more is sent there. You can enter an address again at any time."),
        keep=keep,
        on_saved=lambda: desk.said.saved(_("Webhook")),
    )
    with row.actions:
        button = Button(_("Send a test"), test, size="sm")
    row.when_set(button)
    row.show(told.webhook_url())
