// What the library that draws is told: one axis of steps, one of values, a line for each curve, marks below them.

const LABEL_HEIGHT = 14;
const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const MARKS = {
  checkpoint: { symbol: "triangle", symbolSize: [9, 7], color: "text-muted" },
  best: { symbol: "diamond", symbolSize: 11, color: "success" },
};

// `curves` have points in `raw` and perhaps a `smoothLine` that Python made; `look` are the props of the chart with the
// shown `range`, the `height` of the picture and the `element` whose colours count.
export function option(curves, look) {
  const colour = colours(look.element);
  const shown = look.range ?? [0, 0];
  const last = Math.max(0, ...curves.map(({ raw }) => raw.at(-1)?.[0] ?? 0));
  const end = look.range ? shown[1] : Math.max(look.total || 0, last, 1);
  const lines = curves.map((one) => prepared(one, look, shown[0], end));
  const shifts = labelShifts(lines, look.height - 38);
  const text = { color: colour("text-muted"), fontSize: 11, fontFamily: "inherit" };
  const whole = new Intl.NumberFormat(look.language);
  const now = last < end && !look.range ? last : null;
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 56, right: 60, top: 10, bottom: 28 },
    tooltip: {
      trigger: "axis",
      confine: true,
      backgroundColor: colour("surface-raised"),
      borderColor: colour("border"),
      textStyle: { color: colour("text"), fontSize: 12 },
      axisPointer: { lineStyle: { color: colour("border-strong"), type: "dashed" } },
      transitionDuration: isStill() ? 0 : 0.2,
      formatter: (items) => tooltip(items, look),
    },
    xAxis: {
      type: "value",
      min: shown[0],
      max: end,
      minInterval: 1,
      axisLine: { lineStyle: { color: colour("border") } },
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: { ...text, margin: 14, hideOverlap: true, showMaxLabel: true, formatter: (step) => whole.format(step) },
    },
    yAxis: [
      {
        type: "value",
        scale: true,
        splitNumber: 4,
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { ...text, formatter: (value) => written(look.logarithmic ? 10 ** value : value, look) },
        splitLine: { lineStyle: { color: colour("border") } },
      },
      { type: "value", min: 0, max: 1, show: false },
    ],
    series: [
      ...lines.flatMap((one) => drawn(one, shifts[one.name] ?? 0, now, colour)),
      ...marks(look.marks, shown[0], end, colour),
    ],
  };
}

// The points that are in sight, as the axis of values has them, and the line that is drawn through them.
function prepared(curve, { smoothing, logarithmic, scale }, from, to) {
  const isSmooth = curve.smooth && smoothing && (curve.smoothLine || curve.raw.length >= smoothing.from);
  const line = isSmooth ? (curve.smoothLine ?? smoothed(curve.raw, smoothing)) : curve.raw;
  const measure = (points) => onAxis(inSight(points, from, to), scale.factor, logarithmic);
  const end = (curve.raw.at(-1)?.[0] ?? 0) <= to ? curve.end : ""; // its present value stands only where it ends
  return { ...curve, isSmooth, end, raw: measure(curve.raw), points: measure(line) };
}

function inSight(points, from, to) {
  const first = points.findIndex(([step]) => step >= from);
  if (first < 0) return [];
  const beyond = points.findIndex(([step]) => step > to);
  return points.slice(Math.max(0, first - 1), beyond < 0 ? undefined : beyond + 1);
}

function onAxis(points, factor, logarithmic) {
  if (!logarithmic) return factor === 1 ? points : points.map(([step, value]) => [step, value * factor]);
  return points.filter(([, value]) => value > 0).map(([step, value]) => [step, Math.log10(value * factor)]);
}

function drawn(one, shift, now, colour) {
  const ink = colour(one.color);
  const sparse = one.points.length <= (one.dashed ? 40 : 5);
  const main = {
    name: one.label,
    type: "line",
    data: one.points,
    showSymbol: sparse,
    symbol: "circle",
    symbolSize: 6,
    clip: true,
    lineStyle: { width: one.dashed ? 2.2 : 2.4, type: one.dashed ? [6, 4] : "solid", color: ink },
    itemStyle: { color: ink },
    emphasis: { disabled: true },
    endLabel: {
      show: one.points.length > 0,
      color: ink,
      fontSize: 11,
      fontWeight: 600,
      backgroundColor: colour("surface"), // lines that pass behind it do not cross it out
      padding: [1, 2],
      offset: [0, shift],
      formatter: () => one.end,
    },
    z: 3,
  };
  if (now) {
    main.markLine = {
      silent: true,
      symbol: "none",
      label: { show: false },
      lineStyle: { color: colour("border-strong"), type: [2, 3], width: 1 },
      z: 1, // behind the labels
      data: [{ xAxis: now }],
    };
  }
  if (!one.isSmooth) return [main];
  const raw = {
    type: "line",
    data: one.raw,
    showSymbol: false,
    silent: true,
    clip: true,
    lineStyle: { width: 1.2, color: ink, opacity: 0.35 },
    tooltip: { show: false },
    z: 2,
  };
  return [raw, main];
}

// Checkpoints stand on the axis of steps; where a run went on from one, a line tells.
function marks(all, from, to, colour) {
  const shown = (all ?? []).filter(({ step }) => step >= from && step <= to);
  const places = Object.entries(MARKS).map(([kind, { symbol, symbolSize, color }]) => ({
    type: "scatter",
    yAxisIndex: 1,
    silent: true,
    clip: false,
    symbol,
    symbolSize,
    symbolOffset: [0, 7],
    itemStyle: { color: colour(color) },
    data: shown.filter((mark) => mark.kind === kind).map(({ step }) => [step, 0]),
    z: 4,
  }));
  const resumed = shown.filter(({ kind }) => kind === "resumed");
  if (!resumed.length) return places;
  const label = { color: colour("text-muted"), fontSize: 10, position: "insideEndTop", distance: 2 };
  const line = {
    silent: true,
    symbol: "none",
    lineStyle: { color: colour("border-strong"), type: "solid", width: 1 },
    data: resumed.map((mark) => ({ xAxis: mark.step, label: { ...label, formatter: mark.label } })),
  };
  return [...places, { type: "line", data: [], markLine: line }];
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
function labelShifts(lines, height) {
  const ends = lines.filter(({ points }) => points.length).map(({ name, points }) => [name, points.at(-1)[1]]);
  if (ends.length < 2) return {};
  let [least, most] = [Infinity, -Infinity]; // a long run has more points than a call takes arguments
  for (const { raw } of lines) for (const [, value] of raw) [least, most] = [Math.min(least, value), Math.max(most, value)];
  const scale = height / (most - least || 1);
  const [[upper, high], [lower, low]] = ends.sort((a, b) => b[1] - a[1]);
  const missing = Math.max(0, LABEL_HEIGHT - (high - low) * scale) / 2;
  return { [upper]: -missing, [lower]: missing };
}

function tooltip(items, look) {
  const shown = items.filter((item) => look.series.some((one) => one.label === item.seriesName));
  const [step] = items[0].value;
  const box = document.createElement("div");
  box.className = "qu-chart-tip";
  const lines = [look.words.step.replace("{step}", new Intl.NumberFormat(look.language).format(step))];
  for (const item of shown) {
    const value = look.logarithmic ? 10 ** item.value[1] : item.value[1];
    lines.push(`${item.seriesName} ${written(value, look, 4)}`);
  }
  lines.push(...(look.marks ?? []).filter((mark) => mark.step === step).map((mark) => mark.label));
  for (const line of lines) box.appendChild(document.createElement("div")).textContent = `${line} `;
  return box;
}

function written(value, { language, scale }, digits = 3) {
  const figure = value !== 0 && Math.abs(value) < 0.001 ? powerOfTen(value, language) : plain(value, language, digits);
  return scale.unit ? `${figure} ${scale.unit}` : figure;
}

function plain(value, language, digits) {
  const form = Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits };
  return new Intl.NumberFormat(language, form).format(value);
}

// `1.12·10⁻⁴`, as the words beside the chart have it.
function powerOfTen(value, language) {
  const exponent = Math.floor(Math.log10(Math.abs(value)) + 1e-9);
  const raised = [...String(exponent)].map((sign) => RAISED[sign] ?? sign).join("");
  return `${plain(value / 10 ** exponent, language, 3)}·10${raised}`;
}

function isStill() {
  return document.body.classList.contains("qu-still") || window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function colours(element) {
  const style = getComputedStyle(element);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}
