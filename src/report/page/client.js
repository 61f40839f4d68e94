// @ts-nocheck: it runs in a browser, whose names the rest of the source must not know

/** Draws the charts of a report, and draws them again when colours or sizes change. */
(() => {
  const charts = JSON.parse(document.getElementById('charts').textContent);
  const COLOURS = { light: ['#2b6cd4', '#d9730d'], dark: ['#7aa9ff', '#ffb066'] };
  const MORE = ['#2f9e6e', '#b05ccf', '#c2415b', '#7a8699'];
  const HEIGHT = 260;

  const inDark = matchMedia('(prefers-color-scheme: dark)');
  const inPrint = matchMedia('print');
  const logarithmic = new Set();
  const plots = [];

  function colourOf(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function number(value) {
    if (value == null) return '–';
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(2);
    return String(Number(value.toPrecision(4)));
  }

  function options(chart, i, width) {
    const colours = [...COLOURS[inDark.matches && !inPrint.matches ? 'dark' : 'light'], ...MORE];
    const axis = {
      stroke: colourOf('--quiet'),
      grid: { stroke: colourOf('--line'), width: 1 },
      ticks: { stroke: colourOf('--line'), width: 1 },
    };
    const text = (value) => (chart.percent ? `${number(value * 100)}%` : number(value));
    return {
      width,
      height: HEIGHT,
      scales: { x: { time: false }, y: { distr: logarithmic.has(i) ? 3 : 1 } },
      axes: [
        axis,
        { ...axis, size: 64, values: (_, ticks) => ticks.map((v) => (v == null ? '' : text(v))) },
      ],
      series: [
        { label: 'step' },
        ...chart.lines.map(({ name, values }, k) => ({
          label: name,
          stroke: colours[k % colours.length],
          width: 2,
          spanGaps: true,
          points: { show: values.filter((v) => v !== null).length < 60, size: 5 },
          value: (_, v) => (v == null ? '–' : text(v)),
        })),
      ],
    };
  }

  function draw(i) {
    const place = document.querySelector(`[data-chart="${i}"]`);
    plots[i]?.destroy();
    const chart = charts[i];
    const data = [chart.steps, ...chart.lines.map(({ values }) => values)];
    plots[i] = new uPlot(options(chart, i, place.clientWidth), data, place);
  }

  function drawAll() {
    for (const i of charts.keys()) draw(i);
  }

  for (const box of document.querySelectorAll('[data-log]')) {
    box.addEventListener('change', () => {
      const i = Number(box.dataset.log);
      if (box.checked) logarithmic.add(i);
      else logarithmic.delete(i);
      draw(i);
    });
  }
  inDark.addEventListener('change', drawAll);
  inPrint.addEventListener('change', drawAll);
  addEventListener('resize', () => {
    for (const [i, plot] of plots.entries()) {
      const place = document.querySelector(`[data-chart="${i}"]`);
      plot.setSize({ width: place.clientWidth, height: HEIGHT });
    }
  });
  drawAll();
})();
