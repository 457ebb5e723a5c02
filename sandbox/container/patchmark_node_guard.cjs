// Loaded before a test file: tells at the end of its process what was replaced in its runner.
//
// Some suites do such things for good reasons. So nothing is judged here: what is found is told,
// and compared with what the suite does with the real fix in place.
'use strict';

if (process.env.NODE_TEST_CONTEXT && process.env.PATCHMARK_RESULTS) {
  // Once: programs that a test starts are not test files.
  delete process.env.PATCHMARK_RESULTS;
  watch();
}

function watch() {
  const { writeSync } = require('fs');
  const { stringify } = JSON;
  const emit = process.emit;
  const pieces = [...watched()].flatMap((piece) => parts(...piece));
  let natural = false;
  let done = false;

  function tell(code) {
    if (done) return;
    done = true;
    const habits = new Set();
    for (const [where, object, key, value] of pieces) {
      if (now(object, key) !== value) habits.add(`replaces ${where}`);
    }
    const last = { habits: [...habits].slice(0, 100), natural, code };
    writeSync(2, `\n\u0001patchmark ${stringify(last)}\n`);
  }

  // Not as a listener, which anybody can remove.
  process.emit = function (name, code) {
    if (name === 'beforeExit') natural = true;
    if (name === 'exit') tell(code);
    return emit.apply(this, arguments);
  };
}

function* watched() {
  const test = require('node:test');
  const Module = require('module');
  yield ['node:assert', require('assert')];
  yield ['node:assert.strict', require('assert').strict];
  yield ['node:test', test];
  yield ['node:module', Module, ['_load', '_resolveFilename']];
  yield ['node:module.prototype', Module.prototype, ['require', '_compile']];
  yield ['process', process, ['exit', 'reallyExit', 'kill']];
  yield ['process.stdout', process.stdout, ['write']];
  for (const name of ['Array', 'Error', 'Function', 'Number', 'Object', 'Promise', 'Reflect',
    'String', 'Symbol']) {
    yield [name, globalThis[name]];
    if (globalThis[name].prototype) yield [`${name}.prototype`, globalThis[name].prototype];
  }
}

function parts(where, object, keys) {
  const names = keys || Object.getOwnPropertyNames(object);
  return names
    .map((key) => [`${where}.${key}`, object, key, now(object, key)])
    .filter(([, , , value]) => typeof value === 'function');
}

// Without asking what a property computes: that could be anything, and warn.
function now(object, key) {
  for (let at = object; at; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, key);
    if (found) return found.value;
  }
  return undefined;
}
