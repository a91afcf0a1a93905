// A chart of curves that is fed by deltas: Python sends the whole curves once, after that only new points, and the
// points of a stretch when a person looks closer. The library that draws it is large, so the page is shown without
// waiting for it, and points that come before it are kept.
import { option } from "qlora-ui-charting";

// What a person may change in their system while the page is open; their choices in the app are classes of the body.
const WISHES = ["(prefers-contrast: more)", "(prefers-reduced-motion: reduce)"];
const LEAST_DRAG = 8; // pixels; less is a click
const PICTURE = { renderer: "canvas", width: 1200, height: 600, devicePixelRatio: 2 };

export default {
  template: `
    <div class="qu-chart" role="group" tabindex="0" :aria-label="words.keys" @keydown="press" @blur="hideCrosshair"
         @pointerdown="startDrag" @pointermove="drag" @pointerup="endDrag" @pointercancel="dragged = null" @wheel="wheel">
      <div ref="picture" class="qu-chart-picture" role="img" :aria-label="words.label" :aria-describedby="described"></div>
      <div v-if="dragged" class="qu-chart-zone" :style="zone"></div>
      <button v-if="range" type="button" class="qu-btn qu-btn-secondary qu-btn-sm qu-chart-reset" @click="reset"
              @pointerdown.stop>{{ words.whole }}</button>
      <div class="qu-hidden" role="status">{{ spoken }}</div>
    </div>`,
  props: {
    series: Array,
    total: Number,
    ends: Object,
    marks: Array,
    smoothing: Object,
    logarithmic: Boolean,
    scale: Object,
    words: Object,
    language: String,
    described: String,
  },
  data() {
    return { range: null, dragged: null, spoken: "" };
  },
  computed: {
    zone() {
      const [from, to] = [Math.min(...this.dragged), Math.max(...this.dragged)];
      return { left: `${from}px`, width: `${to - from}px` };
    },
  },
  mounted() {
    this.forget();
    this.chart = null;
    this.sizes = new ResizeObserver(() => this.chart?.resize());
    this.onLook = () => this.draw();
    this.themes = new MutationObserver(this.onLook);
    for (const root of [document.documentElement, document.body]) {
      this.themes.observe(root, { attributes: true, attributeFilter: ["class", "data-theme"] });
    }
    this.wishes = WISHES.map((wish) => window.matchMedia(wish));
    for (const wish of this.wishes) wish.addEventListener("change", this.onLook);
    this.onConnect = () => this.$emit("ready", this.range);
    window.socket?.on("connect", this.onConnect);
    this.$emit("ready", null);
    this.load();
  },
  beforeUnmount() {
    this.isGone = true;
    window.socket?.off("connect", this.onConnect);
    for (const wish of this.wishes) wish.removeEventListener("change", this.onLook);
    this.themes.disconnect();
    this.sizes.disconnect();
    this.chart?.dispose();
  },
  watch: {
    total: "draw",
    ends: "draw",
    marks: "draw",
    smoothing: "draw",
    logarithmic: "draw",
    series() {
      this.forget();
      this.range = null;
      this.$emit("ready", null);
    },
  },
  methods: {
    async load() {
      try {
        ({ echarts: this.echarts } = await import("nicegui-echart"));
      } catch (error) {
        console.warn(`The chart could not be loaded: ${error.message}`);
        if (!this.isGone) this.$emit("unavailable");
        return;
      }
      if (this.isGone) return;
      this.chart = this.echarts.init(this.$refs.picture, null, { renderer: "svg" });
      this.sizes.observe(this.$refs.picture);
      this.draw();
    },

    // ---- what Python sends ----
    replace(curves, smooth) {
      this.forget();
      this.points = { ...this.points, ...curves };
      this.smooth = smooth ?? {};
      this.draw();
    },
    append(curves, smooth) {
      for (const [name, added] of Object.entries(curves)) {
        for (const known of [this.points[name], this.closer?.points[name]]) {
          if (!known) continue;
          const last = known.length ? known[known.length - 1][0] : -1;
          known.push(...added.filter(([step]) => step > last));
        }
      }
      if (smooth) this.smooth = smooth;
      this.draw();
    },
    look_closer(range, curves, smooth) {
      if (String(range) !== String(this.range)) return; // the person has moved on meanwhile
      this.closer = { points: curves, smooth };
      this.draw();
    },
    forget() {
      this.points = Object.fromEntries(this.series.map((one) => [one.name, []]));
      this.smooth = {};
      this.closer = null;
    },

    // ---- drawing ----
    draw() {
      if (!this.chart || this.isDrawing) return;
      this.isDrawing = true;
      requestAnimationFrame(() => {
        this.isDrawing = false;
        if (!this.isGone) this.chart.setOption(this.picture(this.chart.getHeight()), { notMerge: true });
      });
    },
    picture(height, extra = {}) {
      const { points, smooth } = this.closer ?? this;
      const curves = this.series.map((one) => ({
        ...one,
        raw: points[one.name] ?? [],
        smoothLine: smooth[one.name],
        end: this.ends[one.name] ?? "",
      }));
      return { ...option(curves, { ...this.$props, range: this.range, height, element: this.$el }), ...extra };
    },
    // The picture as a file, with its title and legend, in the colours that are shown.
    save(name, title) {
      const room = document.createElement("div");
      const chart = this.echarts.init(room, null, PICTURE);
      const style = getComputedStyle(this.$el);
      const ink = style.getPropertyValue("--text").trim();
      const background = style.getPropertyValue("--surface").trim();
      const legend = { top: 16, right: 24, textStyle: { color: ink }, data: this.series.map((one) => one.label) };
      chart.setOption(
        this.picture(PICTURE.height, {
          title: { text: title, left: 24, top: 12, textStyle: { color: ink, fontSize: 18 } },
          legend,
          grid: { left: 64, right: 80, top: 56, bottom: 40 },
          backgroundColor: background,
        })
      );
      const link = Object.assign(document.createElement("a"), { download: name, href: chart.getDataURL({ type: "png" }) });
      link.click();
      chart.dispose();
    },

    // ---- looking closer ----
    whole() {
      const lasts = Object.values(this.points).map((known) => known.at(-1)?.[0] ?? 0);
      return [0, Math.max(this.total || 0, 1, ...lasts)];
    },
    show(from, to) {
      const [least, most] = this.whole();
      const width = Math.max(2, Math.min(most - least, Math.round(to - from)));
      const start = Math.max(least, Math.min(most - width, Math.round(from)));
      const range = width >= most - least ? null : [start, start + width];
      if (String(range) === String(this.range)) return;
      this.range = range;
      if (!range) this.closer = null;
      this.draw();
      clearTimeout(this.asking);
      this.asking = setTimeout(() => this.$emit("zoom", range), 120);
    },
    reset() {
      this.show(...this.whole());
      this.$el.focus({ preventScroll: true });
    },
    zoomBy(factor, around) {
      const [from, to] = this.range ?? this.whole();
      const middle = around ?? (from + to) / 2;
      this.show(middle - (middle - from) * factor, middle + (to - middle) * factor);
    },
    moveBy(share) {
      if (!this.range) return;
      const [from, to] = this.range;
      this.show(from + (to - from) * share, to + (to - from) * share);
    },
    stepAt(x) {
      return this.chart.convertFromPixel({ xAxisIndex: 0 }, x);
    },
    startDrag(event) {
      if (!this.chart || event.button !== 0) return;
      const x = this.placeOf(event);
      this.dragged = [x, x];
      this.$el.setPointerCapture(event.pointerId);
    },
    drag(event) {
      if (this.dragged) this.dragged = [this.dragged[0], this.placeOf(event)];
    },
    endDrag() {
      const dragged = this.dragged;
      this.dragged = null;
      if (!dragged || Math.abs(dragged[1] - dragged[0]) < LEAST_DRAG) return;
      this.show(this.stepAt(Math.min(...dragged)), this.stepAt(Math.max(...dragged)));
    },
    placeOf(event) {
      const box = this.$el.getBoundingClientRect();
      return Math.max(0, Math.min(box.width, event.clientX - box.left));
    },
    wheel(event) {
      if (!this.chart || !(event.ctrlKey || event.metaKey)) return; // a plain wheel scrolls the page
      event.preventDefault();
      this.zoomBy(event.deltaY > 0 ? 1.25 : 0.8, this.stepAt(this.placeOf(event)));
    },

    // ---- keys ----
    press(event) {
      if (!this.chart || event.target !== this.$el || event.altKey || event.metaKey) return;
      const far = event.shiftKey || event.ctrlKey;
      const does = {
        "+": () => this.zoomBy(0.5),
        "=": () => this.zoomBy(0.5),
        "-": () => this.zoomBy(2),
        0: () => this.reset(),
        Escape: () => this.reset(),
        PageUp: () => this.moveBy(-0.5),
        PageDown: () => this.moveBy(0.5),
        ArrowLeft: () => this.moveCrosshair(far ? -10 : -1),
        ArrowRight: () => this.moveCrosshair(far ? 10 : 1),
        Home: () => this.moveCrosshair(-Infinity),
        End: () => this.moveCrosshair(Infinity),
      }[event.key];
      if (!does) return;
      event.preventDefault();
      does();
    },
    moveCrosshair(by) {
      const lines = this.chart.getOption().series;
      const seriesIndex = lines.findIndex((line) => line.name && line.data?.length);
      if (seriesIndex < 0) return;
      const { data } = lines[seriesIndex];
      const at = this.crosshair === undefined ? data.length : data.findIndex(([step]) => step >= this.crosshair);
      const dataIndex = Math.max(0, Math.min(data.length - 1, (at < 0 ? data.length : at) + by));
      this.crosshair = data[dataIndex][0];
      this.chart.dispatchAction({ type: "showTip", seriesIndex, dataIndex });
      requestAnimationFrame(() => (this.spoken = this.$refs.picture.querySelector(".qu-chart-tip")?.textContent ?? ""));
    },
    hideCrosshair() {
      this.chart?.dispatchAction({ type: "hideTip" });
      this.crosshair = undefined;
      this.spoken = "";
    },
  },
};
