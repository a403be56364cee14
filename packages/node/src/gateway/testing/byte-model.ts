import { buildTinyModel } from '@commonweight/engine/testing';
import { type ModelId, modelIdOf } from '@commonweight/protocol';
import type { ChatModel } from '../text/chat-model.ts';
import { COMMIT_POINTS, STOP_ID, VOCABULARY } from './answer-fixture.ts';

/** A tiny model whose ids are UTF-8 bytes; id 2 ends an answer, ids from 256 on are nothing. */
const tiny = buildTinyModel({
  layers: COMMIT_POINTS,
  commitPoints: Array.from({ length: COMMIT_POINTS }, (_, i) => i),
  vocabulary: VOCABULARY,
  context: 128,
  generation: { stopIds: [STOP_ID], temperature: 0, topP: 1_000_000, topK: 0 },
});

export const modelId: ModelId = modelIdOf(tiny.manifest);
export const encode = (text: string): number[] => [...new TextEncoder().encode(text)];
const bytesOf = (id: number): Uint8Array => (id === STOP_ID || id > 255 ? new Uint8Array(0) : Uint8Array.of(id));

export const byteModel: ChatModel = {
  modelId,
  name: 'tiny',
  manifest: tiny.manifest,
  render: async (messages) => encode(messages.map(({ role, content }) => `${role[0]}:${content}\n`).join('')),
  close: async () => undefined,
  tokenText: (id) => {
    const bytes = bytesOf(id);
    return bytes.length === 0 ? { token: `<${id}>`, bytes: null } : { token: new TextDecoder().decode(bytes), bytes: [...bytes] };
  },
  newDecoder: () => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    return { push: (id) => decoder.decode(bytesOf(id), { stream: true }), flush: () => decoder.decode() };
  },
};
