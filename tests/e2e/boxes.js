// Finds what a person would see as a fault of the layout, from the boxes of what is visible on the page:
// texts and controls that overlap, that are cut off without a way to read them, or that stick out of their frame.
// Gives one line for each. It does not see into canvases, and takes a layer above the page (a sticky bar, a popover)
// as meant.
() => {
  const SLACK = 1.5; // px, for rounded edges
  const CONTROLS = "a, button, input, select, textarea, summary, [role=button], [role=option], [role=tab], [role=switch]";
  const THINGS = `${CONTROLS}, img, svg, canvas`;
  const name = (element) => {
    const words = (element.getAttribute("aria-label") || element.innerText || "").trim().replace(/\s+/g, " ");
    const classes = [...element.classList].slice(0, 3).map((word) => `.${word}`).join("");
    return `<${element.tagName.toLowerCase()}${classes}> "${words.slice(0, 60)}"`;
  };
  const styles = new Map();
  const style = (element) => {
    if (!styles.has(element)) styles.set(element, getComputedStyle(element));
    return styles.get(element);
  };
  const ancestors = function* (element) {
    for (let next = element; next && next !== document.body; next = next.parentElement) yield next;
  };
  const isOpaque = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const isSpeck = (element) => clips(element, "X") && element.clientWidth <= 1 && element.clientHeight <= 1; // for screen readers
  const isForEyes = (element) =>
    isOpaque(element) && ![...ancestors(element)].some((e) => isSpeck(e) || e.matches(".nicegui-skip-link, .q-notifications"));
  const layer = (element) =>
    [...ancestors(element)].find(
      (e) => ["fixed", "sticky"].includes(style(e).position) || e.matches("dialog, :popover-open"),
    ) || null;

  const clips = (element, axis) => ["hidden", "clip"].includes(style(element)[`overflow${axis}`]);
  const scrolls = (element) => /auto|scroll/.test(style(element).overflowX + style(element).overflowY);
  const inner = (element) => {
    const box = element.getBoundingClientRect();
    if (element instanceof SVGElement) return box;
    return {
      left: box.left + element.clientLeft, right: box.left + element.clientLeft + element.clientWidth,
      top: box.top + element.clientTop, bottom: box.top + element.clientTop + element.clientHeight,
    };
  };
  // What remains of a box once every ancestor has cut off what does not fit.
  const seen = (box, element) => {
    let { left, right, top, bottom } = box;
    for (const parent of ancestors(element.parentElement)) {
      if (style(parent).overflowX !== "visible" || style(parent).overflowY !== "visible") {
        const room = inner(parent);
        [left, right] = [Math.max(left, room.left), Math.min(right, room.right)];
        [top, bottom] = [Math.max(top, room.top), Math.min(bottom, room.bottom)];
      }
      if (style(parent).position === "fixed") break;
    }
    return { left, right, top, bottom };
  };
  const isThere = (box) => box.right - box.left > 1 && box.bottom - box.top > 1;

  // Each line of text, and each control or picture, with its box.
  const lines = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("script, style, template, title, .cm-editor") || !isForEyes(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    for (const box of range.getClientRects()) if (isThere(box)) lines.push({ element, box, isText: true });
  }
  const things = [...document.body.querySelectorAll(THINGS)]
    .filter((element) => !element.closest(".cm-editor, .qu-chart") && !element.parentElement.closest("svg") && isForEyes(element))
    .flatMap((element) => [...element.getClientRects()].map((box) => ({ element, box, isText: false })))
    .filter((thing) => isThere(thing.box));

  const faults = new Set();

  // Overflow: the page has to be moved sideways, or something begins or ends beyond its edges.
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) faults.add(`the page is ${document.documentElement.scrollWidth - width} px too wide`);
  for (const { element, box } of [...lines, ...things]) {
    const part = seen(box, element);
    if (isThere(part) && (part.right > width + SLACK || part.left < -SLACK)) faults.add(`beyond the window's edge: ${name(element)}`);
  }

  // Cut off: a text that its own or an outer box hides a part of, while nothing else tells it in full.
  const tells = (element, stop) => {
    for (const e of ancestors(element)) {
      if (e.title) return true;
      if (e === stop) return Boolean(e.closest("[title]"));
    }
    return false;
  };
  for (const { element, box } of lines) {
    for (const parent of ancestors(element)) {
      if (scrolls(parent)) break;
      const [x, y] = [clips(parent, "X"), clips(parent, "Y")];
      if (!x && !y) continue;
      const room = inner(parent);
      const leading = (box.bottom - box.top) * 0.25; // a font's box is higher than its letters
      const isCut =
        (x && (box.right > room.right + SLACK || box.left < room.left - SLACK)) ||
        (y && (box.bottom - leading > room.bottom + SLACK || box.top + leading < room.top - SLACK));
      const isShort = style(parent).textOverflow === "ellipsis" || style(parent).webkitLineClamp !== "none";
      if (isCut && !(isShort && tells(element, parent))) {
        faults.add(`${isShort ? "shortened without a title" : "cut off"}: ${name(parent)}`);
        break;
      }
    }
  }

  // Sticking out: a text that reaches beyond the frame or the ground that is drawn around it.
  const isFramed = (element) =>
    element.matches(`${CONTROLS}, .qu-card, .qu-badge, .qu-tag, td, th`) && style(element).display !== "inline";
  for (const { element, box } of lines) {
    if ([...ancestors(element)].some((e) => scrolls(e) || layer(e) === e)) continue;
    const frame = [...ancestors(element)].find(isFramed);
    if (!frame) continue;
    const room = frame.getBoundingClientRect();
    const leading = (box.bottom - box.top) * 0.25;
    if (
      box.left < room.left - SLACK || box.right > room.right + SLACK ||
      box.top + leading < room.top - SLACK || box.bottom - leading > room.bottom + SLACK
    ) faults.add(`sticks out of ${name(frame)}: ${name(element)}`);
  }
  for (const { element, box } of things) {
    if ([...ancestors(element)].some((e) => scrolls(e) || layer(e) === e)) continue;
    const room = element.parentElement.closest(".qu-card, .qu-note")?.getBoundingClientRect();
    if (room && (box.left < room.left - SLACK || box.right > room.right + SLACK)) faults.add(`sticks out: ${name(element)}`);
  }

  // Overlap: two lines of text, or a text and a control that it does not belong to, share a part of the window.
  const areas = [];
  for (const { element, box, isText } of [...lines, ...things]) {
    const part = seen(box, element);
    const shrink = isText ? (box.bottom - box.top) * 0.2 : 0;
    const area = { ...part, top: part.top + shrink, bottom: part.bottom - shrink, element, isText };
    if (isThere(area)) areas.push({ ...area, layer: layer(element) });
  }
  areas.sort((a, b) => a.top - b.top);
  const belong = (a, b) =>
    a.contains(b) || b.contains(a) || (a.closest("label, .q-field") && a.closest("label, .q-field") === b.closest("label, .q-field"));
  for (let i = 0; i < areas.length; i++) {
    for (let j = i + 1; j < areas.length && areas[j].top < areas[i].bottom - 2; j++) {
      const [a, b] = [areas[i], areas[j]];
      const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const y = Math.min(a.bottom, b.bottom) - b.top;
      if (x <= 2 || y <= 2 || a.layer !== b.layer || belong(a.element, b.element)) continue;
      faults.add(`overlap by ${Math.round(x)} × ${Math.round(y)} px: ${name(a.element)} and ${name(b.element)}`);
    }
  }
  return [...faults];
}
