// An append-only log: lines are text nodes, never HTML, and the oldest leave when there are too many.
export default {
  template: `<div class="qu-log" role="log" aria-live="off" tabindex="0" :aria-label="label" :data-nothing="nothing" @scroll="onScroll"></div>`,
  props: { label: String, nothing: String, limit: Number },
  mounted() {
    this.following = true;
    this.wanted = "";
    this.onConnect = () => this.$emit("ready");
    window.socket?.on("connect", this.onConnect);
    this.$emit("ready");
  },
  beforeUnmount() {
    window.socket?.off("connect", this.onConnect);
  },
  methods: {
    replace(entries) {
      this.$el.replaceChildren(...entries.map((entry) => this.line(entry)));
      this.follow(this.following);
    },
    append(entries) {
      this.$el.append(...entries.map((entry) => this.line(entry)));
      while (this.$el.childElementCount > this.limit) this.$el.firstElementChild.remove();
      if (this.following) this.follow(true);
    },
    filter(text) {
      this.wanted = text.trim().toLowerCase();
      for (const line of this.$el.children) line.hidden = !this.matches(line);
      if (this.following) this.follow(true);
    },
    follow(on) {
      this.following = on;
      if (on) this.$el.scrollTop = this.$el.scrollHeight;
    },
    copy() {
      const lines = [...this.$el.children].filter((line) => !line.hidden);
      return copyText(lines.map((line) => line.textContent).join("\n"));
    },
    matches(line) {
      return !this.wanted || line.textContent.toLowerCase().includes(this.wanted);
    },
    line([milliseconds, level, message]) {
      const line = document.createElement("div");
      line.className = `qu-log-line ${level}`;
      line.lang = "en"; // a log is English, whatever the page speaks
      const time = line.appendChild(document.createElement("time"));
      const moment = new Date(milliseconds);
      time.dateTime = moment.toISOString();
      time.textContent = moment.toLocaleTimeString("en-GB");
      const words = level === "info" ? message : `${level}: ${message}`;
      line.append("  ", Object.assign(document.createElement("span"), { textContent: words }));
      line.hidden = !this.matches(line);
      return line;
    },
    onScroll() {
      const atEnd = this.$el.scrollHeight - this.$el.scrollTop - this.$el.clientHeight < 24;
      if (atEnd === this.following) return;
      this.following = atEnd;
      this.$emit("following", atEnd);
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
