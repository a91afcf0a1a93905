"""The page that asks for the code, in the look of the app and without anything that has to be loaded.

Nobody is known yet, so it speaks the language that the browser asks for.
"""

from __future__ import annotations

import asyncio
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse

from qlora_ui import locales
from qlora_ui.locales import _, n_
from qlora_ui.web.sign_in_session import MAX_NAME

SIGN_IN_PATH = "/sign-in"
SIGN_OUT_PATH = "/sign-out"


async def language_of(request: Request) -> str:
    """The language to answer in, with its catalog read."""
    language = locales.best_of(request.headers.get("accept-language", ""))
    await asyncio.to_thread(locales.load, language)
    return language


def form(language: str) -> HTMLResponse:
    """The form for the code and the name."""
    with locales.speaking(language):
        return _form()


def wrong_code(language: str, *, name: str) -> HTMLResponse:
    """The form again, with what was wrong; `name` is what was typed as one."""
    with locales.speaking(language):
        return _form(_("That is not the code."), 403, name)


def too_many_tries(language: str, *, wait_s: int, name: str) -> HTMLResponse:
    """The form again, with the seconds to wait until the next try counts."""
    with locales.speaking(language):
        problem = n_(
            "There were too many wrong codes. Try again in {count} second.",
            "There were too many wrong codes. Try again in {count} seconds.",
            wait_s,
        )
        return _form(problem, 429, name)


def signed_in(language: str) -> HTMLResponse:
    """Not a redirect: a cookie for this site only is not sent on one that began with a link in another site."""
    with locales.speaking(language):
        body = f'<p>{escape(_("You are signed in."))}</p><p><a href="/">{escape(_("Open qlora-ui"))}</a></p>'
        return _page(_("Signed in"), body, forward_to="/")


def come_again(language: str, target: str) -> HTMLResponse:
    """Leads on to `target`, a path of this site."""
    with locales.speaking(language):
        link = f'<p><a href="{escape(target)}">{escape(_("Open qlora-ui"))}</a></p>'
        return _page(_("One moment"), link, forward_to=target)


def _form(problem: str = "", status: int = 200, name: str = "") -> HTMLResponse:
    """`problem` is a sentence about the last try, `name` what was given as one."""
    told = f'<p class="problem" id="problem" role="alert">{escape(problem)}</p>' if problem else ""
    described = "hint problem" if problem else "hint"
    hint = _("The code stands in the terminal in which qlora-ui was started.")
    name_hint = _(
        "With a name you keep settings of your own, on every device where you give it. It is no account: whoever "
        "knows the code can give any name."
    )
    body = f"""<form method="post" action="{SIGN_IN_PATH}">
<label for="code">{escape(_("Code"))}</label>
<input class="code" id="code" name="code" required autofocus autocomplete="one-time-code" autocapitalize="characters"
 spellcheck="false" maxlength="40" placeholder="XXXX-XXXX-XXXX" aria-describedby="{described}"
 {'aria-invalid="true"' if problem else ""}>
{told}
<p class="muted" id="hint">{escape(hint)}</p>
<label for="name">{escape(_("Your name (optional)"))}</label>
<input id="name" name="name" autocomplete="nickname" spellcheck="false" maxlength="{MAX_NAME}" value="{escape(name)}"
 aria-describedby="name-hint">
<p class="muted" id="name-hint">{escape(name_hint)}</p>
<button type="submit">{escape(_("Sign in"))}</button>
</form>"""
    return _page(_("Sign in"), body, status=status)


def _page(title: str, body: str, *, status: int = 200, forward_to: str = "") -> HTMLResponse:
    """A page that needs nothing else: no script, no picture, no font from anywhere. `body` is HTML."""
    forward = f'<meta http-equiv="refresh" content="0; url={escape(forward_to)}">' if forward_to else ""
    html = f"""<!doctype html>
<html lang="{locales.tag(locales.language())}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · qlora-ui</title>
{forward}
<style>{_STYLE}</style>
</head>
<body>
<main>
<div class="brand"><span class="mark" aria-hidden="true">4b</span>qlora-ui</div>
<h1>{escape(title)}</h1>
{body}
</main>
</body>
</html>"""
    return HTMLResponse(html, status, headers={"cache-control": "no-store", "vary": "accept-language"})


_STYLE = """
:root { --background: #f8f8fb; --surface: #fff; --border: #e3e3ec; --edge: #8b8b9c; --text: #1a1a26; --muted: #5a5a6c;
  --primary: #5151cd; --link: #4343b8; --error: #b3261e; color-scheme: light dark }
@media (prefers-color-scheme: dark) { :root { --background: #0f0f15; --surface: #17171f; --border: #2b2b38;
  --edge: #77778a; --text: #ececf3; --muted: #a6a6b8; --primary: #5d5ddb; --link: #b3b3ff; --error: #ff9a92 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 16px; background: var(--background);
  color: var(--text); font: 400 14px/1.5 Inter, system-ui, sans-serif }
main { width: 100%; max-width: 380px; padding: 32px; background: var(--surface); border: 1px solid var(--border);
  border-radius: 14px }
.brand { display: flex; align-items: center; gap: 10px; margin-bottom: 24px; font-weight: 650; font-size: 15px }
.mark { width: 26px; height: 26px; border-radius: 8px; display: grid; place-items: center; color: #fff;
  background: linear-gradient(140deg, #5151cd, #0f6e74); font: 700 13px ui-monospace, monospace }
h1 { margin: 0; font-size: 20px; font-weight: 650; letter-spacing: -.02em }
p { margin: 8px 0 }
.muted { margin: 6px 0 0; color: var(--muted); font-size: 13px }
.problem { color: var(--error) }
label { display: block; margin: 20px 0 6px; font-weight: 550 }
input { width: 100%; height: 40px; padding: 0 12px; border: 1px solid var(--edge); border-radius: 6px;
  background: transparent; color: var(--text); font: 400 16px Inter, system-ui, sans-serif }
.code { font: 500 16px ui-monospace, monospace; letter-spacing: .04em }
input::placeholder { color: var(--muted) }
button { width: 100%; height: 40px; margin-top: 24px; border: 0; border-radius: 6px; background: var(--primary);
  color: #fff; font: 550 14px Inter, system-ui, sans-serif; cursor: pointer }
a { color: var(--link) }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
"""
