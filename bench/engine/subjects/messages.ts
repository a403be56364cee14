export type Engine = 'llama' | 'wasm' | 'native';

/** What a child process runs: one contender with one model on so many threads. */
export type Contender =
  | { readonly engine: 'llama'; readonly entry: string; readonly gguf: string; readonly threads: number }
  | { readonly engine: 'wasm' | 'native'; readonly packageDir: string; readonly threads: number };

/** One short measurement. Prompts are fixed ids. The comment names the figures of its answer: milliseconds, or bytes. */
export type Task =
  /** `decode`: a step of one token after a prompt, greedy, on average. */
  | { readonly task: 'decode'; readonly prompt: number; readonly tokens: number }
  /** `loop`: the same through node-llama-cpp's public generator. */
  | { readonly task: 'loop'; readonly prompt: number; readonly tokens: number }
  /** `prefill`: a prompt and the choice of one token. */
  | { readonly task: 'prefill'; readonly prompt: number }
  /** `batch<streams>`: a step of one token of each of so many texts, on average. */
  | { readonly task: 'batch'; readonly streams: number; readonly prompt: number; readonly tokens: number }
  /** `generate` and `reexecute`; fails when roots or ids differ. */
  | { readonly task: 'reexecution'; readonly prompt: number; readonly tokens: number }
  /** `commitment` and `token`: time in hashing, and all of a decode step. */
  | { readonly task: 'commitment'; readonly prompt: number; readonly tokens: number }
  /** `peak`, `weights` and `cache`: largest resident size of the process after generating, and what it must hold. */
  | { readonly task: 'memory'; readonly prompt: number; readonly tokens: number };

export type Numbers = Readonly<Record<string, number>>;

export type Answer = { readonly numbers: Numbers } | { readonly failed: string };
