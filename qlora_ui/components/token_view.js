// The tokens of one row: one tab stop, arrow keys go from token to token, and a line below tells about each.
export default {
  template: `
    <div class="qu-token-view">
      <div class="qu-tokens" role="listbox" aria-orientation="horizontal" :aria-label="label" @keydown="move"
           @mouseleave="pointed = null">
        <template v-for="(token, index) in tokens" :key="index"
          ><span :class="token.kind" role="option" :data-index="index" :tabindex="index === current ? 0 : -1"
                 :aria-selected="index === current" :aria-label="token.about" :title="token.about"
                 @focus="current = pointed = index" @mouseenter="pointed = index">{{ token.text }}</span
          ><wbr></template>
      </div>
      <p class="qu-token-about">{{ pointed === null ? idle : tokens[pointed]?.about }}</p>
    </div>`,
  props: { tokens: Array, label: String, idle: String },
  data() {
    return { current: 0, pointed: null };
  },
  watch: {
    tokens() {
      this.current = 0;
      this.pointed = null;
    },
  },
  methods: {
    move(event) {
      const last = this.tokens.length - 1;
      const target = {
        ArrowRight: Math.min(this.current + 1, last),
        ArrowLeft: Math.max(this.current - 1, 0),
        Home: 0,
        End: last,
      }[event.key];
      if (target === undefined) return;
      event.preventDefault();
      this.$el.querySelector(`[data-index="${target}"]`)?.focus();
    },
  },
};
