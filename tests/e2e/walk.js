// Marks every element that Tab should reach, in the order of the document, and watches where the focus goes.
// `walk.here()` tells of the element that has it: its number, and what is wrong with how it shows.
() => {
  const TABBABLE =
    'a[href], button, input:not([type="hidden"]), select, textarea, summary, [tabindex], [contenteditable="true"], audio, video';
  const labelOf = (element) => element.labels?.[0] || element.closest("label");
  const isSeen = (element) => {
    const label = labelOf(element); // a switch or a choice may be drawn by its label
    const shown = (e) => e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && e.getClientRects().length;
    return shown(element) || (label && element.checkVisibility({ checkVisibilityCSS: true }) && shown(label));
  };
  const isReached = (element) => {
    if (element.tabIndex < 0 || element.matches(":disabled") || element.closest("[inert]") || !isSeen(element)) return false;
    if (element.type === "radio" && element.name) {
      const group = [...document.querySelectorAll(`input[type="radio"][name="${CSS.escape(element.name)}"]`)];
      return element === (group.find((radio) => radio.checked) || group[0]);
    }
    return true;
  };
  const name = (element) =>
    `<${element.tagName.toLowerCase()}> "${(element.getAttribute("aria-label") || element.innerText || element.title || element.className || "").trim().slice(0, 60)}"`;
  const chain = (element) => {
    const found = [];
    for (let next = element; next && found.length < 5; next = next.parentElement) found.push(next);
    return [...found, ...[...element.querySelectorAll("*")].slice(0, 8)];
  };
  // Everything a focus ring may be made of, on the element, on the few that lie around it and on those within.
  const look = (element) =>
    JSON.stringify(chain(element).map((e) =>
      [null, "::before", "::after"].map((part) => {
        const style = getComputedStyle(e, part);
        const outline = style.outlineStyle === "none" ? "" : style.outlineWidth + style.outlineColor;
        return [outline, style.boxShadow, style.borderTopColor, style.borderTopWidth];
      })));
  document.activeElement?.blur();
  scrollTo(0, 0);
  const expected = [...document.querySelectorAll(TABBABLE)].filter(isReached);
  const before = new Map(expected.map((element) => [element, look(element)]));
  const box = (element) => {
    const own = element.getBoundingClientRect();
    return own.width * own.height > 4 ? own : (labelOf(element) || element).getBoundingClientRect();
  };
  const isCovered = (element) => {
    const { left, right, top, bottom } = box(element);
    const spots = [[0.5, 0.5], [0.05, 0.5], [0.95, 0.5], [0.5, 0.1], [0.5, 0.9]];
    return !spots.some(([x, y]) => {
      const on = document.elementFromPoint(left + (right - left) * x, top + (bottom - top) * y);
      return on && (element.contains(on) || on.contains(element) || labelOf(element)?.contains(on) || element.closest("label, .q-field")?.contains(on));
    });
  };
  window.walk = {
    names: expected.map(name),
    async here() {
      for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
      const element = document.activeElement;
      if (!element || element === document.body || element === document.documentElement) return null;
      const at = expected.indexOf(element);
      const { left, right, top, bottom } = box(element);
      const wrong = [];
      if (!isSeen(element)) wrong.push("is not visible");
      else if (before.has(element) && look(element) === before.get(element)) wrong.push("does not show that it has the focus");
      else if (isCovered(element)) wrong.push("is covered");
      return { at, name: name(element), box: [left + scrollX, top + scrollY, right + scrollX, bottom + scrollY], wrong };
    },
  };
  const start = document.createElement("i"); // begin before everything else, wherever the focus was
  start.tabIndex = 1;
  start.onblur = () => start.remove();
  document.body.prepend(start);
  start.focus({ preventScroll: true });
  return window.walk.names;
}
