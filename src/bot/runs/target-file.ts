import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { endianness } from 'node:os';

/** What the kernel sees of an executable before it runs. */
export interface TargetFile {
  readonly format: 'elf' | 'script' | 'other';
  /** Of an ELF file, if it is for another one than this machine's; '' otherwise. */
  readonly otherProcessor: string;
  /** Of a script: the program after "#!". */
  readonly interpreter: string;
  /** The interpreter is there, and can be executed. */
  readonly hasInterpreter: boolean;
}

/** Values of e_machine: names as people write them, and as Node has them. */
const processors: Readonly<Record<number, readonly [name: string, nodeArch: string]>> = {
  3: ['x86 (32 bits)', 'ia32'],
  8: ['MIPS', 'mips'],
  21: ['PowerPC', 'ppc64'],
  22: ['s390x', 's390x'],
  40: ['ARM (32 bits)', 'arm'],
  62: ['x86-64', 'x64'],
  183: ['aarch64', 'arm64'],
  243: ['RISC-V', 'riscv64'],
  258: ['LoongArch', 'loong64'],
};
/** x86-64 runs programs of 32 bits as well. */
const alsoRun: Readonly<Record<string, string>> = { x64: 'ia32', arm64: 'arm' };

const headBytes = 256;
const elfMagic = 0x7f454c46;

/** Reads the head of an executable. @throws the system's error */
export async function readTargetFile(path: string, arch = process.arch): Promise<TargetFile> {
  const file = await open(path);
  let head: Buffer;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    head = buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
  const plain = { otherProcessor: '', interpreter: '', hasInterpreter: true };
  if (head.length >= 20 && head.readUInt32BE(0) === elfMagic) {
    return { ...plain, format: 'elf', otherProcessor: otherProcessorOf(head, arch) };
  }
  const [, interpreter = ''] = /^#![ \t]*(\/[^\s\0]+)/.exec(head.toString('latin1')) ?? [];
  if (interpreter === '') return { ...plain, format: 'other' };
  const hasInterpreter = await access(interpreter, constants.X_OK).then(
    () => true,
    () => false,
  );
  return { ...plain, format: 'script', interpreter, hasInterpreter };
}

function otherProcessorOf(head: Buffer, arch: string): string {
  const isLittle = head[5] === 1;
  const machine = isLittle ? head.readUInt16LE(18) : head.readUInt16BE(18);
  const known = processors[machine];
  if (!known) return machine === 0 ? '' : `processor ${machine} of ELF`;
  const [name, nodeArch] = known;
  const isOurs = (nodeArch === arch || alsoRun[arch] === nodeArch) && isLittle === isLittleHere;
  return isOurs ? '' : name;
}

const isLittleHere = endianness() === 'LE';
