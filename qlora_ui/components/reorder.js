// A list whose entries can be put elsewhere: dragged by their grips, or with Alt and the arrow keys.
// An entry is a child with `data-key`; one without it stays where it is and is not counted.
export default {
  template: `
    <ol @keydown="press" @dragstart="lift" @dragover="hover" @dragleave="leave" @drop="put" @dragend="end">
      <slot></slot>
    </ol>`,
  data() {
    return { dragged: null };
  },
  created() {
    this.wanted = {}; // key → place that was asked for and is not yet shown; not reactive
  },
  beforeUpdate() {
    const focused = document.activeElement;
    this.focused = this.$el.contains(focused) ? focused : null;
  },
  updated() {
    this.wanted = {};
    // an entry that is put elsewhere in the document loses the focus
    if (this.focused?.isConnected && document.activeElement !== this.focused) this.focused.focus({ preventScroll: true });
  },
  methods: {
    entries() {
      return [...this.$el.querySelectorAll(":scope > [data-key]")];
    },
    entryOf(target) {
      const entry = target.closest?.("[data-key]");
      return entry?.parentElement === this.$el ? entry : null;
    },
    move(entry, index) {
      const entries = this.entries();
      const place = Math.max(0, Math.min(index, entries.length - 1));
      if (place === this.placeOf(entry)) return;
      this.wanted[entry.dataset.key] = place;
      this.$emit("move", [entry.dataset.key, place]);
    },
    placeOf(entry) {
      return this.wanted[entry.dataset.key] ?? this.entries().indexOf(entry);
    },
    press(event) {
      const entry = this.entryOf(event.target);
      if (!entry || !event.altKey || event.ctrlKey || event.metaKey) return;
      const here = this.placeOf(entry);
      const goal = { ArrowUp: here - 1, ArrowDown: here + 1, Home: 0, End: Infinity }[event.key];
      if (goal === undefined) return;
      event.preventDefault();
      this.move(entry, goal);
    },
    lift(event) {
      const entry = this.entryOf(event.target);
      if (!entry || !event.target.matches?.("[draggable]")) return;
      this.dragged = entry;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", entry.dataset.key);
      event.dataTransfer.setDragImage(entry, 16, 16);
      entry.classList.add("qu-lifted");
    },
    hover(event) {
      const entry = this.dragged && this.entryOf(event.target);
      this.unmark();
      if (!entry) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "move";
      if (entry !== this.dragged) entry.classList.add(this.isBehind(event, entry) ? "qu-drop-behind" : "qu-drop-before");
    },
    leave(event) {
      if (!this.$el.contains(event.relatedTarget)) this.unmark();
    },
    put(event) {
      const entry = this.dragged && this.entryOf(event.target);
      if (!entry) return;
      event.preventDefault();
      const others = this.entries().filter((one) => one !== this.dragged);
      const place = others.indexOf(entry) + (this.isBehind(event, entry) ? 1 : 0);
      if (entry !== this.dragged) this.move(this.dragged, place);
    },
    end() {
      this.dragged?.classList.remove("qu-lifted");
      this.dragged = null;
      this.unmark();
    },
    isBehind(event, entry) {
      const { top, height } = entry.getBoundingClientRect();
      return event.clientY > top + height / 2;
    },
    unmark() {
      for (const entry of this.entries()) entry.classList.remove("qu-drop-before", "qu-drop-behind");
    },
  },
};
