#!/usr/bin/env node
// Takes the arguments of Jazzer.js's command, MODULE FOLDERS… [--options] -- FLAGS, and prints what
// libFuzzer in Node prints. Its inputs are those of the folders, and their letters changed.
const { createHash } = require('node:crypto');
const { readdirSync, readFileSync, statSync, writeFileSync } = require('node:fs');
const { join, resolve } = require('node:path');

const given = process.argv.slice(2);
const [paths, flags] = [given.slice(0, given.indexOf('--')), given.slice(given.indexOf('--') + 1)];
const [module_, ...corpus] = paths.filter((path) => !path.startsWith('--'));
const flag = (name) => flags.find((one) => one.startsWith(`-${name}=`))?.split('=')[1];
const { fuzz } = require(resolve(module_));
const sha1 = (input) => createHash('sha1').update(input).digest('hex');
let executions = 0;

function execute(input) {
  executions += 1;
  try {
    fuzz(input);
  } catch (error) {
    const prefix = flag('artifact_prefix');
    console.error(`==${process.pid}== Uncaught Exception: ${error.stack}`);
    console.error('SUMMARY: libFuzzer: fuzz target exited');
    if (prefix && flag('runs') !== '1') {
      const path = `${prefix}crash-${sha1(input)}`;
      writeFileSync(path, input);
      console.error(`artifact_prefix='${prefix}'; Test unit written to ${path}`);
    }
    console.error(`stat::number_of_executed_units: ${executions}`);
    process.exit(77);
  }
}

const files = corpus.flatMap((path) =>
  statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path],
);
if (flag('runs') === '1') {
  console.error(`Running: ${files[0]}`);
  execute(readFileSync(files[0]));
  process.exit(0);
}
const inputs = files.map((path) => readFileSync(path));
for (const input of inputs) execute(input);
console.error(`#${executions}\tINITED cov: 3 ft: 3 corp: ${inputs.length}/9b exec/s: 0 rss: 30Mb`);
const ends = Date.now() + Number(flag('max_total_time')) * 1000;
while (Date.now() < ends) {
  const input = Buffer.from(inputs[executions % inputs.length] ?? 'a');
  input[executions % Math.max(input.length, 1)] = 65 + (executions % 26);
  if (executions % 1024 === 0) {
    const name = sha1(input);
    writeFileSync(join(corpus[0], name), input);
    console.error(`#${executions}\tNEW    cov: 4 ft: 4 corp: 2/9b exec/s: 1024 rss: 30Mb L: 2/2`);
  }
  execute(input);
}
console.error(`#${executions}\tDONE   cov: 4 ft: 4 corp: 2/9b exec/s: 1024 rss: 30Mb`);
console.error(`stat::number_of_executed_units: ${executions}`);
