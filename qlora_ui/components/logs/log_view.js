// A window on a log: lines are text nodes, never HTML. Earlier and later lines are asked for as a person scrolls.
const NEAR = 24; // pixels from an edge that count as being there

export default {
  template: `<div class="qu-log" role="log" aria-live="off" tabindex="0" :aria-label="label" :data-nothing="nothing" @scroll="onScroll"></div>`,
  props: { label: String, nothing: String, limit: Number, words: Object },
  mounted() {
    this.following = true;
    this.wanted = "";
    this.here = null;
    this.atStart = true;
    this.isAsking = false;
    this.onConnect = () => this.following && this.$emit("ready");
    window.socket?.on("connect", this.onConnect);
    this.$emit("ready");
  },
  beforeUnmount() {
    window.socket?.off("connect", this.onConnect);
  },
  methods: {
    // With `here`, the byte of a match, its line comes to the middle; else the end is shown.
    replace(entries, atStart, here = null) {
      this.atStart = atStart;
      this.isAsking = false;
      this.here = here;
      this.$el.replaceChildren(...entries.map((entry) => this.line(entry)));
      this.showStart();
      this.follow(here === null);
      if (here !== null) this.lineAt(here)?.scrollIntoView({ block: "center" });
    },
    prepend(entries, atStart, before) {
      this.isAsking = false;
      if (this.first() !== before) return; // other lines are shown by now
      this.atStart = atStart;
      this.showStart();
      const [height, top] = [this.$el.scrollHeight, this.$el.scrollTop];
      this.$el.querySelector(".qu-log-line")?.before(...entries.map((entry) => this.line(entry)));
      this.$el.scrollTop = top + this.$el.scrollHeight - height;
      while (this.lines().length > this.limit) this.$el.lastElementChild.remove();
    },
    append(entries, after) {
      this.isAsking = false;
      if (after !== (this.last() ?? -1)) return;
      this.$el.append(...entries.map((entry) => this.line(entry)));
      if (!this.following) return;
      for (const line of this.lines().slice(0, -this.limit)) {
        line.remove();
        this.atStart = false;
      }
      this.showStart();
      this.follow(true);
    },
    // Mark a text wherever it stands; an empty one unmarks.
    mark(text) {
      this.wanted = text.toLowerCase();
    },
    say(words) {
      this.$el.replaceChildren(Object.assign(document.createElement("div"), { textContent: words }));
    },
    follow(on) {
      this.following = on;
      if (on) this.$el.scrollTop = this.$el.scrollHeight;
    },
    copy() {
      return copyText(this.lines().map((line) => line.textContent).join("\n"));
    },

    lines() {
      return [...this.$el.querySelectorAll(".qu-log-line")];
    },
    first() {
      return Number(this.$el.querySelector(".qu-log-line")?.dataset.place ?? NaN);
    },
    last() {
      const line = this.$el.lastElementChild;
      return line?.dataset.place === undefined ? undefined : Number(line.dataset.place);
    },
    lineAt(place) {
      return this.$el.querySelector(`[data-place="${place}"]`);
    },
    showStart() {
      this.$el.querySelector(".qu-log-older")?.remove();
      if (!this.$el.childElementCount) return;
      const note = Object.assign(document.createElement("div"), { className: "qu-log-older" });
      note.textContent = this.atStart ? this.words.start : this.words.older;
      this.$el.prepend(note);
    },
    line([place, milliseconds, level, message]) {
      const line = document.createElement("div");
      line.className = `qu-log-line ${level}${place === this.here ? " here" : ""}`;
      line.dataset.place = place;
      line.lang = "en"; // a log is English, whatever the page speaks
      const time = line.appendChild(document.createElement("time"));
      const moment = new Date(milliseconds);
      time.dateTime = moment.toISOString();
      time.title = moment.toLocaleString();
      time.textContent = moment.toLocaleTimeString("en-GB");
      const words = document.createElement("span");
      words.append(...this.marked(level === "info" ? message : `${level}: ${message}`));
      line.append("  ", words);
      return line;
    },
    marked(text) {
      if (!this.wanted) return [text];
      const [lower, pieces] = [text.toLowerCase(), []];
      let from = 0;
      for (let at = lower.indexOf(this.wanted); at >= 0; at = lower.indexOf(this.wanted, from)) {
        const found = text.slice(at, at + this.wanted.length);
        pieces.push(text.slice(from, at), Object.assign(document.createElement("mark"), { textContent: found }));
        from = at + this.wanted.length;
      }
      return [...pieces, text.slice(from)];
    },
    onScroll() {
      const { scrollTop, scrollHeight, clientHeight } = this.$el;
      const atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
      if (!this.isAsking && scrollTop < NEAR && !this.atStart && this.lines().length) this.ask("older", this.first());
      else if (!this.isAsking && atEnd && !this.following) this.ask("newer", this.last() ?? -1);
      if (atEnd === this.following) return;
      this.following = atEnd;
      this.$emit("following", atEnd);
    },
    ask(what, place) {
      this.isAsking = true;
      setTimeout(() => (this.isAsking = false), 2000); // there may be nothing to answer
      this.$emit(what, place);
    },
  },
};

async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  // Over plain HTTP on a local network the clipboard API is missing; a selected text area still works.
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
