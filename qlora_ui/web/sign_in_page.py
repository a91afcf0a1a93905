"""The page that asks for the code, in the look of the app and without anything that has to be loaded."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

SIGN_IN_PATH = "/sign-in"


def sign_in_form(problem: str = "", status: int = 200) -> HTMLResponse:
    """The form for the code; `problem` is a sentence about the last try."""
    told = f'<p class="problem" id="problem" role="alert">{escape(problem)}</p>' if problem else ""
    described = "hint problem" if problem else "hint"
    body = f"""<p class="muted" id="hint">The code stands in the terminal in which qlora-ui was started.</p>
<form method="post" action="{SIGN_IN_PATH}">
<label for="code">Code</label>
<input id="code" name="code" required autofocus autocomplete="one-time-code" autocapitalize="characters"
 spellcheck="false" maxlength="40" placeholder="XXXX-XXXX-XXXX" aria-describedby="{described}"
 {'aria-invalid="true"' if problem else ""}>
{told}
<button type="submit">Sign in</button>
</form>"""
    return plain_page("Sign in", body, status=status)


def plain_page(title: str, body: str, *, status: int = 200, forward_to: str = "") -> HTMLResponse:
    """A page that needs nothing else: no script, no picture, no font from anywhere. `body` is HTML."""
    forward = f'<meta http-equiv="refresh" content="0; url={escape(forward_to)}">' if forward_to else ""
    html = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · qlora-ui</title>
{forward}
<style>{_STYLE}</style>
</head>
<body>
<main>
<div class="brand"><span class="mark" aria-hidden="true">4b</span>qlora-ui</div>
<h1>{title}</h1>
{body}
</main>
</body>
</html>"""
    return HTMLResponse(html, status, headers={"cache-control": "no-store"})


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
.muted { color: var(--muted) }
.problem { color: var(--error) }
label { display: block; margin: 20px 0 6px; font-weight: 550 }
input { width: 100%; height: 40px; padding: 0 12px; border: 1px solid var(--edge); border-radius: 6px;
  background: transparent; color: var(--text); font: 500 16px ui-monospace, monospace; letter-spacing: .04em }
input::placeholder { color: var(--muted) }
button { width: 100%; height: 40px; margin-top: 16px; border: 0; border-radius: 6px; background: var(--primary);
  color: #fff; font: 550 14px Inter, system-ui, sans-serif; cursor: pointer }
a { color: var(--link) }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
"""
