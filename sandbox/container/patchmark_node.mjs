// A reporter for `node --test`: one line for each thing that happened, behind a nonce.
//
// It runs in the process that starts one more for each test file, and no code under test is
// loaded here. What a test file's process did to its runner is told by patchmark_node_guard.cjs,
// as a last line of its error output; one that ended well without that line silenced it.
import diagnostics from 'node:diagnostics_channel';
import fs from 'node:fs';
import path from 'node:path';

const RESULTS = 3;
const NONCE = 4;
const MARK = '\u0001patchmark ';
const nonce = fs.readFileSync(NONCE, 'ascii');
fs.closeSync(NONCE);

const children = new Map();
const broken = new Set();

function write(line) {
  // JSON leaves only what is ASCII as it is: other letters are told by number.
  const text = JSON.stringify(line).replace(/[^ -~]/g, (c) =>
    '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
  let left = Buffer.from(`${nonce} ${text}\n`);
  while (left.length) left = left.subarray(fs.writeSync(RESULTS, left));
}

function relative(file) {
  return path.relative(process.cwd(), path.resolve(file));
}

diagnostics.channel('child_process').subscribe(({ process: child }) => {
  child.once('exit', (code, signal) => {
    // The test file is the last of its words, but where the user gave more.
    const file = child.spawnargs.findLast((word) => fs.existsSync(word));
    if (file) children.set(relative(file), { code, signal });
  });
});

const told = new Map();
process.on('exit', (code) => {
  // An older Node does not tell of its children: then only what it says of a file is known.
  const uncollected = children.size ? new Set() : broken;
  for (const [file, { code: own, signal }] of children) {
    const last = told.get(file);
    if (signal || (own && last && !last.natural)) uncollected.add(file);
    else if (!last) write({ kind: 'habit', id: `silences what watches the runner of ${file}` });
  }
  for (const file of uncollected) write({ kind: 'collect', id: file, outcome: 'failed' });
  const habits = new Set([...told.values()].flatMap((last) => last.habits));
  for (const habit of [...habits].sort()) write({ kind: 'habit', id: habit });
  write({ kind: 'end', exit: code });
});

function outcome(type, data) {
  const passed = type === 'test:pass';
  if (data.skip !== undefined && data.skip !== false) return 'skipped';
  if (data.todo !== undefined && data.todo !== false) return passed ? 'xpassed' : 'xfailed';
  return passed ? 'passed' : 'failed';
}

function heard(data) {
  const start = data.message.indexOf(MARK);
  if (start < 0) return data.message;
  try {
    told.set(relative(data.file), JSON.parse(data.message.slice(start + MARK.length)));
  } catch {
    return data.message;
  }
  return '';
}

export default async function* report(source) {
  const names = [];
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      names.length = data.nesting;
      names[data.nesting] = data.name;
    } else if (type === 'test:pass' || type === 'test:fail') {
      const id = [...names.slice(0, data.nesting), data.name].join('::');
      write({ kind: 'test', id, when: 'call', outcome: outcome(type, data) });
      const error = data.details && data.details.error;
      if (type === 'test:fail') yield `not ok ${id}: ${error && error.message}\n`;
      if (error && error.failureType === 'testCodeFailure' && (error.exitCode || error.signal)) {
        broken.add(relative(data.name));
      }
    } else if (type === 'test:stdout') {
      yield data.message;
    } else if (type === 'test:stderr') {
      yield heard(data);
    }
  }
}
