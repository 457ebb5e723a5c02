'use strict';
// A task's section, filled when it is opened: patches side by side, tests, times, what was said.

/** The text of a packed script element. */
async function unpack(element) {
  const letters = atob(element.textContent.trim());
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Response(stream).text();
}

/** A heading with what belongs to it. */
function part(title, ...children) {
  return make('div', { class: 'part' }, make('h4', {}, title), ...children);
}

/** Files that both patches change come first, in the order of the other. */
function likeTheOther(diff, other) {
  const boxes = (root) => [...root.querySelectorAll('.file-box')];
  const order = boxes(other).map((box) => box.dataset.file);
  const place = (box) => { const at = order.indexOf(box.dataset.file); return at < 0 ? order.length : at; };
  diff.append(...boxes(diff).sort((a, b) => place(a) - place(b)));
  return diff;
}

/** Two patches side by side; what stands left is the reader's choice. */
function sideBySide(fix, cell, cells) {
  const others = cells.filter((one) => one !== cell && one.diff);
  const choice = make('select', {}, make('option', { value: '' }, 'the real fix'));
  others.forEach((one, n) => choice.append(make('option', { value: n }, one.name)));
  const left = make('div', { class: 'pane' });
  const mine = drawDiff(cell.diff);
  const right = make('div', { class: 'pane' }, make('p', { class: 'pane-name' }, cell.name), mine);
  if (cell.more) right.append(make('p', { class: 'soft' }, cell.more));
  const show = () => {
    const other = choice.value === '' ? null : others[Number(choice.value)];
    const chosen = make('p', { class: 'pane-name' }, make('label', {}, 'Beside: ', choice));
    left.replaceChildren(chosen, likeTheOther(drawDiff(other ? other.diff : fix), mine));
    if (other && other.more) left.append(make('p', { class: 'soft' }, other.more));
  };
  choice.addEventListener('change', () => { show(); choice.focus(); });
  show();
  return part('Patch', make('div', { class: 'panes' }, left, right));
}

/** How each test ended before the fix, with it, and with this patch. */
function testTable(cell) {
  if (!cell.tests.length) return part('Tests', make('p', { class: 'soft' }, 'They did not run to their end with this patch.'));
  const words = { '✓': 'passes', '✗': 'fails' };
  const mark = (sign) => make('td', { class: sign === '✓' ? 'c good' : 'c bad' }, words[sign] ? `${sign} ${words[sign]}` : sign);
  const head = ['Test', 'Before', 'Real fix', 'This patch'].map((name) => make('th', { scope: 'col' }, name));
  const rows = cell.tests.map(([name, ...signs]) => make('tr', {}, make('th', { scope: 'row' }, make('code', {}, name)), ...signs.map(mark)));
  const table = make('table', { class: 'tests' }, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows));
  return part('Tests', make('div', { class: 'wide', role: 'group', tabindex: '0', 'aria-label': 'Tests' }, table));
}

const DRAWING = 'http://www.w3.org/2000/svg';

/** Where the time of an attempt went: a bar, and the same in words. */
function timeline(bars) {
  const whole = bars.reduce((sum, bar) => sum + bar[1], 0);
  if (!whole) return '';
  const drawing = document.createElementNS(DRAWING, 'svg');
  const sums = new Map();
  drawing.setAttribute('viewBox', '0 0 1000 24');
  drawing.setAttribute('preserveAspectRatio', 'none');
  drawing.setAttribute('class', 'timeline');
  drawing.setAttribute('aria-hidden', 'true');
  let at = 0;
  for (const [kind, took, words] of bars) {
    const bar = document.createElementNS(DRAWING, 'rect');
    const title = document.createElementNS(DRAWING, 'title');
    title.textContent = `${kind}: ${words}`;
    bar.append(title);
    const wide = Math.max(2, (1000 * took) / whole);
    for (const [key, value] of Object.entries({ x: at, y: 0, width: wide, height: 24, class: `k-${kind.replace(' ', '-')}` })) bar.setAttribute(key, value);
    drawing.append(bar);
    at += (1000 * took) / whole;
    sums.set(kind, (sums.get(kind) || 0) + took);
  }
  const items = [...sums].map(([kind, took]) => make('li', {}, make('span', { class: `swatch k-${kind.replace(' ', '-')}` }), `${kind} ${duration(took)}`));
  return part('Time', drawing, make('ul', { class: 'key' }, ...items));
}

/** Seconds in words, as the rest of the page writes them. */
function duration(seconds) {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** What was asked and answered, request by request. */
function transcript(cell) {
  if (!cell.calls.length) return part('Requests and answers', make('p', { class: 'soft' }, 'None were kept of this attempt.'));
  const items = cell.calls.map((call, n) => {
    const item = make('li', {}, make('p', { class: 'call' }, call.head));
    const said = (name, text, open) => {
      if (!text) return;
      const body = make('pre', { class: 'said', role: 'group', dir: 'auto', tabindex: '0', 'aria-label': `${name}, request ${n + 1}` }, text);
      item.append(make('details', { class: 'said', open }, make('summary', {}, name), body));
    };
    if (call.error) item.append(make('p', { class: 'error' }, call.error));
    said('Asked', call.asked, false);
    said('Answered', call.answered, n === cell.calls.length - 1);
    item.append(make('p', { class: 'soft' }, make('code', {}, call.file)));
    return item;
  });
  const list = make('ol', { class: 'calls' }, ...items);
  return part('Requests and answers', list, cell.moreCalls ? make('p', { class: 'soft' }, cell.moreCalls) : '');
}

/** Fill an attempt the first time it is opened. */
function fillAttempt(box, cell, cells, fix) {
  if (box.dataset.filled) return;
  box.dataset.filled = 'yes';
  const inside = make('div', { class: 'inside' });
  for (const note of cell.notes) inside.append(make('p', { class: 'note-line' }, note));
  if (cell.diff) inside.append(sideBySide(fix, cell, cells));
  if (cell.dropped.length) {
    const names = cell.dropped.map((name) => make('li', {}, make('code', {}, name)));
    inside.append(part('Edits to test files that were left out', make('ul', { class: 'tests' }, ...names)));
  }
  inside.append(testTable(cell), timeline(cell.bars), transcript(cell));
  box.append(inside);
}

/** One attempt: its outcome in a line, and all else when it is opened. */
function attemptBox(id, cell, cells, fix) {
  const summary = make('summary', {},
    make('span', { class: `tag ${cell.tone}` }, cell.sign), ' ',
    make('span', { class: 'who' }, cell.name), ' ', make('span', { class: 'soft' }, cell.facts));
  const box = make('details', { class: 'attempt', id }, summary);
  box.addEventListener('toggle', () => box.open && fillAttempt(box, cell, cells, fix));
  return box;
}

/** Make a task's section live, once: its fix coloured, its attempts there to be opened. */
function fillTask(section) {
  section.filled ??= liven(section);
  return section.filled;
}

async function liven(section) {
  const pre = section.querySelector('pre.fix');
  const fix = pre.textContent;
  pre.replaceWith(drawDiff(fix));
  const data = section.querySelector('script.data');
  if (!data) return;
  const place = section.querySelector('.attempts');
  try {
    const cells = JSON.parse(await unpack(data));
    place.append(...cells.map((cell) => attemptBox(`${section.id}-${cell.id}`, cell, cells, fix)));
  } catch {
    place.append(make('p', { class: 'soft' }, 'This browser cannot unpack what belongs here; it is in report.json.'));
  }
}
