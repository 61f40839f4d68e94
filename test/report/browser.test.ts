/** The report in a real browser: Debian's chromium, where it is installed. */

import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderReport } from '../../src/report/report.ts';
import { temporaryFolder } from '../io/temporary-folder.ts';
import { reportData } from './report-data.ts';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

if (!existsSync(CHROMIUM)) {
  process.stderr.write(`${CHROMIUM} is not there, so no browser looks at the report\n`);
}

describe.runIf(existsSync(CHROMIUM))('the report in a browser', { timeout: 60_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });
  afterAll(() => browser?.close());

  /** Opens a report; what the page says and asks for is noted. */
  async function open(evil: boolean, colorScheme: 'light' | 'dark') {
    const path = join(await temporaryFolder(), 'report.html');
    await writeFile(path, renderReport(reportData({ evil })));
    const page = await browser.newPage({ colorScheme });
    const noted = { messages: [] as string[], requests: [] as string[], dialogs: 0 };
    page.on('console', (message) => noted.messages.push(message.text()));
    page.on('pageerror', (error) => noted.messages.push(error.message));
    page.on('request', (request) => noted.requests.push(request.url()));
    page.on('dialog', (dialog) => {
      noted.dialogs++;
      return dialog.dismiss();
    });
    const url = pathToFileURL(path).href;
    await page.goto(url);
    // Pictures are in the page itself.
    noted.requests = noted.requests.filter((asked) => !asked.startsWith('data:'));
    return { page, noted, url };
  }

  /** How many colours a chart's canvas has: one that was not drawn on has one. */
  async function colours(page: Page, chart: number): Promise<number> {
    const found = await page.evaluate(`(() => {
      const canvas = document.querySelectorAll('.charts canvas')[${chart}];
      const { width, height } = canvas;
      const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
      return new Set(new Uint32Array(data.buffer)).size;
    })()`);
    return Number(found);
  }

  it.each([
    ['light', false],
    ['dark', false],
    ['light', true],
  ] as const)('draws its charts, in %s, with hostile names: %s', async (scheme, evil) => {
    const { page, noted, url } = await open(evil, scheme);
    const charts = await page.locator('figure.chart').count();
    expect(charts).toBe(5);
    expect(await page.locator('.charts canvas').count()).toBe(charts);
    for (let i = 0; i < charts; i++) expect(await colours(page, i)).toBeGreaterThan(5);
    expect(noted).toEqual({ messages: [], requests: [url], dialogs: 0 });
    const broken = await page.evaluate(
      '[...document.images].filter((image) => image.naturalWidth === 0).length',
    );
    expect(broken).toBe(0);
    await page.close();
  });

  it('switches a chart to a logarithmic scale and back', async () => {
    const { page, noted } = await open(false, 'light');
    const picture = () => page.evaluate("document.querySelector('.charts canvas').toDataURL()");
    const linear = await picture();
    const box = page.locator('[data-log="0"]');
    await box.check();
    expect(await picture()).not.toBe(linear);
    await box.uncheck();
    expect(await picture()).toBe(linear);
    expect(noted.messages).toEqual([]);
    await page.close();
  });

  it('fits a narrow screen, and paper', async () => {
    const { page, noted } = await open(false, 'dark');
    await page.setViewportSize({ width: 390, height: 800 });
    // Charts follow a moment after the window. Throws where something keeps reaching beyond it.
    await page.waitForFunction(
      'document.documentElement.scrollWidth === document.documentElement.clientWidth',
      undefined,
      { timeout: 10_000 },
    );
    await page.emulateMedia({ media: 'print' });
    const paper = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(paper).toBe('rgb(255, 255, 255)');
    expect(await colours(page, 0)).toBeGreaterThan(5);
    expect(noted.messages).toEqual([]);
    await page.close();
  });
});
