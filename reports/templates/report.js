'use strict';
// The page around the tasks: colours, sorting, filters, links, keys, the CSV file.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Light, dark, or as the system says; remembered where the browser lets us. */
function setUpTheme() {
  const button = $('#theme');
  const names = { '': 'as the system', light: 'light', dark: 'dark' };
  const order = Object.keys(names);
  const show = (theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    $('span', button).textContent = names[theme];
  };
  let theme = '';
  try { theme = localStorage.getItem('patchmark-theme') || ''; } catch { /* a browser may forbid it */ }
  show(names[theme] ? theme : '');
  button.hidden = false;
  button.addEventListener('click', () => {
    theme = order[(order.indexOf(theme) + 1) % order.length];
    show(theme);
    try { localStorage.setItem('patchmark-theme', theme); } catch { /* then it is for this visit */ }
  });
}

/** What a row is sorted by in a column; an empty value goes last either way. */
function sortValue(row, column) {
  const cell = row.cells[column];
  const text = (cell.dataset.v ?? cell.textContent).trim();
  return text === '' ? null : Number.isNaN(Number(text)) ? text.toLowerCase() : Number(text);
}

function compare(a, b) {
  if (a === null || b === null) return a === b ? 0 : null;
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true });
}

function sortBy(table, column, direction) {
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [row, sortValue(row, column)]);
  rows.sort(([, a], [, b]) => compare(a, b) === null ? (a === null) - (b === null) : direction * compare(a, b));
  body.append(...rows.map(([row]) => row));
}

/** Headings of a table become buttons that sort by their column. */
function setUpSorting(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = make('button', { type: 'button', class: 'sort', title: 'Sort' });
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const up = head.getAttribute('aria-sort') !== 'ascending';
      heads.forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      sortBy(table, column, up ? 1 : -1);
    });
  });
}

const WHICH = {
  all: (row) => row.passed === row.asked && row.asked > 0,
  some: (row) => row.passed > 0 && row.passed < row.asked,
  none: (row) => row.passed === 0,
  trouble: (row) => row.scored < row.asked,
};

function wanted(row, form) {
  const { text, which, who, how } = form.elements;
  const numbers = { passed: Number(row.dataset.passed), scored: Number(row.dataset.scored), asked: Number(row.dataset.asked) };
  const words = `${row.cells[1].textContent} ${row.dataset.text}`.toLowerCase();
  const cells = [...row.querySelectorAll('td.c')].filter((_, n) => who.value === '' || n === Number(who.value));
  return text.value.toLowerCase().split(/\s+/).every((word) => words.includes(word))
    && (!which.value || WHICH[which.value](numbers))
    && (!how.value || cells.some((cell) => $$('.sign', cell).some((sign) => sign.title === how.value)));
}

/** Show the rows, and their sections, that the form asks for. */
function applyFilters(form) {
  const rows = $$('#filters ~ .tall tbody tr');
  let count = 0;
  for (const row of rows) {
    const shown = wanted(row, form);
    row.hidden = !shown;
    const section = document.getElementById(`task-${row.dataset.task}`);
    if (section) section.hidden = !shown;
    count += shown;
  }
  form.elements.count.textContent = count === rows.length ? `${count} tasks` : `${count} of ${rows.length} tasks`;
}

function setUpFilters(form) {
  form.hidden = false;
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', () => applyFilters(form));
  form.addEventListener('reset', () => setTimeout(() => applyFilters(form)));
  applyFilters(form);
  $('#save').addEventListener('click', save);
}

/** Hand the sheet over as a file; it was in the page all the time. */
async function save() {
  const blob = new Blob(['\ufeff', await unpack($('#sheet'))], { type: 'text/csv' });
  const link = make('a', { href: URL.createObjectURL(blob), download: 'patchmark.csv' });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Open what the address names: a task, or an attempt at one. */
async function follow() {
  const named = location.hash.match(/^#(task-\d+)(-\d+)?$/);
  const section = named && document.getElementById(named[1]);
  if (!section) return;
  if (section.hidden) $('#filters').reset();
  section.hidden = false;
  section.open = true;
  await fillTask(section);
  const target = document.getElementById(named[0].slice(1)) || section;
  target.open = true;
  target.scrollIntoView({ block: 'start' });
  $('summary', target).focus({ preventScroll: true });
}

/** Arrow keys in the matrix; its signs are no stops of the Tab key, they are too many. */
function setUpMatrix(table) {
  $$('td a', table).forEach((link) => { link.tabIndex = -1; });
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  table.addEventListener('keydown', (event) => {
    const step = steps[event.key];
    const cell = event.target.closest('tbody td, tbody th');
    if (!step || !cell) return;
    event.preventDefault();
    let row = cell.parentElement;
    let column = cell.cellIndex;
    do {
      row = step[0] < 0 ? row.previousElementSibling : step[0] > 0 ? row.nextElementSibling : row;
      column += step[1];
    } while (row && (row.hidden || (row.cells[column] && !$('a', row.cells[column]))));
    const link = row && row.cells[column] && $('a', row.cells[column]);
    if (link) link.focus();
  });
}

/** Escape closes the innermost open box, then goes back to the matrix. */
function escape(event) {
  if (event.key !== 'Escape' || event.target.closest('form')) return;
  const box = event.target.closest('details.attempt, details.task');
  if (!box) return;
  box.open = false;
  const number = box.id.split('-').slice(1).join('-');
  const link = $(`a[href="#task-${number}"].sign, th a[href="#task-${number}"]`);
  (link || $('summary', box)).focus();
}

setUpTheme();
$$('table.sortable').forEach(setUpSorting);
$$('table.matrix').forEach(setUpMatrix);
$$('.keys').forEach((line) => { line.hidden = false; });
if ($('#filters')) setUpFilters($('#filters'));
document.addEventListener('toggle', (event) => {
  if (event.target.matches('details.task') && event.target.open) fillTask(event.target);
}, true);
document.addEventListener('keydown', escape);
window.addEventListener('hashchange', follow);
follow();
