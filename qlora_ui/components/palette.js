// A combobox with a listbox in a modal dialog of the browser's own, which keeps the focus in and gives it back.
export default {
  template: `
    <dialog ref="dialog" class="qu-palette" :aria-label="words.title" @click.self="close">
      <div class="qu-palette-field">
        <svg class="qu-icon" viewBox="0 0 24 24" aria-hidden="true" v-html="icon"></svg>
        <input ref="input" v-model="query" role="combobox" type="text" maxlength="100" aria-autocomplete="list"
               :aria-expanded="choices.length ? 'true' : 'false'" :aria-controls="id"
               :aria-activedescendant="choices.length ? id + '-' + active : null" :aria-label="words.title"
               :placeholder="words.placeholder" autocomplete="off" autocapitalize="off" spellcheck="false"
               enterkeyhint="go" @keydown="press">
        <button type="button" class="qu-palette-close" @click="close">
          <span class="qu-hidden">{{ words.close }}</span><kbd aria-hidden="true">Esc</kbd>
        </button>
      </div>
      <div v-show="choices.length" ref="list" :id="id" role="listbox" class="qu-palette-list"
           :aria-label="words.results">
        <div v-for="(group, g) in groups" :key="group.heading" role="group" :aria-labelledby="id + '-group-' + g">
          <div :id="id + '-group-' + g" class="qu-palette-heading" role="presentation">{{ group.heading }}</div>
          <div v-for="choice in group.choices" :id="id + '-' + choice.at" :key="choice.id" role="option"
               class="qu-palette-choice" :aria-selected="choice.at === active ? 'true' : 'false'"
               @mousemove="active = choice.at" @click="choose(choice.at)">
            <svg class="qu-icon" viewBox="0 0 24 24" aria-hidden="true" v-html="choice.icon"></svg>
            <span class="qu-palette-text">{{ choice.text }}</span>
            <span class="qu-palette-detail" :title="choice.detail">{{ choice.detail }}</span>
            <kbd v-if="choice.keys">{{ choice.keys }}</kbd>
          </div>
        </div>
      </div>
      <div v-if="nothing" class="qu-palette-nothing"><b>{{ nothing }}</b><span>{{ words.advice }}</span></div>
      <div class="qu-hidden" role="status">{{ found.summary && nothing ? nothing + ' ' + words.advice : found.summary }}</div>
      <div class="qu-palette-foot" aria-hidden="true">
        <span><kbd>↑</kbd><kbd>↓</kbd> {{ words.move }}</span><span><kbd>↵</kbd> {{ words.choose }}</span>
        <span><kbd>Esc</kbd> {{ words.leave }}</span>
      </div>
    </dialog>`,
  props: { words: Object, icon: String, found: { type: Object, default: () => ({ query: "", groups: [] }) } },
  data() {
    return { id: "palette-" + Math.random().toString(36).slice(2, 8), query: "", active: 0, waits: false };
  },
  computed: {
    groups() {
      let at = 0;
      return this.found.groups.map((group) => ({
        ...group,
        choices: group.choices.map((choice) => ({ ...choice, at: at++ })),
      }));
    },
    choices() {
      return this.groups.flatMap((group) => group.choices);
    },
    nothing() {
      return this.found.query && !this.choices.length ? this.words.nothing.replace("%s", () => this.found.query) : "";
    },
  },
  watch: {
    query(text) {
      this.$emit("search", text);
    },
    found() {
      this.active = 0;
      this.$refs.list.scrollTop = 0;
      if (this.waits && this.found.query === this.query) this.choose(0); // Enter came before the answer
    },
  },
  methods: {
    open() {
      if (this.$refs.dialog.open) return;
      this.query = "";
      this.waits = false;
      this.$refs.dialog.showModal();
      this.$refs.input.focus();
    },
    close() {
      this.$refs.dialog.close();
    },
    press(event) {
      if (event.isComposing || event.keyCode === 229) return;
      const last = this.choices.length - 1;
      const places = {
        ArrowDown: this.active < last ? this.active + 1 : 0,
        ArrowUp: this.active > 0 ? this.active - 1 : last,
        PageDown: Math.min(this.active + 8, last),
        PageUp: Math.max(this.active - 8, 0),
        Home: 0,
        End: last,
      };
      if (event.key in places && !event.shiftKey) this.point(places[event.key]);
      else if (event.key === "Enter") this.enter();
      else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") this.close();
      else return;
      event.preventDefault();
    },
    point(at) {
      this.active = Math.max(at, 0);
      this.$nextTick(() => document.getElementById(`${this.id}-${this.active}`)?.scrollIntoView({ block: "nearest" }));
    },
    enter() {
      if (this.found.query === this.query) this.choose(this.active);
      else this.waits = true;
    },
    choose(at) {
      this.waits = false;
      if (!this.choices[at]) return;
      this.close();
      this.$emit("choose", this.choices[at].id);
    },
  },
};
