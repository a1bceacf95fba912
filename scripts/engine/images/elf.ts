import { type FileHandle, open } from 'node:fs/promises';

/** What a program or library needs to run, as its ELF headers say. */
export interface ElfNeeds {
  /** The loader, an absolute path; undefined in libraries and static programs. */
  readonly interpreter?: string;
  /** Names of shared libraries: `libc.so.6`. */
  readonly libraries: readonly string[];
}

/** Reads what an ELF file needs; undefined when the file is none. Formats: System V ABI, chapter 5, "Program Header" and "Dynamic Section". */
export async function readElfNeeds(path: string): Promise<ElfNeeds | undefined> {
  const file = await open(path, 'r');
  try {
    const ident = await read(file, 0, 64);
    if (ident.length < 52 || ident.readUInt32BE(0) !== magic) return undefined;
    const words = wordsOf(ident);
    const segments = await readSegments(file, ident, words);
    const interpreter = segments.find((one) => one.type === segmentType.interpreter);
    const dynamic = segments.find((one) => one.type === segmentType.dynamic);
    return {
      ...(interpreter === undefined
        ? {}
        : { interpreter: text(await read(file, interpreter.offset, interpreter.size), 0) }),
      libraries: dynamic === undefined ? [] : await readLibraries(file, dynamic, segments, words),
    };
  } finally {
    await file.close();
  }
}

const magic = 0x7f454c46;
const segmentType = { load: 1, dynamic: 2, interpreter: 3 };
const dynamicTag = { end: 0, needed: 1, stringTable: 5, stringTableSize: 10 };

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** How numbers are written in the file: of 32 or 64 bits, least or most significant byte first. */
interface ElfFields {
  readonly is64: boolean;
  /** Bytes of an address. */
  readonly width: number;
  half(bytes: Buffer, at: number): number;
  word(bytes: Buffer, at: number): number;
  address(bytes: Buffer, at: number): number;
}

function wordsOf(ident: Buffer): ElfFields {
  const is64 = ident[4] === 2;
  const isLittle = ident[5] === 1;
  const word = (bytes: Buffer, at: number) => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const long = (bytes: Buffer, at: number) => Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  return {
    is64,
    width: is64 ? 8 : 4,
    half: (bytes, at) => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)),
    word,
    address: is64 ? long : word,
  };
}

async function readSegments(file: FileHandle, ident: Buffer, words: ElfFields): Promise<readonly Segment[]> {
  const start = words.address(ident, words.is64 ? 32 : 28);
  const size = words.half(ident, words.is64 ? 54 : 42);
  const count = words.half(ident, words.is64 ? 56 : 44);
  const table = await read(file, start, size * count);
  return Array.from({ length: count }, (_, index) => {
    const at = index * size;
    return {
      type: words.word(table, at),
      offset: words.address(table, at + (words.is64 ? 8 : 4)),
      address: words.address(table, at + (words.is64 ? 16 : 8)),
      size: words.address(table, at + (words.is64 ? 32 : 16)),
    };
  });
}

async function readLibraries(
  file: FileHandle,
  dynamic: Segment,
  segments: readonly Segment[],
  words: ElfFields,
): Promise<readonly string[]> {
  const table = await read(file, dynamic.offset, dynamic.size);
  const entries: { tag: number; value: number }[] = [];
  for (let at = 0; at + 2 * words.width <= table.length; at += 2 * words.width) {
    const tag = words.address(table, at);
    if (tag === dynamicTag.end) break;
    entries.push({ tag, value: words.address(table, at + words.width) });
  }
  const tagged = (tag: number) => entries.find((one) => one.tag === tag)?.value ?? 0;
  const strings = await readStrings(file, tagged(dynamicTag.stringTable), tagged(dynamicTag.stringTableSize), segments);
  return entries.filter((one) => one.tag === dynamicTag.needed).map((one) => text(strings, one.value));
}

/** The dynamic section names memory addresses; the loaded segments say where in the file those are. */
async function readStrings(
  file: FileHandle,
  address: number,
  size: number,
  segments: readonly Segment[],
): Promise<Buffer> {
  const home = segments.find(
    (one) => one.type === segmentType.load && one.address <= address && address < one.address + one.size,
  );
  return home === undefined ? Buffer.alloc(0) : read(file, home.offset + address - home.address, size);
}

function text(bytes: Buffer, at: number): string {
  const end = bytes.indexOf(0, at);
  return bytes.subarray(at, end < 0 ? undefined : end).toString();
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}
