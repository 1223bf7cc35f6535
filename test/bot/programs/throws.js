#!/usr/bin/env node
// A target of Jazzer.js: @jazzer.js/core calls `fuzz` with each input.
function tooDeep() {
  throw new RangeError('planted: too deep');
}

module.exports.fuzz = (data) => {
  if (data.length > 1 && data[0] === 79 && data[1] >= 80) tooDeep();
};
