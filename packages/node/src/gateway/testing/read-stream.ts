export interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }[];
  readonly receipt?: unknown;
  readonly usage?: unknown;
  readonly error?: {
    readonly code: string;
    readonly param: string;
    readonly message: string;
    readonly partial?: unknown;
    readonly unproven_tokens?: number;
  };
}

/** Events of a whole stream; `done` tells whether it ended as OpenAI's clients expect. */
export async function readStream(response: Response): Promise<{ chunks: Chunk[]; text: string; done: boolean }> {
  const lines = (await response.text())
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice(6));
  const done = lines.at(-1) === '[DONE]';
  const chunks = lines.filter((line) => line !== '[DONE]').map((line) => JSON.parse(line) as Chunk);
  return { chunks, done, text: chunks.map(({ choices }) => choices?.[0]?.delta.content ?? '').join('') };
}
