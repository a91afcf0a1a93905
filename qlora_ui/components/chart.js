// A loss chart that is fed by deltas: Python sends the whole curves once, after that only new points. The library that
// draws it is large, so the page is shown without waiting for it, and points that come before it are kept.

const LABEL_HEIGHT = 14;
// What a person may change in their system while the page is open; their choices in the app are classes of the body.
const WISHES = ["(prefers-contrast: more)", "(prefers-reduced-motion: reduce)"];

export default {
  template: `<div class="qu-chart" role="img" :aria-label="words.label" :aria-describedby="described"></div>`,
  props: {
    series: Array,
    total: Number,
    ends: Object,
    smoothing: Object,
    words: Object,
    language: String,
    described: String,
  },
  mounted() {
    this.points = Object.fromEntries(this.series.map((one) => [one.name, []]));
    this.chart = null;
    this.sizes = new ResizeObserver(() => this.chart?.resize());
    this.onLook = () => this.draw();
    this.themes = new MutationObserver(this.onLook);
    for (const root of [document.documentElement, document.body]) {
      this.themes.observe(root, { attributes: true, attributeFilter: ["class", "data-theme"] });
    }
    this.wishes = WISHES.map((wish) => window.matchMedia(wish));
    for (const wish of this.wishes) wish.addEventListener("change", this.onLook);
    this.onConnect = () => this.$emit("ready");
    window.socket?.on("connect", this.onConnect);
    this.$emit("ready");
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
    total() {
      this.draw();
    },
    ends() {
      this.draw();
    },
  },
  methods: {
    async load() {
      let library;
      try {
        library = await import("nicegui-echart");
      } catch (error) {
        console.warn(`The chart could not be loaded: ${error.message}`);
        if (!this.isGone) this.$emit("unavailable");
        return;
      }
      if (this.isGone) return;
      this.chart = library.echarts.init(this.$el, null, { renderer: "svg" });
      this.sizes.observe(this.$el);
      this.draw();
    },
    replace(curves) {
      for (const { name } of this.series) this.points[name] = curves[name] ?? [];
      this.draw();
    },
    append(curves) {
      for (const [name, added] of Object.entries(curves)) {
        const known = this.points[name];
        const last = known.length ? known[known.length - 1][0] : -1;
        known.push(...added.filter(([step]) => step > last));
      }
      this.draw();
    },
    curve({ name, smooth }) {
      const raw = this.points[name];
      const isSmooth = smooth && raw.length >= this.smoothing.from;
      return { raw, isSmooth, points: isSmooth ? smoothed(raw, this.smoothing) : raw };
    },
    draw() {
      if (!this.chart) return;
      const height = this.chart.getHeight() - 34;
      const curves = this.series.map((one) => ({ ...one, ...this.curve(one), end: this.ends[one.name] ?? "" }));
      const look = { colour: colours(this.$el), language: this.language, words: this.words };
      const picture = option(curves, this.total, height, look);
      this.chart.setOption(picture, { notMerge: true });
    },
  },
};

function option(series, total, height, { colour, language, words }) {
  const last = Math.max(0, ...series.map(({ points }) => points.at(-1)?.[0] ?? 0));
  const end = Math.max(total || 0, last, 1);
  const shifts = labelShifts(series, height);
  const text = { color: colour("text-muted"), fontSize: 11, fontFamily: "inherit" };
  const short = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  const whole = new Intl.NumberFormat(language);
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 44, right: 52, top: 10, bottom: 24 },
    tooltip: {
      trigger: "axis",
      backgroundColor: colour("surface-raised"),
      borderColor: colour("border"),
      textStyle: { color: colour("text"), fontSize: 12 },
      axisPointer: { lineStyle: { color: colour("border-strong"), type: "dashed" } },
      transitionDuration: isStill() ? 0 : 0.2,
      formatter: (items) => tooltip(items, language, words),
    },
    xAxis: {
      type: "value",
      min: 0,
      max: end,
      minInterval: 1,
      axisLine: { lineStyle: { color: colour("border") } },
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: { ...text, margin: 10, hideOverlap: true, showMaxLabel: true, formatter: (step) => whole.format(step) },
    },
    yAxis: {
      type: "value",
      scale: true,
      splitNumber: 4,
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { ...text, formatter: (value) => short.format(value) },
      splitLine: { lineStyle: { color: colour("border") } },
    },
    series: series.flatMap((one) => lines(one, shifts[one.name] ?? 0, last < end ? last : null, colour)),
  };
}

function lines(one, shift, now, colour) {
  const ink = colour(one.color);
  const sparse = one.points.length <= (one.dashed ? 40 : 5);
  const main = {
    name: one.label,
    type: "line",
    data: one.points,
    showSymbol: sparse,
    symbol: "circle",
    symbolSize: 6,
    lineStyle: { width: one.dashed ? 2.2 : 2.4, type: one.dashed ? [6, 4] : "solid", color: ink },
    itemStyle: { color: ink },
    emphasis: { disabled: true },
    endLabel: {
      show: one.points.length > 0,
      color: ink,
      fontSize: 11,
      fontWeight: 600,
      offset: [0, shift],
      formatter: () => one.end,
    },
    z: 3,
  };
  if (one.smooth && now) {
    main.markLine = {
      silent: true,
      symbol: "none",
      label: { show: false },
      lineStyle: { color: colour("border-strong"), type: [2, 3], width: 1 },
      data: [{ xAxis: now }],
    };
  }
  if (!one.isSmooth) return [main];
  const raw = {
    type: "line",
    data: one.raw,
    showSymbol: false,
    silent: true,
    sampling: "lttb",
    lineStyle: { width: 1.2, color: ink, opacity: 0.35 },
    tooltip: { show: false },
    z: 2,
  };
  return [raw, main];
}

// The mean of the points around each point; at an end, of those on its inner side, so that no single one bends the line.
function smoothed(points, { divisor, least }) {
  const reach = Math.max(least, Math.ceil(points.length / divisor));
  const sums = [0];
  for (const [, value] of points) sums.push(sums.at(-1) + value);
  return points.map(([step], index) => {
    const from = Math.max(0, index - reach);
    const to = Math.min(points.length, index + reach + 1);
    return [step, (sums[to] - sums[from]) / (to - from)];
  });
}

// How far each line's label must move up or down so that labels of neighbouring ends stay readable.
function labelShifts(series, height) {
  const ends = series.filter(({ points }) => points.length).map(({ name, points }) => [name, points.at(-1)[1]]);
  if (ends.length < 2) return {};
  let [least, most] = [Infinity, -Infinity]; // a long run has more points than a call takes arguments
  for (const { raw } of series) for (const [, value] of raw) [least, most] = [Math.min(least, value), Math.max(most, value)];
  const scale = height / (most - least || 1);
  const [[upper, high], [lower, low]] = ends.sort((a, b) => b[1] - a[1]);
  const missing = Math.max(0, LABEL_HEIGHT - (high - low) * scale) / 2;
  return { [upper]: -missing, [lower]: missing };
}

function tooltip(items, language, words) {
  const figure = new Intl.NumberFormat(language, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
  const tiny = new Intl.NumberFormat(language, { maximumSignificantDigits: 2 });
  const shown = items.filter((item) => !item.seriesName.startsWith("series"));
  const box = document.createElement("div");
  box.textContent = words.step.replace("{step}", new Intl.NumberFormat(language).format(items[0].value[0]));
  for (const item of shown) {
    const line = box.appendChild(document.createElement("div"));
    const value = item.value[1];
    line.textContent = `${item.seriesName} ${(Math.abs(value) >= 0.01 ? figure : tiny).format(value)}`;
  }
  return box;
}

function isStill() {
  return document.body.classList.contains("qu-still") || window.matchMedia(WISHES[1]).matches;
}

function colours(element) {
  const style = getComputedStyle(element);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}
