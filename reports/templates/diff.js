'use strict';
// Diffs as elements: file headings, line numbers, colours, light tokens. Text stays text.

/** An element with attributes and children; strings become text nodes, never markup. */
function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === true) element.setAttribute(key, '');
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

const HASH_COMMENTS = /\.(py|pyi|rb|sh|bash|toml|ya?ml|pl|r|cfg|mk|cmake|ex|exs|jl)$/i;
const PROSE = /\.(md|rst|txt|adoc|csv|json)$|^[A-Z]+$/;
const TOKENS = {
  slash: /(\/\/.*|\/\*.*?(?:\*\/|$)|^\s*\*.*)|("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|`(?:[^`\\]|\\.)*`?)|\b(\d[\w.]*)\b|\b([A-Za-z_]\w*)\b/g,
  hash: /(#.*)|("""|'''|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)|\b(\d[\w.]*)\b|\b([A-Za-z_]\w*)\b/g,
  none: /(?!)/g,
};
const KEYWORDS = new Set(`abstract and as assert async await bool boolean break case catch char class
 const continue def default defer del do double elif else elsif end enum except export extends extern
 false final finally float fn for foreach from func function global go goto if impl implements import
 in instanceof int interface is lambda let long loop match mod module mut namespace new nil none None
 not null nullptr of operator or override package pass private protected pub public raise require
 return self Self short static string struct super switch template then this throw throws trait true
 True False try type typeof undefined union unless unsafe until use using val var virtual void when
 where while with yield`.split(/\s+/));
const KINDS = ['comment', 'string', 'amount', 'word'];

/** Append a line of code to `line`, its tokens in spans of their own. */
function appendCode(line, code, tokens) {
  let done = 0;
  for (const found of code.matchAll(tokens)) {
    const kind = KINDS[found.slice(1).findIndex((part) => part !== undefined)];
    if (kind === 'word' && !KEYWORDS.has(found[0])) continue;
    line.append(code.slice(done, found.index), make('span', { class: `t-${kind}` }, found[0]));
    done = found.index + found[0].length;
  }
  line.append(code.slice(done));
}

/** Where two lines differ: how many characters are equal at the start, and at the end. */
function common(a, b) {
  const most = Math.min(a.length, b.length);
  let start = 0;
  while (start < most && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < most - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  return [start, end];
}

/** One line of a hunk, `part` = [start, end] of what differs from the line it is paired with. */
function codeLine(sign, code, numbers, tokens, part) {
  const kind = { '+': 'add', '-': 'del' }[sign] || 'same';
  const line = make('span', { class: `line ${kind}`, 'data-old': String(numbers[0]).padStart(4), 'data-new': String(numbers[1]).padStart(4) }, sign || ' ');
  if (part && part[0] + part[1] > 0 && code.length > part[0] + part[1]) {
    const end = code.length - part[1];
    const middle = make('span', { class: 'changed' });
    appendCode(line, code.slice(0, part[0]), tokens);
    appendCode(middle, code.slice(part[0], end), tokens);
    line.append(middle);
    appendCode(line, code.slice(end), tokens);
  } else {
    appendCode(line, code, tokens);
  }
  return line;
}

/** The end of a run of lines that start with the same sign. */
function runEnd(lines, from, sign) {
  let end = from;
  while (end < lines.length && lines[end][0] === sign) end += 1;
  return end;
}

/** The lines of one hunk; removed and added lines that face each other are compared. */
function appendHunk(block, lines, at, tokens) {
  let [oldLine, newLine] = at;
  const remove = (line, part) => block.append(codeLine('-', line.slice(1), [oldLine++, ''], tokens, part));
  const add = (line, part) => block.append(codeLine('+', line.slice(1), ['', newLine++], tokens, part));
  for (let i = 0; i < lines.length;) {
    const middle = runEnd(lines, i, '-');
    const end = runEnd(lines, middle, '+');
    const removed = lines.slice(i, middle);
    const added = lines.slice(middle, end);
    const facing = removed.length === added.length;
    const parts = removed.map((line, n) => facing && common(line.slice(1), added[n].slice(1)));
    removed.forEach((line, n) => remove(line, parts[n]));
    added.forEach((line, n) => add(line, parts[n]));
    if (end > i) {
      i = end;
      continue;
    }
    const line = lines[i];
    if (line[0] === '\\') block.append(make('span', { class: 'line note' }, line));
    else block.append(codeLine(' ', line.slice(1), [oldLine++, newLine++], tokens));
    i += 1;
  }
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

/** What stands above a file's first hunk: its name once, and whatever says more than that. */
function appendHeading(box, lines) {
  const names = lines.filter((line) => /^(---|\+\+\+) /.test(line)).map((line) => line.slice(4).replace(/^[ab]\//, ''));
  const told = [...new Set(names.filter((name) => name !== '/dev/null'))].join(' → ');
  const rest = lines.filter((line) => !/^(--- |\+\+\+ |index )/.test(line) && !(told && line.startsWith('diff --git ')));
  box.append(make('div', { class: 'file' }, told || 'no file name'));
  if (rest.length) box.append(make('div', { class: 'file-notes' }, rest.join('\n')));
  return told;
}

/** A whole diff: one box a file. What is no diff is shown as it is. */
function drawDiff(text) {
  const root = make('div', { class: 'diff' });
  if (!text) return root.append(make('p', { class: 'soft' }, 'No patch.')), root;
  const files = text.replace(/\n$/, '').split(/\n(?=diff --git )/);
  for (const file of files) {
    const lines = file.split('\n');
    const starts = lines.flatMap((line, n) => (HUNK.test(line) ? [n] : []));
    const box = make('div', { class: 'file-box' });
    const name = appendHeading(box, lines.slice(0, starts.length ? starts[0] : lines.length));
    box.dataset.file = name;
    const tokens = PROSE.test(name) ? TOKENS.none : HASH_COMMENTS.test(name) ? TOKENS.hash : TOKENS.slash;
    const block = make('pre', { role: 'group', tabindex: '0', 'aria-label': `Changes of ${name || 'a patch'}` });
    starts.forEach((start, n) => {
      const at = lines[start].match(HUNK).slice(1).map(Number);
      block.append(make('span', { class: 'line hunk' }, lines[start]));
      appendHunk(block, lines.slice(start + 1, starts[n + 1]), at, tokens);
    });
    if (starts.length) box.append(block);
    root.append(box);
  }
  return root;
}
