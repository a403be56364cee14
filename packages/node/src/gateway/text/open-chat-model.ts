import { createChatRenderer, openPackage, tokenText } from '@commonweight/models';
import type { ChatModel } from './chat-model.ts';

/** Opens the model package in a folder for rendering and decoding. Its weights are not read; the other files are checked against the manifest. */
export async function openChatModel(packageDir: string): Promise<ChatModel> {
  const model = await openPackage(packageDir);
  const tokenizer = model.tokenizer();
  const renderer = createChatRenderer(model);
  return {
    modelId: model.modelId,
    name: model.card.name,
    manifest: model.manifest,
    render: (messages) => renderer.renderChat(messages, { addGenerationPrompt: true }),
    tokenText: (id) => tokenText(tokenizer, id),
    newDecoder: () => {
      const { push, end } = tokenizer.stream();
      return { push, flush: end };
    },
    close: async () => {
      await renderer.close();
      await model.close();
    },
  };
}
