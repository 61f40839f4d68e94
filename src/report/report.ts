/**
 * A run as one HTML file: no other file is needed, and nothing is fetched. Everything that comes
 * from a run is text, whatever it looks like.
 */

import script from 'uplot/dist/uPlot.iife.min.js?raw';
import chartStyle from 'uplot/dist/uPlot.min.css?raw';
import { bytes, count, decimal, duration, metricValue } from '../base/words.ts';
import { confusionSection } from './confusion.ts';
import { chartsOf, curves } from './curves.ts';
import type { ReportData, ReportModel } from './data.ts';
import { examplesSection } from './examples.ts';
import { embedded, Html, html } from './html.ts';
import client from './page/client.js?raw';
import style from './page/style.css?raw';

/** Even a page that is not as it was written may ask for nothing. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";

/** The report, complete. */
export function renderReport(data: ReportData): string {
  const charts = chartsOf(data.records);
  const { predictions, model } = data;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${data.name} – torchts</title>
<style>${new Html(chartStyle)}
${new Html(style)}</style>
</head>
<body>
<header>
<h1>${data.name}</h1>
<p class="quiet">${data.directory}${
    data.started === null
      ? undefined
      : `, started ${data.started.replace('T', ' ').slice(0, 16)} UTC`
  }</p>
${tiles(data)}
${data.message === null ? undefined : html`<p class="note"><b>${data.state}</b>: ${data.message}</p>`}
</header>
<main>
${section('Curves', curves(charts))}
${predictions === null ? undefined : section('Classes', confusionSection(predictions))}
${predictions === null ? undefined : section('Samples', examplesSection(predictions))}
${section('Metrics', metricTable(data))}
${model === null ? undefined : section('Model', modelTable(model))}
${section('Config', html`<pre>${data.config}</pre>`)}
${section('Environment', environmentTable(data.environment))}
${section('Files', fileList(data.files))}
</main>
<footer class="quiet">Written by torchts.</footer>
${embedded('charts', charts)}
<script>${new Html(script)}</script>
<script>${new Html(client)}</script>
</body>
</html>
`.text;
}

function section(title: string, content: Html): Html {
  return html`<section><h2>${title}</h2>
${content}
</section>
`;
}

/** What one wants to know first. */
function tiles({ state, step, total_steps, best, seconds, model, ...rest }: ReportData) {
  const steps = step === null ? '–' : count(step);
  const of = total_steps === null || total_steps === step ? '' : ` of ${count(total_steps)}`;
  const facts: [string, string, string?][] = [['state', state]];
  if (best !== null) {
    const value = metricValue(best.metric, best.value);
    facts.push([`best ${best.metric}`, value, `after step ${count(best.step)}`]);
  }
  const { train_loss } = rest.metrics;
  if (train_loss !== undefined) facts.push(['last train_loss', decimal(train_loss)]);
  facts.push(['steps', `${steps}${of}`]);
  if (seconds !== null) facts.push(['time', duration(seconds)]);
  if (model !== null) facts.push(['parameters', count(model.parameters)]);
  return html`<dl class="tiles">${facts.map(
    ([name, value, more]) => html`<div><dt>${name}</dt><dd>${value}${
      more === undefined ? undefined : html` <small>${more}</small>`
    }</dd></div>
`,
  )}</dl>`;
}

/** The last values, a row a metric, a column a split. */
function metricTable({ metrics }: ReportData): Html {
  const names = Object.keys(metrics);
  if (names.length === 0) return html`<p class="quiet">Nothing was measured.</p>`;
  const rows = names.map(
    (
      name,
    ) => html`<tr><th scope="row">${name}</th><td>${metricValue(name, metrics[name]!)}</td></tr>
`,
  );
  return html`<table class="numbers"><thead><tr><th>metric</th><th>last value</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}

const MOST_LAYERS = 1000;

function modelTable({ layers, input_shape, parameters, flops }: ReportModel): Html {
  const rows = layers.slice(0, MOST_LAYERS).map(
    (layer) => html`<tr><th scope="row">${layer.path || '(model)'}</th><td class="text">${
      layer.type
    }</td><td>${layer.output_shape.join(' × ')}</td><td>${count(layer.parameters)}</td><td>${count(
      layer.flops,
    )}</td></tr>
`,
  );
  return html`<p>${count(parameters)} parameters; ${count(flops)} floating-point operations forward, for one batch of ${input_shape.join(' × ')}.</p>
<div class="scroll"><table class="numbers">
<thead><tr><th>layer</th><th class="text">type</th><th>output</th><th>parameters</th><th>FLOPs</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function environmentTable(environment: Readonly<Record<string, unknown>>): Html {
  const rows = Object.entries(environment).map(
    ([key, value]) => html`<tr><th scope="row">${key}</th><td class="text">${
      typeof value === 'object' ? JSON.stringify(value) : String(value)
    }</td></tr>
`,
  );
  return html`<table><tbody>${rows}</tbody></table>`;
}

function fileList(files: ReportData['files']): Html {
  const items = files.map(({ path, bytes: size }) => {
    const href = path.split('/').map(encodeURIComponent).join('/');
    return html`<li><a href="./${href}">${path}</a> <span class="quiet">${bytes(size)}</span></li>
`;
  });
  return html`<ul class="columns">${items}</ul>`;
}
