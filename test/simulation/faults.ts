import { BotProcess } from './bot.js';
import type { Machine } from './machine.js';
import type { Step } from './plan.js';
import type { Random } from './random.js';
import type { World } from './world.js';

/** Carries out a step that is a fault. What it hits and how long it lasts, `random` says. */
export function happen(world: World, { kind }: Step, random: Random): void {
  const machine = random.pick(world.machines);
  const { process } = machine;
  const { timeline, weather, master } = world;
  switch (kind) {
    case 'kill master':
      world.killMaster();
      break;
    case 'restart master':
      world.restartMaster();
      break;
    case 'freeze master':
      if (master) timeline.freeze(master, random.between(100, 9000));
      weather.wasFelt();
      break;
    case 'kill bot':
      process?.kill();
      startBot(world, machine, random.between(50, random.chance(0.3) ? 9000 : 800));
      break;
    case 'freeze bot': {
      const forMs = random.between(500, 8000);
      if (process) timeline.freeze(process, forMs);
      weather.wasFelt(forMs);
      break;
    }
    case 'replace bot':
      process?.kill();
      replace(world, machine);
      break;
    case 'clone bot':
      clone(world, machine, random.between(1000, 9000));
      break;
    case 'reset stream':
      process?.wire?.reset();
      break;
    case 'stall stream': {
      const forMs = random.between(500, 9000);
      if (process?.wire) process.wire.stalledUntil = timeline.now + forMs;
      weather.wasFelt(forMs);
      break;
    }
    case 'cut stream':
      if (process?.wire) process.wire.isCut = true;
      break;
    case 'slow network':
    case 'lossy calls':
    case 'slow disk':
    case 'busy disk':
    case 'failing disk':
      weather.begin(kind, random.between(300, 5000));
      break;
    default:
      throw new Error(`${kind} is no fault`);
  }
}

/** A new process of the bot, unless another one is there by then. */
export function startBot(world: World, machine: Machine, delayMs: number): void {
  world.timeline.after(delayMs, `${machine.name}: starts`, () => {
    const isThere = machine.process && !machine.process.isOver;
    if (isThere || !world.machines.includes(machine)) return;
    machine.process = new BotProcess(world, machine);
  });
}

/** Another machine under the same name, with an empty work folder. */
function replace(world: World, machine: Machine): void {
  const other: Machine = {
    ...machine,
    identity: world.newId(),
    spool: [],
    processes: machine.processes + 1000,
    process: undefined,
  };
  world.machines[world.machines.indexOf(machine)] = other;
  startBot(world, other, 100);
}

/** A copy of the work folder, at work beside the first one for a while. */
function clone(world: World, machine: Machine, forMs: number): void {
  const copy: Machine = {
    ...machine,
    spool: [...machine.spool],
    processes: machine.processes + 5000,
    process: undefined,
  };
  const rival = new BotProcess(world, copy);
  world.clones.add(rival);
  world.timeline.after(forMs, `${machine.name}: its copy ends`, () => {
    rival.kill();
    world.clones.delete(rival);
  });
}
