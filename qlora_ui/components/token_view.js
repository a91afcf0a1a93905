// The tokens of one row: one tab stop, arrow keys go from token to token, and a line below tells about each.
// Vue draws them once; what follows the pointer and the focus is changed in place, because a row may have thousands.
const LONG = 24; // characters from which on a token may be broken over lines
const TRAINED = 1, SPECIAL = 2;

export default {
  template: `
    <div class="qu-token-view">
      <div class="qu-tokens" role="listbox" aria-orientation="horizontal" :aria-label="label" dir="ltr"
           @keydown="move" @focusin="enter" @mouseover="point" @mouseleave="leave">
        <template v-for="([text, id, kind], index) in tokens" :key="index"
          ><span :class="look(text, kind)" role="option" tabindex="-1" aria-selected="false"
                 :aria-label="about(index)">{{ text }}</span
          ><wbr></template>
      </div>
      <p class="qu-token-about">{{ idle }}</p>
    </div>`,
  props: { tokens: Array, sentences: Array, label: String, idle: String },
  mounted() {
    this.begin();
  },
  watch: {
    tokens: {
      handler() {
        this.begin();
      },
      flush: "post",
    },
  },
  methods: {
    look(text, kind) {
      return [
        "qu-token",
        { trained: kind & TRAINED, special: kind & SPECIAL, long: text.length > LONG },
      ];
    },
    about(index) {
      const [text, id, kind] = this.tokens[index];
      return this.sentences[kind].replaceAll("{id}", id).replace("{text}", () => text);
    },
    begin() {
      this.places = [...this.$el.querySelectorAll(".qu-token")];
      this.current = null;
      this.choose(0);
    },
    choose(index) {
      const before = this.places[this.current], now = this.places[index];
      before?.setAttribute("tabindex", "-1");
      before?.setAttribute("aria-selected", "false");
      now?.setAttribute("tabindex", "0");
      now?.setAttribute("aria-selected", "true");
      this.current = index;
    },
    tell(index) {
      this.$el.lastElementChild.textContent = index < 0 ? this.idle : this.about(index);
    },
    enter(event) {
      const index = this.places.indexOf(event.target);
      if (index < 0) return;
      this.choose(index);
      this.tell(index);
    },
    point(event) {
      const index = this.places.indexOf(event.target);
      if (index < 0) return;
      event.target.title = this.about(index);
      this.tell(index);
    },
    leave() {
      this.tell(this.places.indexOf(document.activeElement));
    },
    go(index) {
      this.places[index]?.focus();
    },
    move(event) {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const target = {
        ArrowRight: () => Math.min(this.current + 1, this.places.length - 1),
        ArrowLeft: () => Math.max(this.current - 1, 0),
        ArrowDown: () => this.beyond(1),
        ArrowUp: () => this.beyond(-1),
        Home: () => 0,
        End: () => this.places.length - 1,
      }[event.key];
      if (target === undefined) return;
      event.preventDefault();
      this.go(target());
    },
    // The token in the next line, or the one before, that stands closest below or above the current one.
    beyond(direction) {
      const start = this.places[this.current], left = start.offsetLeft;
      let line = null, best = this.current, nearest = Infinity;
      for (let i = this.current + direction; i >= 0 && i < this.places.length; i += direction) {
        const place = this.places[i];
        if (Math.abs(place.offsetTop - start.offsetTop) < start.offsetHeight / 2) continue;
        if (line === null) line = place.offsetTop;
        if (Math.abs(place.offsetTop - line) >= place.offsetHeight / 2) break;
        const away = Math.abs(place.offsetLeft - left);
        if (away < nearest) [best, nearest] = [i, away];
      }
      return best;
    },
  },
};
