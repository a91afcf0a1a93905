// Single keys, two keys in a row ("g d"), and keys with Ctrl or ⌘ ("Mod+k"), for the page as a whole.
const WRITES =
  'input, textarea, select, [contenteditable]:not([contenteditable="false"]), .cm-editor, ' +
  '[role="textbox"], [role="searchbox"], [role="combobox"], [role="spinbutton"], [role="listbox"], [role="menu"]';
const DIALOGS = 'dialog[open], [role="dialog"], [role="alertdialog"]';
const IS_MAC = /^(Mac|iP)/.test(navigator.platform); // there Ctrl edits text, and ⌘ commands
const TOGETHER_MS = 1500; // the second key of a row comes within this time

export default {
  template: `<template></template>`,
  props: { keys: Array, on: Boolean },
  mounted() {
    this.before = "";
    window.addEventListener("keydown", this.hear);
  },
  unmounted() {
    clearTimeout(this.timer);
    window.removeEventListener("keydown", this.hear);
  },
  methods: {
    hear(event) {
      if (event.defaultPrevented || event.repeat || event.isComposing || event.keyCode === 229) return;
      const target = event.composedPath()[0];
      if (event.key === "Shift" || [...document.querySelectorAll(DIALOGS)].some(isSeen)) return;
      if (holdsModOnly(event)) {
        const keys = `Mod+${event.key.toLowerCase()}`;
        if (this.keys.includes(keys) && !target.closest?.(".cm-editor")) this.done(event, keys);
        return;
      }
      const isHeld = event.ctrlKey || event.metaKey || event.altKey;
      if (!this.on || target.closest?.(WRITES) || (isHeld && !event.getModifierState("AltGraph"))) return;
      const row = this.before ? `${this.before} ${event.key}` : event.key;
      this.wait("");
      if (this.keys.includes(row)) this.done(event, row);
      else if (this.keys.includes(event.key)) this.done(event, event.key);
      else if (this.keys.some((keys) => keys.startsWith(`${event.key} `))) this.wait(event.key);
    },
    done(event, keys) {
      event.preventDefault();
      this.wait("");
      this.$emit("keys", keys);
    },
    wait(key) {
      clearTimeout(this.timer);
      this.before = key;
      if (key) this.timer = setTimeout(() => (this.before = ""), TOGETHER_MS);
    },
  },
};

function holdsModOnly(event) {
  const [mod, other] = IS_MAC ? [event.metaKey, event.ctrlKey] : [event.ctrlKey, event.metaKey];
  return mod && !other && !event.altKey && !event.shiftKey;
}

function isSeen(dialog) {
  return dialog.checkVisibility ? dialog.checkVisibility() : dialog.offsetParent !== null;
}
