// A menu button as WAI-ARIA describes it, on the browser's own popover: it closes at Escape and at a click beside it.
const LEAVE_MS = 1000; // the server has answered by then, and a tab that loads anew is treated like any newcomer

export default {
  template: `
    <div class="qu-menu">
      <button ref="button" type="button" class="qu-btn qu-btn-ghost qu-btn-icon" :class="icon ? 'qu-btn-sm' : 'qu-btn-md'"
              :popovertarget="asks ? null : id"
              aria-haspopup="menu" :aria-expanded="open ? 'true' : 'false'" :aria-label="label" :title="label"
              @click="ask" @keydown.down.prevent="show(0)" @keydown.up.prevent="show(-1)">
        <svg v-if="icon" class="qu-icon" viewBox="0 0 24 24" aria-hidden="true" v-html="icon"></svg>
        <span v-else class="qu-avatar" aria-hidden="true">{{ letter }}</span>
      </button>
      <div ref="popover" :id="id" popover="auto" class="qu-menu-list" @beforetoggle="place" @toggle="toggled">
        <div v-if="title" class="qu-menu-head">
          <div class="qu-strong qu-break">{{ title }}</div>
          <div v-if="note" class="qu-xs qu-muted">{{ note }}</div>
        </div>
        <div role="menu" :aria-label="label" @keydown="move">
          <component v-for="item in items" :is="item.target ? 'a' : 'button'" :key="item.name" class="qu-menu-item"
                     :class="{ 'qu-menu-danger': item.danger }" role="menuitem" tabindex="-1"
                     :href="item.target || null" :type="item.target ? null : 'button'"
                     :aria-disabled="item.reason ? 'true' : null" @click="choose(item)">
            <svg class="qu-icon" viewBox="0 0 24 24" aria-hidden="true" v-html="item.icon"></svg>
            <span>{{ item.text }}<span v-if="item.reason" class="qu-menu-reason">{{ item.reason }}</span></span>
          </component>
        </div>
      </div>
    </div>`,
  props: { label: String, letter: String, icon: String, title: String, note: String, items: Array, asks: Boolean },
  data() {
    return { id: "menu-" + Math.random().toString(36).slice(2, 8), open: false, first: 0 };
  },
  mounted() {
    if (!this.items.some((item) => item.post)) return;
    this.channel = new BroadcastChannel("qlora-ui left");
    this.channel.onmessage = () => setTimeout(() => location.reload(), LEAVE_MS);
  },
  unmounted() {
    this.channel?.close();
    removeEventListener("resize", this.follow);
  },
  methods: {
    entries() {
      return [...(this.$refs.popover?.querySelectorAll('[role="menuitem"]') ?? [])]; // a toggle may be told too late
    },
    ask() {
      if (!this.asks) return; // the browser opens it by itself
      if (this.open) this.close();
      else this.$emit("ask"); // its items come, and then the word to open
    },
    show(index) {
      this.first = index;
      if (this.asks) this.$emit("ask");
      else this.$refs.popover.showPopover();
    },
    async openWithItems() {
      await this.$nextTick();
      this.$refs.popover?.showPopover();
    },
    place() {
      const button = this.$refs.button.getBoundingClientRect();
      const { style } = this.$refs.popover;
      style.top = `${button.bottom + 6}px`;
      style.right = `${Math.max(8, document.documentElement.clientWidth - button.right)}px`;
    },
    toggled(event) {
      this.open = event.newState === "open";
      removeEventListener("resize", this.follow);
      if (this.open) {
        addEventListener("resize", this.follow);
        this.stayInSight();
        this.entries().at(this.first)?.focus({ preventScroll: true });
      }
      this.first = 0;
    },
    follow() {
      this.place();
      this.stayInSight();
    },
    stayInSight() {
      const button = this.$refs.button.getBoundingClientRect();
      const { width, height } = this.$refs.popover.getBoundingClientRect();
      const { style } = this.$refs.popover;
      const furthest = document.documentElement.clientWidth - 8 - width; // a button at the left edge has no room there
      style.right = `${Math.max(8, Math.min(parseFloat(style.right), furthest))}px`;
      const room = document.documentElement.clientHeight - 8;
      if (button.bottom + 6 + height <= room) return;
      const above = button.top - 6 - height;
      style.top = `${above >= 8 ? above : Math.max(8, room - height)}px`;
    },
    close() {
      this.$refs.popover.hidePopover();
    },
    move(event) {
      const entries = this.entries();
      const at = entries.indexOf(document.activeElement);
      if (event.key === "ArrowDown") entries[(at + 1) % entries.length].focus();
      else if (event.key === "ArrowUp") entries.at(at - 1).focus();
      else if (event.key === "Home") entries[0].focus();
      else if (event.key === "End") entries.at(-1).focus();
      else if (event.key === "Tab") return this.close();
      else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey) {
        const begins = (entry) => entry.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase());
        [...entries.slice(at + 1), ...entries.slice(0, at + 1)].find(begins)?.focus();
      } else if (event.key === " " && document.activeElement.matches("a")) document.activeElement.click();
      else return;
      event.preventDefault();
    },
    choose(item) {
      if (item.reason) return;
      this.close();
      if (item.post) {
        const form = Object.assign(document.createElement("form"), { method: "post", action: item.post });
        document.body.append(form);
        this.channel.postMessage("");
        form.submit();
      } else if (!item.target) this.$emit("choose", item.name);
    },
  },
};
