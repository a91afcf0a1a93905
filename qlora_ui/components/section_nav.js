// Where one is on a long page. The links work as plain ones too; here they also take the focus along.
export default {
  template: `
    <nav class="qu-section-nav" :aria-label="label">
      <ul>
        <li v-for="section in sections" :key="section.name">
          <a :href="'#' + section.name" :aria-current="section.name === now ? 'location' : null"
             @click.prevent="open(section.name)">{{ section.title }}</a>
        </li>
      </ul>
    </nav>`,
  props: { sections: Array, label: String, first: String },
  data() {
    return { now: "" };
  },
  mounted() {
    this.now = this.sections[0]?.name ?? "";
    window.addEventListener("scroll", this.look, { passive: true });
    const wanted = this.first || decodeURIComponent(window.location.hash.substring(1));
    // a page that opens gives the focus to its title first, and then grows while it loads
    if (wanted) this.timer = setTimeout(() => this.arrive(wanted), 100);
    else this.look();
  },
  beforeUnmount() {
    window.removeEventListener("scroll", this.look);
    clearTimeout(this.timer);
    this.leave?.();
  },
  methods: {
    arrive(name) {
      this.go(name, "instant");
      const acts = ["wheel", "touchstart", "pointerdown", "keydown"];
      const growth = new ResizeObserver(() => document.getElementById(name)?.scrollIntoView({ behavior: "instant" }));
      this.leave = () => {
        growth.disconnect();
        acts.forEach((act) => window.removeEventListener(act, this.leave));
      };
      growth.observe(this.$el.parentElement.parentElement);
      acts.forEach((act) => window.addEventListener(act, this.leave, { passive: true }));
      this.timer = setTimeout(this.leave, 5000);
    },
    open(name) {
      const page = window.location.pathname + window.location.search;
      const own = page.substring((window.path_prefix || "").length);
      history.pushState({ page: `${own}#${name}` }, "", `${page}#${name}`);
      const still = document.body.classList.contains("qu-still") || matchMedia("(prefers-reduced-motion: reduce)").matches;
      this.go(name, still ? "instant" : "smooth");
    },
    go(name, behavior) {
      if (!this.sections.some((section) => section.name === name)) return;
      const place = document.getElementById(name);
      if (!place) return;
      this.now = name;
      this.lasting = Date.now() + 800; // while it scrolls there, the sections on the way do not count
      place.scrollIntoView({ behavior });
      place.querySelector("h2")?.focus({ preventScroll: true });
    },
    look() {
      if (Date.now() < (this.lasting ?? 0)) return;
      const line = window.innerHeight / 3;
      const atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 4;
      if (window.scrollY < 8) return (this.now = this.sections[0]?.name ?? "");
      const begun = this.sections.filter(({ name }) => document.getElementById(name)?.getBoundingClientRect().top < line);
      const last = atEnd ? this.sections.at(-1) : begun.at(-1);
      this.now = last?.name ?? this.sections[0]?.name ?? "";
    },
  },
};
