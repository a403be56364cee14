// Beginnings of manifests, whole and damaged in every way that came to mind, with the weights root that SPEC section 21.1 gives them (zero: none).
import { canonicalize, sha256, toHex, utf8, weightsRootOfManifest } from '../../protocol/dist/index.js';

const NONE = `0x${'00'.repeat(32)}`;
const CASES = 600;
const hash = (text) => toHex(sha256(utf8(text)));

/** Deterministic: the same vectors from every run. */
function numbers() {
  let count = 0;
  return (below) => Number(BigInt(hash(`random ${count++}`)) % BigInt(below));
}

const names = ['weights.bin', 'tokenizer.json', 'chat_template.jinja', 'a', '_', 'weights_bin', 'weights.bin.bin', 'x'.repeat(64)];
const pieces = [
  '{"files":[',
  '],"generation":',
  '"name":"weights.bin"',
  '","root":"0x',
  ',"size":1',
  '},{',
  '}',
  ',',
  '"',
  '\\"',
  '\\u0022',
  ' ',
  '\n',
  '0',
  '[',
  ']',
  NONE,
  hash('x').toUpperCase(),
  '"name":"',
  'é',
  '\u0000',
  '1e3',
  '-0',
  '00',
  '9'.repeat(13),
  '9'.repeat(14),
  'A',
  ':',
];

export function manifestHeads() {
  const random = numbers();
  const heads = [];
  for (let i = 0; i < CASES; i++) {
    const files = Array.from({ length: 1 + random(4) }, (_, j) => ({
      name: names[j === 0 && random(5) > 0 ? 0 : random(names.length)],
      root: hash(`${i} ${j}`),
      size: [0, 1, 10, 2 ** 40][random(4)],
    }));
    const whole = Buffer.from(canonicalize({ files: files.reverse(), generation: { topK: 0 } }));
    heads.push(random(4) === 0 ? whole : damaged(whole, random));
  }
  return {
    heads: heads.map((bytes) => `0x${bytes.toString('hex')}`),
    roots: heads.map((bytes) => weightsRootOfManifest(bytes) ?? NONE),
  };
}

function damaged(bytes, random) {
  const at = random(bytes.length);
  const splice = (from, remove, insert) => Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + remove)]);
  const piece = Buffer.from(pieces[random(pieces.length)]);
  const digit = Buffer.from('0123456789abcdefgZ'[random(18)]);
  switch (random(9)) {
    case 0:
      return splice(at, 1, Buffer.from([random(256)]));
    case 1:
      return splice(at, 1 + random(3), Buffer.alloc(0));
    case 2:
      return splice(at, random(2) * piece.length, piece);
    case 3:
      return splice(at, 0, bytes.subarray(at, at + random(120)));
    case 4:
      return bytes.subarray(0, at);
    case 5:
    case 6:
    case 7:
      return splice(at, 1, digit);
    default:
      return splice(at, 0, bytes.subarray(0, random(bytes.length)));
  }
}
