import { AnswerRefused } from './errors.ts';

/** A body's text. @throws AnswerRefused when it has more than `maximum` bytes. */
export async function readBounded(response: Response, maximum: number): Promise<string> {
  if (!response.body) return '';
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > maximum) {
      await reader.cancel();
      throw new AnswerRefused(`the gateway sent more than ${maximum} bytes`, 'malformed');
    }
    text += decoder.decode(value, { stream: true });
  }
}
